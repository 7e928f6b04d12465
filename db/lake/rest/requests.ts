/**
 * Bodies of the REST catalog, checked: what passes has the types that the rest of the code believes. Keys unknown here stay, as they may belong to the table's metadata.
 * Source: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
 */
import { z } from 'zod'
import type { Long } from '../types/json.ts'
import type { Field, IcebergType } from '../types/types.ts'
import { badRequest } from './refused.ts'

const MAX_LONG = 2n ** 63n
const int = z
  .int()
  .min(-(2 ** 31))
  .max(2 ** 31 - 1)
const id = int.min(0)
const long: z.ZodType<Long> = z
  .union([z.int(), z.bigint()])
  .refine((value) => value >= -MAX_LONG && value < MAX_LONG, 'must fit into 64 bits')
const millis = z.int().min(0)
/** A URI, a name or a sentence of metadata. */
const text = z.string().max(4_000)
const properties = z.record(z.string().max(4_000), z.string().max(100_000))

const type: z.ZodType<IcebergType> = z.lazy(() =>
  z.union([
    text,
    z.looseObject({ type: z.literal('struct'), fields: z.array(field) }),
    z.looseObject({ type: z.literal('list'), 'element-id': id, element: type, 'element-required': z.boolean() }),
    z.looseObject({
      type: z.literal('map'),
      'key-id': id,
      key: type,
      'value-id': id,
      value: type,
      'value-required': z.boolean(),
    }),
  ]),
) as z.ZodType<IcebergType> // loose objects have further keys, which the type leaves open
const withoutNulls = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null)) as T
const field = z
  .looseObject({ id, name: z.string().min(1).max(1_000), required: z.boolean(), type, doc: z.string().nullish() })
  .transform(withoutNulls)
const schema = z
  .looseObject({
    type: z.literal('struct').default('struct'),
    'schema-id': id.nullish(),
    'identifier-field-ids': z.array(id).nullish(),
    fields: z.array(field),
  })
  .transform(withoutNulls) as unknown as z.ZodType<NewSchema> // nulls are gone
const spec = z
  .looseObject({
    'spec-id': id.nullish(),
    fields: z.array(
      z
        .looseObject({ 'source-id': id, 'field-id': id.nullish(), name: z.string().min(1).max(1_000), transform: text })
        .transform(withoutNulls),
    ),
  })
  .transform(withoutNulls) as unknown as z.ZodType<NewSpec> // nulls are gone
const sortOrder = z.looseObject({
  'order-id': id.default(1),
  fields: z.array(
    z.looseObject({
      'source-id': id,
      transform: text,
      direction: z.enum(['asc', 'desc']),
      'null-order': z.enum(['nulls-first', 'nulls-last']),
    }),
  ),
})
const snapshot = z
  .looseObject({
    'snapshot-id': long,
    'parent-snapshot-id': long.nullish(),
    'sequence-number': long,
    'timestamp-ms': millis,
    'manifest-list': text.min(1),
    summary: z.record(z.string(), z.string()).and(z.looseObject({ operation: text })),
    'schema-id': id.nullish(),
  })
  .transform(withoutNulls)
const statistics = z.looseObject({ 'snapshot-id': long, 'statistics-path': text.min(1) })

/** As clients send it: the catalog gives the id. */
export interface NewSchema {
  readonly 'schema-id'?: number
  readonly 'identifier-field-ids'?: readonly number[]
  readonly fields: readonly Field[]
  readonly [key: string]: unknown
}
/** Fields without an id get one. */
export interface NewSpec {
  readonly 'spec-id'?: number
  readonly fields: readonly {
    readonly 'source-id': number
    readonly 'field-id'?: number
    readonly name: string
    readonly transform: string
  }[]
  readonly [key: string]: unknown
}
export type NewSortOrder = z.output<typeof sortOrder>

