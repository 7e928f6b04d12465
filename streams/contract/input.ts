/**
 * The HTTP form of the events: zod schemas that validate it, and the step from there to the form in the log.
 *
 * Sits between the edge (or a foreign JSON topic) and the log. Invariant: an event that passes is storable and computable as it is;
 * one that doesn't gets a problem that names the field. Fields we don't know are kept in `properties`, never dropped.
 * The same schemas make the OpenAPI document.
 */
import { z } from 'zod'
import {
  CLICK_TYPES,
  type ClickstreamEvent,
  type EventOf,
  keyOf,
  ORDER_STATUSES,
  type Order,
  type Trip,
} from './events.ts'
import { AMOUNT_MAX, toMinor } from './money.ts'
import { toEpochMs } from './time-text.ts'
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS } from './topics.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
/** Events older than this or further in the future than a day are refused: such a time is a bug, not a late event. */
export const EVENT_TIME_MIN = Date.UTC(1990, 0, 1)
export const FUTURE_MAX_MS = DAY_MS
/** A client clock that is off by more than this is not corrected: then `sent_at` itself is nonsense. */
const SKEW_MAX_MS = 7 * DAY_MS

/** PostgreSQL can't keep NUL in text, so it is refused where it would enter. */
const storable = (max: number) =>
  z
    .string()
    .max(max)
    .refine((s) => !s.includes('\0'), 'must not contain the NUL character')
const id = storable(200).min(1)
const text = (max: number) => storable(max).nullish()
const time = z.union([z.string().max(40), z.number()]).nullish()
const currency = z
  .string()
  .regex(/^[A-Za-z]{3}$/, 'expected a three-letter currency code')
  .nullish()
const amount = z.number().min(0).max(AMOUNT_MAX)

const common = {
  event_time: time.describe('ISO 8601 (UTC where it has no offset) or epoch milliseconds; now, when missing'),
  sent_at: time.describe("The client's clock when it sent the request: corrects the skew of event_time"),
  properties: z.record(z.string(), z.unknown()).nullish().describe('Anything else; unknown fields are put here too'),
}

export const clickInput = z.object({
  event_id: id
    .nullish()
    .describe('Makes retries safe: the same id within 10 minutes is one event. Made by the server when missing'),
  event_type: z.enum(CLICK_TYPES),
  user_id: id.nullish(),
  anonymous_id: id.nullish().describe('Needed where there is no user_id'),
  session_id: text(200),
  page_url: text(2048),
  referrer: text(2048),
  product_id: text(200),
  category: text(200),
  order_id: text(200).describe('On a purchase: its order; the revenue is then counted from the order'),
  revenue: amount.nullish().describe('Major units of the currency'),
  currency,
  region: text(100),
  device: text(100),
  bot: z
    .boolean()
    .nullish()
    .describe(
      'Whether a program rather than a person did it; when missing, judged by User-Agent where that is a browser',
    ),
  ...common,
})

export const orderInput = z.object({
  order_id: id,
  user_id: id,
  product_id: text(200),
  category: text(200),
  quantity: z.number().int().min(0).max(1_000_000_000).nullish(),
  amount: amount.describe('Major units of the currency, never negative: a refund is a record of status refunded'),
  currency,
  region: text(100),
  status: z.enum(ORDER_STATUSES).nullish().describe('success when missing'),
  ...common,
})

export const tripInput = z.object({
  trip_id: id,
  region_id: z.union([id, z.number().int()]),
  fare: amount.describe('Major units of the currency'),
  currency,
  duration: z
    .number()
    .min(0)
    .max(31 * 24 * 3600)
    .describe('Seconds'),
  distance: z.number().min(0).max(100_000).describe('Kilometres'),
  ...common,
})

export const INPUT_SCHEMAS = { [CLICKSTREAM]: clickInput, [ORDERS]: orderInput, [TRIPS]: tripInput } as const

/** Why one event was refused. */
export const PROBLEM_CODES = [
  'not_an_object',
  'missing_field',
  'wrong_type',
  'invalid_value',
  'time_out_of_range',
  'too_large',
] as const
export type ProblemCode = (typeof PROBLEM_CODES)[number]
export interface InputProblem {
  code: ProblemCode
  /** The field at fault, where it is one. */
  field: string | null
  message: string
}
export type ParseResult<E> = { ok: true; event: E } | { ok: false; problem: InputProblem }

export interface ParseContext {
  receivedAt: number
  /** For amounts without a currency. */
  currency: string
  /** The id of a click that brings none. Randomness is a parameter. */
  newId: () => string
  /** Of clicks that don't say it themselves: whether the sender is a bot. Nobody knows, when missing. */
  bot?: boolean | null
}

