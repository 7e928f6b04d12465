/**
 * The Avro schemas of the topics' values, as the registry holds them under `<topic>-value`.
 * They may only grow compatibly (BACKWARD): a new field has a default, none is removed without one.
 */
import avro, { type Schema, type Type } from 'avsc'
import { CLICK_TYPES, ORDER_STATUSES } from './events.ts'
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS } from './topics.ts'

const optional = (name: string, type: string | object = 'string') => ({ name, type: ['null', type], default: null })
const millis = { type: 'long', logicalType: 'timestamp-millis' }
const times = [
  { name: 'event_time', type: millis },
  optional('original_time', millis),
  optional('sent_at', millis),
  { name: 'received_at', type: millis },
]

const record = (name: string, fields: object[]): Schema =>
  ({ type: 'record', name, namespace: 'streamforge', fields }) as Schema

export const VALUE_SCHEMAS: Readonly<Record<InputTopic, Schema>> = {
  [CLICKSTREAM]: record('ClickstreamEvent', [
    { name: 'event_id', type: 'string' },
    { name: 'event_type', type: { type: 'enum', name: 'ClickType', symbols: [...CLICK_TYPES], default: 'custom' } },
    optional('user_id'),
    optional('anonymous_id'),
    ...times,
    optional('page_url'),
    optional('product_id'),
    optional('order_id'),
    optional('revenue_minor', 'long'),
    optional('currency'),
    optional('session_id'),
    optional('referrer'),
    optional('category'),
    optional('region'),
    optional('device'),
    optional('properties'),
    optional('bot', 'boolean'),
  ]),
  [ORDERS]: record('Order', [
    { name: 'order_id', type: 'string' },
    { name: 'user_id', type: 'string' },
    { name: 'status', type: { type: 'enum', name: 'OrderStatus', symbols: [...ORDER_STATUSES] } },
    { name: 'amount_minor', type: 'long' },
    { name: 'currency', type: 'string' },
    ...times,
    optional('product_id'),
    optional('category'),
    optional('quantity', 'long'),
    optional('region'),
    optional('properties'),
  ]),
  [TRIPS]: record('Trip', [
    { name: 'trip_id', type: 'string' },
    { name: 'region_id', type: 'string' },
    { name: 'fare_minor', type: 'long' },
    { name: 'currency', type: 'string' },
    { name: 'duration_s', type: 'long' },
    { name: 'distance_m', type: 'long' },
    ...times,
    optional('properties'),
  ]),
}

/** Values of `alerts.fraud`: the alert with its evidence. */
export const ALERT_SCHEMA: Schema = record('FraudAlert', [
  { name: 'alert_id', type: 'string' },
  { name: 'rule_id', type: 'string' },
  { name: 'rule_version', type: 'int' },
  { name: 'user_id', type: 'string' },
  { name: 'state', type: 'string' },
  optional('superseded_by'),
  { name: 'supersedes', type: { type: 'array', items: 'string' } },
  { name: 'total_minor', type: 'long' },
  { name: 'currency', type: 'string' },
  { name: 'first_at', type: millis },
  { name: 'last_at', type: millis },
  { name: 'triggered_at', type: millis },
  { name: 'watermark', type: millis },
  {
    name: 'evidence',
    type: {
      type: 'array',
      items: {
        type: 'record',
        name: 'AlertEvidence',
        fields: [
          { name: 'order_id', type: 'string' },
          { name: 'event_time', type: millis },
          { name: 'amount_minor', type: 'long' },
          { name: 'status', type: 'string' },
          { name: 'topic', type: 'string' },
          { name: 'partition', type: 'int' },
          { name: 'offset', type: 'long' },
        ],
      },
    },
  },
  optional('trace_id'),
])

const types = new Map<string, Type>()

/**
 * The schema's type. Logical types are for other readers; inside, a time is its number of milliseconds.
 * Compiled once per schema text: every task has decoders and state of the same few schemas.
 */
export function avroType(schema: Schema): Type {
  const text = JSON.stringify(schema)
  let type = types.get(text)
  if (!type) {
    type = avro.Type.forSchema(schema, { logicalTypes: {} })
    if (types.size >= TYPES_MAX) types.clear()
    types.set(text, type)
  }
  return type
}

/** Schemas come from other producers too. */
const TYPES_MAX = 1_000

/** The Avro subject under which a topic's value schema is registered. */
export const subjectOf = (topic: string): string => `${topic}-value`