const update = z.discriminatedUnion('action', [
  z.object({ action: z.literal('assign-uuid'), uuid: z.uuid() }),
  z.object({ action: z.literal('upgrade-format-version'), 'format-version': int }),
  z.object({ action: z.literal('add-schema'), schema, 'last-column-id': id.nullish() }),
  z.object({ action: z.literal('set-current-schema'), 'schema-id': int.min(-1) }),
  z.object({ action: z.literal('add-spec'), spec }),
  z.object({ action: z.literal('set-default-spec'), 'spec-id': int.min(-1) }),
  z.object({ action: z.literal('add-sort-order'), 'sort-order': sortOrder }),
  z.object({ action: z.literal('set-default-sort-order'), 'sort-order-id': int.min(-1) }),
  z.object({ action: z.literal('add-snapshot'), snapshot }),
  z.object({
    action: z.literal('set-snapshot-ref'),
    'ref-name': z.string().min(1).max(1_000),
    type: z.enum(['branch', 'tag']),
    'snapshot-id': long,
    'max-ref-age-ms': millis.min(1).nullish(),
    'max-snapshot-age-ms': millis.min(1).nullish(),
    'min-snapshots-to-keep': int.min(1).nullish(),
  }),
  z.object({ action: z.literal('remove-snapshots'), 'snapshot-ids': z.array(long) }),
  z.object({ action: z.literal('remove-snapshot-ref'), 'ref-name': z.string() }),
  z.object({ action: z.literal('set-location'), location: text.min(1) }),
  z.object({ action: z.literal('set-properties'), updates: properties }),
  z.object({ action: z.literal('remove-properties'), removals: z.array(z.string()) }),
  z.object({ action: z.literal('set-statistics'), statistics }),
  z.object({ action: z.literal('remove-statistics'), 'snapshot-id': long }),
  z.object({ action: z.literal('set-partition-statistics'), 'partition-statistics': statistics }),
  z.object({ action: z.literal('remove-partition-statistics'), 'snapshot-id': long }),
])
const requirement = z.discriminatedUnion('type', [
  z.object({ type: z.literal('assert-create') }),
  z.object({ type: z.literal('assert-table-uuid'), uuid: z.string() }),
  z.object({ type: z.literal('assert-ref-snapshot-id'), ref: z.string(), 'snapshot-id': long.nullish() }),
  z.object({ type: z.literal('assert-last-assigned-field-id'), 'last-assigned-field-id': int }),
  z.object({ type: z.literal('assert-current-schema-id'), 'current-schema-id': int }),
  z.object({ type: z.literal('assert-last-assigned-partition-id'), 'last-assigned-partition-id': int }),
  z.object({ type: z.literal('assert-default-spec-id'), 'default-spec-id': int }),
  z.object({ type: z.literal('assert-default-sort-order-id'), 'default-sort-order-id': int }),
])
export type Update = z.output<typeof update>
export type Requirement = z.output<typeof requirement>
export type UpdateOf<A extends Update['action']> = Extract<Update, { action: A }>

const levels = z.array(z.string())
const identifier = z.object({ namespace: levels, name: z.string() })
const changes = { requirements: z.array(requirement), updates: z.array(update) }

/** By the operation that takes them. */
export const BODIES = {
  createNamespace: z.object({ namespace: levels, properties: properties.nullish() }),
  updateNamespace: z.object({ removals: z.array(z.string()).nullish(), updates: properties.nullish() }),
  createTable: z.object({
    name: z.string(),
    location: text.nullish(),
    schema,
    'partition-spec': spec.nullish(),
    'write-order': sortOrder.nullish(),
    'stage-create': z.boolean().nullish(),
    properties: properties.nullish(),
  }),
  commitTable: z.object({ identifier: identifier.nullish(), ...changes }),
  renameTable: z.object({ source: identifier, destination: identifier }),
  commitTransaction: z.object({
    'table-changes': z
      .array(z.object({ identifier, ...changes }))
      .min(1)
      .max(100),
  }),
} as const
export type Bodies = { [K in keyof typeof BODIES]: z.output<(typeof BODIES)[K]> }

/** Deeper than any schema; parsers and checks that follow nesting by recursion are safe up to here. */
const NESTING_MAX = 100

/** @throws CatalogRefused that names the field */
export function parseBody<K extends keyof Bodies>(operation: K, value: unknown): Bodies[K] {
  if (isNestedDeeper(value, NESTING_MAX)) throw badRequest(`The body is nested deeper than ${NESTING_MAX} levels.`)
  const parsed = BODIES[operation].safeParse(value)
  if (parsed.success) return parsed.data as Bodies[K] // of the schema of the same key
  const issue = parsed.error.issues[0]!
  const path = issue.path.map(String)
  const known = { action: update, type: requirement }[path.at(-1) ?? '']
  if (issue.code === 'invalid_union' && known !== undefined && ['updates', 'requirements'].includes(path.at(-3) ?? ''))
    throw badRequest(`${path.join('.')}: this server knows ${namesOf(known).join(', ')}.`)
  throw badRequest(`${path.join('.') || 'The body'}: ${issue.message.replace(/^Invalid input: /, '')}.`)
}

const namesOf = ({ options }: typeof update | typeof requirement): string[] =>
  options.map(({ shape }) => ('action' in shape ? shape.action : shape.type).value)

/** Without recursion, since that is what deep nesting would break. */
function isNestedDeeper(value: unknown, levels: number): boolean {
  let level = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true
    level = level.flatMap((each) => (typeof each === 'object' && each !== null ? Object.values(each) : []))
  }
  return false
}