/** Validates one event of the topic and brings it into the log's form. */
export function parseEvent<T extends InputTopic>(
  topic: T,
  raw: unknown,
  context: ParseContext,
): ParseResult<EventOf[T]> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return refuse(
      'not_an_object',
      null,
      `expected a JSON object, received ${Array.isArray(raw) ? 'an array' : raw === null ? 'null' : typeof raw}`,
    )
  }
  // The indexed access of a union of parsers has no common signature; the table below pairs topic and event type.
  const parse = parsers[topic] as (raw: object, context: ParseContext) => ParseResult<EventOf[T]>
  return parse(raw, context)
}

const parsers = {
  [CLICKSTREAM](raw: object, context: ParseContext): ParseResult<ClickstreamEvent> {
    const parsed = clickInput.safeParse(raw)
    if (!parsed.success) return refuseIssue(parsed.error, raw)
    const e = parsed.data
    if (!e.user_id && !e.anonymous_id) return refuse('missing_field', 'user_id', 'user_id: required (or anonymous_id)')
    const times = timesOf(e, context.receivedAt)
    if ('problem' in times) return { ok: false, problem: times.problem }
    const money = moneyOf(e.revenue ?? null, e.currency, context.currency)
    const properties = propertiesOf(raw, clickInput.shape)
    if (properties === TOO_DEEP) return refuse('invalid_value', 'properties', 'properties: nested too deeply')
    return {
      ok: true,
      event: {
        event_id: e.event_id ?? context.newId(),
        event_type: e.event_type,
        user_id: e.user_id ?? null,
        anonymous_id: e.anonymous_id ?? null,
        ...times,
        page_url: e.page_url ?? null,
        product_id: e.product_id || null,
        order_id: e.order_id || null,
        revenue_minor: money.minor,
        currency: money.minor === null ? null : money.currency,
        session_id: e.session_id ?? null,
        referrer: e.referrer ?? null,
        category: e.category || null,
        region: e.region ?? null,
        device: e.device ?? null,
        properties,
        bot: e.bot ?? context.bot ?? null,
      },
    }
  },

  [ORDERS](raw: object, context: ParseContext): ParseResult<Order> {
    const parsed = orderInput.safeParse(raw)
    if (!parsed.success) return refuseIssue(parsed.error, raw)
    const e = parsed.data
    const times = timesOf(e, context.receivedAt)
    if ('problem' in times) return { ok: false, problem: times.problem }
    const money = moneyOf(e.amount, e.currency, context.currency)
    const properties = propertiesOf(raw, orderInput.shape)
    if (properties === TOO_DEEP) return refuse('invalid_value', 'properties', 'properties: nested too deeply')
    return {
      ok: true,
      event: {
        order_id: e.order_id,
        user_id: e.user_id,
        status: e.status ?? 'success',
        amount_minor: money.minor ?? 0,
        currency: money.currency,
        ...times,
        product_id: e.product_id || null,
        category: e.category || null,
        quantity: e.quantity ?? null,
        region: e.region ?? null,
        properties,
      },
    }
  },

  [TRIPS](raw: object, context: ParseContext): ParseResult<Trip> {
    const parsed = tripInput.safeParse(raw)
    if (!parsed.success) return refuseIssue(parsed.error, raw)
    const e = parsed.data
    const times = timesOf(e, context.receivedAt)
    if ('problem' in times) return { ok: false, problem: times.problem }
    const money = moneyOf(e.fare, e.currency, context.currency)
    const properties = propertiesOf(raw, tripInput.shape)
    if (properties === TOO_DEEP) return refuse('invalid_value', 'properties', 'properties: nested too deeply')
    return {
      ok: true,
      event: {
        trip_id: e.trip_id,
        region_id: String(e.region_id),
        fare_minor: money.minor ?? 0,
        currency: money.currency,
        duration_s: Math.round(e.duration),
        distance_m: Math.round(e.distance * 1000),
        ...times,
        properties,
      },
    }
  },
}

function refuse(code: ProblemCode, field: string | null, message: string): { ok: false; problem: InputProblem } {
  return { ok: false, problem: { code, field, message } }
}

/**
 * Why an event that came as Avro can't be computed, though its schema is right; null when it can. Producers other than the edge are not bound by its
 * checks, and one absurd time or missing key must not reach a store that would refuse it for ever.
 */
export function unusable<T extends InputTopic>(topic: T, event: EventOf[T], appendedAtMs: number): string | null {
  const { event_time } = event
  if (!(event_time >= EVENT_TIME_MIN)) return 'event_time: before 1990'
  if (event_time > appendedAtMs + FUTURE_MAX_MS) return 'event_time: more than a day in the future'
  if (keyOf[topic](event) === '') return `${topic === CLICKSTREAM ? 'user_id (or anonymous_id)' : 'the key'}: required`
  return null
}

/** Says the first three things that are wrong, each with its field. */
function refuseIssue(error: z.ZodError, raw: object): { ok: false; problem: InputProblem } {
  const [first] = error.issues
  const field = first ? first.path.join('.') : null
  const missing = first?.path.length === 1 && (raw as Record<string, unknown>)[String(first.path[0])] === undefined
  const code: ProblemCode = missing
    ? 'missing_field'
    : first?.code === 'invalid_type' || first?.code === 'invalid_union'
      ? 'wrong_type'
      : 'invalid_value'
  const sentences = error.issues.slice(0, 3).map((issue) => {
    const at = issue.path.join('.')
    const absent = issue.path.length === 1 && (raw as Record<string, unknown>)[at] === undefined
    return `${at}: ${
      absent
        ? 'required'
        : issue.message
            .replace(/^Invalid input: /, '')
            .replace(/^Invalid/, 'invalid')
            .replace(/^Too/, 'too')
    }`
  })
  return refuse(code, field, sentences.join('; '))
}

type Times = Pick<ClickstreamEvent, 'event_time' | 'original_time' | 'sent_at' | 'received_at'>

/**
 * The four times. With `sent_at`, the event's time is corrected as Segment does: received_at − (sent_at − event_time),
 * which takes the client's clock error out of it.
 */
function timesOf(
  e: { event_time?: string | number | null | undefined; sent_at?: string | number | null | undefined },
  receivedAt: number,
): Times | { problem: InputProblem } {
  const sentAt = e.sent_at == null ? null : toEpochMs(e.sent_at)
  if (Number.isNaN(sentAt)) return unreadable('sent_at')
  if (e.event_time == null)
    return { event_time: receivedAt, original_time: null, sent_at: dateOrNull(sentAt), received_at: receivedAt }
  const original = toEpochMs(e.event_time)
  if (Number.isNaN(original)) return unreadable('event_time')
  const skew = sentAt === null ? 0 : receivedAt - sentAt
  const eventTime = Math.abs(skew) <= SKEW_MAX_MS ? original + skew : original
  if (eventTime < EVENT_TIME_MIN || eventTime > receivedAt + FUTURE_MAX_MS) {
    const what = eventTime < EVENT_TIME_MIN ? 'before 1990' : 'more than a day in the future'
    return {
      problem: {
        code: 'time_out_of_range',
        field: 'event_time',
        message: `event_time: ${what}; check the client's clock and that the unit is milliseconds`,
      },
    }
  }
  return { event_time: eventTime, original_time: original, sent_at: dateOrNull(sentAt), received_at: receivedAt }
}

const TIME_TEXT_MAX_MS = 8.64e15
/** A `sent_at` outside what a date can be is of no use to anyone. */
const dateOrNull = (ms: number | null): number | null => (ms !== null && Math.abs(ms) <= TIME_TEXT_MAX_MS ? ms : null)

const unreadable = (field: string): { problem: InputProblem } => ({
  problem: {
    code: 'invalid_value',
    field,
    message: `${field}: expected ISO 8601, e.g. 2026-01-31T12:00:00Z, or epoch milliseconds`,
  },
})

function moneyOf(amount: number | null, given: string | null | undefined, fallback: string) {
  const currency = given ? given.toUpperCase() : fallback
  return { minor: amount === null ? null : toMinor(amount, currency), currency }
}

const TOO_DEEP = Symbol('too deep')

/** JSON text of `properties` and of every field that the schema doesn't know; null when there are none. */
function propertiesOf(raw: object, shape: object): string | null | typeof TOO_DEEP {
  // Validated, but taken from the raw object: zod's copy of a record lacks a member named `__proto__`.
  const declared = (raw as { properties?: object | null }).properties
  let extra: Record<string, unknown> | undefined
  for (const key of Object.keys(raw)) {
    if (Object.hasOwn(shape, key)) continue
    // A null prototype: `__proto__` is then a key like any other.
    extra ??= Object.assign(Object.create(null) as Record<string, unknown>, declared)
    extra[key] = (raw as Record<string, unknown>)[key]
  }
  const all = extra ?? declared
  if (!all) return null
  try {
    return JSON.stringify(all)
  } catch (error) {
    if (error instanceof RangeError) return TOO_DEEP
    throw error
  }
}
