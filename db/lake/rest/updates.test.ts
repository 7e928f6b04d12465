/** Requirements and updates: from one metadata to the next, without files or a catalog. */
import { describe, expect, it } from 'vitest'
import { parseMetadata, type TableMetadata, writeMetadata } from '../metadata/table-metadata.ts'
import { parseJson, stringifyJson } from '../types/json.ts'
import { CatalogRefused } from './refused.ts'
import { type Bodies, parseBody } from './requests.ts'
import { checkRequirements } from './requirements.ts'
import { withFreshIds } from './shape-updates.ts'
import { applyUpdates } from './updates.ts'

const NOW = Date.UTC(2026, 0, 31, 12)
const UUID = 'f79c3e09-677c-4bbd-a479-3f349cb785e7'
const name = { namespace: 'raw', name: 'events' }
const column = (id: number, name: string, type: unknown, more: object = {}) => ({
  id,
  name,
  required: false,
  type,
  ...more,
})
const schema = (...fields: object[]) => ({ type: 'struct', fields })
const columns = [column(1, 'id', 'long'), column(2, 'at', 'timestamptz'), column(3, 'n', 'int')]

/** As they come from a client: by way of JSON and the checks of bodies. */
const body = (updates: readonly object[], requirements: readonly object[] = []): Bodies['commitTable'] =>
  parseBody('commitTable', parseJson(stringifyJson({ requirements, updates })))
const apply = (base: TableMetadata | null, ...updates: object[]): TableMetadata =>
  applyUpdates(base, body(updates).updates, NOW)
const CREATE = [
  { action: 'assign-uuid', uuid: UUID },
  { action: 'upgrade-format-version', 'format-version': 2 },
  { action: 'add-schema', schema: schema(...columns), 'last-column-id': 3 },
  { action: 'set-current-schema', 'schema-id': -1 },
  { action: 'add-spec', spec: { fields: [{ 'source-id': 2, name: 'at_day', transform: 'day' }] } },
  { action: 'set-default-spec', 'spec-id': -1 },
  { action: 'set-location', location: 'file:///lake/raw/events/' },
]
const table = apply(null, ...CREATE)
let made = 0
const snapshot = (base: TableMetadata, more: object = {}) => ({
  'snapshot-id': 7_000 + ++made,
  'sequence-number': Number(base['last-sequence-number']) + 1,
  'timestamp-ms': NOW + made,
  'manifest-list': 'file:///lake/raw/events/metadata/snap.avro',
  summary: { operation: 'append' },
  'schema-id': 0,
  ...more,
})
const main = (id: unknown) => ({ action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id })
const add = (snapshot: object) => ({ action: 'add-snapshot', snapshot })
const BIG = 2n ** 63n - 1n

function refusal(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof CatalogRefused) return `${error.reason}: ${error.message}`
    throw error
  }
  throw new Error('Nothing was refused.')
}

describe('a new table', () => {
  it('is made of its updates, with what they leave out', () => {
    expect(parseMetadata(writeMetadata(table).toString(), 'test')).toEqual(table)
    expect(table).toMatchObject({
      'format-version': 2,
      'table-uuid': UUID,
      location: 'file:///lake/raw/events',
      'last-column-id': 3,
      'current-schema-id': 0,
      'partition-specs': [{ 'spec-id': 0, fields: [{ 'field-id': 1000, name: 'at_day' }] }],
      'last-partition-id': 1000,
      'sort-orders': [{ 'order-id': 0, fields: [] }],
      'last-updated-ms': NOW,
    })
  })

  it.each([0, 3, 6])('needs its UUID, its schema and its place: without update %i it is refused', (left) => {
    expect(refusal(() => apply(null, ...CREATE.filter((_, i) => i !== left)))).toMatch(
      /^bad_request: .*(UUID|schema|place)/,
    )
  })

  it('counts its fields from 1, level by level, whatever its client counted from', () => {
    const struct = schema(
      column(20, 'x', 'int'),
      column(10, 'y', { type: 'list', 'element-id': 11, element: 'int', 'element-required': false }),
    )
    const given = parseBody('createTable', {
      name: 'events',
      schema: {
        ...schema(column(0, 'id', 'long'), column(5, 'place', struct), column(7, 'last', 'string')),
        'identifier-field-ids': [0],
      },
      'partition-spec': { fields: [{ 'source-id': 7, name: 'last', transform: 'identity' }] },
    })
    const fresh = withFreshIds(given.schema, given['partition-spec']!, null)
    expect(fresh.schema).toMatchObject({
      'identifier-field-ids': [1],
      fields: [{ id: 1 }, { id: 2, type: { fields: [{ id: 4 }, { id: 5, type: { 'element-id': 6 } }] } }, { id: 3 }],
    })
    expect(fresh.spec.fields).toMatchObject([{ 'source-id': 3 }])
    expect(
      refusal(() =>
        withFreshIds({ ...given.schema, fields: [...given.schema.fields, given.schema.fields[0]!] }, null, null),
      ),
    ).toMatch(/twice/)
  })
})

describe('requirements', () => {
  const id = snapshot(table)
  const filled = apply(table, add(id), main(id['snapshot-id']), {
    ...main(id['snapshot-id']),
    'ref-name': 'v1',
    type: 'tag',
  })
  const HOLD = [
    { type: 'assert-table-uuid', uuid: UUID.toUpperCase() },
    { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': id['snapshot-id'] },
    { type: 'assert-ref-snapshot-id', ref: 'other' },
    { type: 'assert-ref-snapshot-id', ref: 'other', 'snapshot-id': null },
    { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 3 },
    { type: 'assert-current-schema-id', 'current-schema-id': 0 },
    { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': 1000 },
    { type: 'assert-default-spec-id', 'default-spec-id': 0 },
    { type: 'assert-default-sort-order-id', 'default-sort-order-id': 0 },
  ]
  const check = (metadata: TableMetadata | null, ...requirements: object[]) =>
    checkRequirements(name, metadata, body([], requirements).requirements)

  it('hold on the table they were made of', () => {
    check(filled, ...HOLD)
    check(null, { type: 'assert-create' })
  })

  it.each([
    { type: 'assert-table-uuid', uuid: '00000000-0000-0000-0000-000000000000' },
    { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': null },
    { type: 'assert-ref-snapshot-id', ref: 'main' },
    { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': BIG },
    { type: 'assert-ref-snapshot-id', ref: 'other', 'snapshot-id': 7 },
    { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 2 },
    { type: 'assert-current-schema-id', 'current-schema-id': 1 },
    { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': 999 },
    { type: 'assert-default-spec-id', 'default-spec-id': 1 },
    { type: 'assert-default-sort-order-id', 'default-sort-order-id': 1 },
  ])('fail as a lost race: %o', (requirement) => {
    expect(refusal(() => check(filled, ...HOLD, requirement))).toMatch(
      /^commit_failed: The table raw.events has changed/,
    )
  })

  it('tell a table that is there or missing from a lost race', () => {
    expect(refusal(() => check(filled, { type: 'assert-create' }))).toMatch(/^table_exists/)
    expect(refusal(() => check(null, HOLD[0]!))).toMatch(/^no_such_table/)
    expect(refusal(() => check(null))).toMatch(/^no_such_table/)
  })

  it('that are not known are refused, never taken for met', () => {
    expect(refusal(() => check(filled, { type: 'assert-weather' }))).toMatch(
      /requirements\.0\.type: this server knows assert-create/,
    )
  })
})

describe('schemas', () => {
  const evolve = (...fields: object[]) =>
    apply(table, { action: 'add-schema', schema: schema(...fields) }, { action: 'set-current-schema', 'schema-id': -1 })

  it('get the next id, and one that is there keeps its own', () => {
    const evolved = evolve(...columns, column(4, 'words', 'string', { doc: null }))
    expect(evolved).toMatchObject({ 'current-schema-id': 1, 'last-column-id': 4 })
    const back = apply(
      evolved,
      { action: 'add-schema', schema: schema(...columns) },
      { action: 'set-current-schema', 'schema-id': -1 },
    )
    expect(back).toMatchObject({ 'current-schema-id': 0, 'last-column-id': 4 })
    expect(back.schemas).toHaveLength(2)
  })

  it('widen, and never narrow', () => {
    const wide = evolve(column(1, 'id', 'long'), column(2, 'at', 'timestamptz'), column(3, 'n', 'long'))
    expect(wide.schemas[1]!.fields[2]!.type).toBe('long')
    expect(refusal(() => apply(wide, { action: 'add-schema', schema: schema(column(3, 'n', 'int')) }))).toMatch(
      /"n" \(id 3\) can't become int/,
    )
  })

  it.each([
    [[column(1, 'id', 'string'), ...columns.slice(1)], /"id" \(id 1\) can't become string/],
    [[...columns, column(4, 'id', 'string')], /Two columns are called "id"/],
    [[...columns, column(3, 'm', 'int')], /field id twice/],
    [[...columns, column(4, 'm', 'timestamp_ns')], /not a type of Iceberg v2/],
    [[...columns, column(4, 'm', { type: 'set', element: 'int' })], /schema.fields.3.type/],
    [[...columns, { ...column(4, 'm', 'int'), required: 'no' }], /required/],
  ])('that could not be read are refused: %j', (fields, why) => {
    expect(refusal(() => evolve(...fields))).toMatch(why)
  })

  it('that nothing was added to are not -1', () => {
    expect(refusal(() => apply(table, { action: 'set-current-schema', 'schema-id': -1 }))).toMatch(/adds none/)
    expect(refusal(() => apply(table, { action: 'set-current-schema', 'schema-id': 9 }))).toMatch(/no schema 9/)
  })
})

describe('partition specs and sort orders', () => {
  it('get the next id; the same field keeps its own in every spec', () => {
    const fields = [
      { 'source-id': 1, name: 'id_bucket', transform: 'bucket[4]' },
      { 'source-id': 2, name: 'by_day', transform: 'day' },
    ]
    const next = apply(table, { action: 'add-spec', spec: { fields } }, { action: 'set-default-spec', 'spec-id': -1 })
    expect(next).toMatchObject({ 'default-spec-id': 1, 'last-partition-id': 1001 })
    expect(next['partition-specs'][1]!.fields.map((field) => field['field-id'])).toEqual([1001, 1000])
  })

  it.each([
    [{ 'source-id': 9, name: 'x', transform: 'identity' }, /field 9/],
    [{ 'source-id': 1, name: 'x', transform: 'day' }, /day can't be used on the type long/],
    [{ 'source-id': 1, name: 'x', transform: 'zorder' }, /not a transform/],
    [{ 'source-id': 1, 'field-id': 1000, name: 'x', transform: 'identity' }, /1000 means day of the field 2/],
  ])('of %j are refused', (field, why) => {
    expect(refusal(() => apply(table, { action: 'add-spec', spec: { fields: [field] } }))).toMatch(why)
  })

  it('may sort by columns that are there', () => {
    const order = (id: number) => ({
      action: 'add-sort-order',
      'sort-order': {
        'order-id': 1,
        fields: [{ 'source-id': id, transform: 'identity', direction: 'asc', 'null-order': 'nulls-first' }],
      },
    })
    const sorted = apply(table, order(1), { action: 'set-default-sort-order', 'sort-order-id': -1 })
    expect([sorted['default-sort-order-id'], sorted['sort-orders'].length]).toEqual([1, 2])
    expect(apply(sorted, order(1))['sort-orders']).toHaveLength(2)
    expect(refusal(() => apply(table, order(9)))).toMatch(/sorted by the field 9/)
  })
})

describe('snapshots', () => {
  it('of 63 bits come and go exactly', () => {
    const big = snapshot(table, { 'snapshot-id': BIG })
    const next = apply(table, add(big), main(BIG))
    expect(next['current-snapshot-id']).toBe(BIG)
    expect(writeMetadata(next).toString()).toContain(`"current-snapshot-id":${BIG}`)
    expect(refusal(() => apply(table, add({ ...big, 'snapshot-id': 2n ** 63n })))).toMatch(/64 bits/)
  })

  it('become current by main alone, and the log has what was current for others', () => {
    const [a, b] = [snapshot(table), snapshot(table, { 'sequence-number': 2 })]
    const only = apply(table, add(a))
    expect([only['current-snapshot-id'], only.snapshots.length]).toEqual([-1, 1])
    const both = apply(table, add(a), main(a['snapshot-id']), add(b), main(b['snapshot-id']))
    expect(both['snapshot-log'].map((each) => each['snapshot-id'])).toEqual([b['snapshot-id']])
    expect(both).toMatchObject({ 'last-sequence-number': 2, 'last-updated-ms': b['timestamp-ms'] })
    const back = apply(both, main(a['snapshot-id']))
    expect(back['snapshot-log'].map((each) => each['snapshot-id'])).toEqual([b['snapshot-id'], a['snapshot-id']])
    expect(apply(both, { action: 'remove-snapshot-ref', 'ref-name': 'main' })).toMatchObject({
      'current-snapshot-id': -1,
      'snapshot-log': [],
      refs: {},
    })
  })

  it('of a clock that is behind leave no step back in the log', () => {
    const [a, b] = [snapshot(table), snapshot(table, { 'sequence-number': 2, 'timestamp-ms': 1_000 })]
    const next = apply(apply(table, add(a), main(a['snapshot-id'])), add(b), main(b['snapshot-id']))
    const times = next['snapshot-log'].map((each) => each['timestamp-ms'])
    expect(times[1]).toBeGreaterThanOrEqual(times[0]!)
    expect(next['last-updated-ms']).toBeGreaterThanOrEqual(times[1]!)
  })

  it('are a lost race when their sequence number is not a new one, and refused when they are no snapshots', () => {
    const a = snapshot(table)
    const next = apply(table, add(a), main(a['snapshot-id']))
    expect(refusal(() => apply(next, add(snapshot(table))))).toMatch(/^commit_failed: .*sequence number 1/)
    expect(refusal(() => apply(next, add({ ...a, 'sequence-number': 2 })))).toMatch(/^bad_request: .*already/)
    expect(refusal(() => apply(table, add(snapshot(table, { 'schema-id': 5 }))))).toMatch(/schema 5/)
    expect(refusal(() => apply(table, add(snapshot(table, { summary: {} }))))).toMatch(/summary.operation/)
    expect(refusal(() => apply(table, main(1)))).toMatch(/does not have it/)
  })

  it('go with their statistics', () => {
    const [a, b] = [snapshot(table), snapshot(table, { 'sequence-number': 2 })]
    const statistics = {
      'snapshot-id': a['snapshot-id'],
      'statistics-path': 'file:///lake/raw/events/metadata/a.stats',
    }
    const filled = apply(table, add(a), add(b), main(b['snapshot-id']), {
      action: 'set-statistics',
      'snapshot-id': a['snapshot-id'],
      statistics,
    })
    expect(filled.statistics).toHaveLength(1)
    const less = apply(filled, { action: 'remove-snapshots', 'snapshot-ids': [a['snapshot-id']] })
    expect([less.snapshots.length, less.statistics]).toEqual([1, []])
    expect(apply(filled, { action: 'remove-statistics', 'snapshot-id': a['snapshot-id'] }).statistics).toEqual([])
  })
})

describe('other updates', () => {
  it('set and remove properties', () => {
    const next = apply(
      table,
      { action: 'set-properties', updates: { a: '1', b: '2', 'format-version': '2' } },
      { action: 'remove-properties', removals: ['a', 'c'] },
    )
    expect(next.properties).toEqual({ b: '2' })
  })

  it.each([
    [{ action: 'upgrade-format-version', 'format-version': 3 }, /format version 2 here, not 3/],
    [{ action: 'set-properties', updates: { 'format-version': '1' } }, /format version 2 here, not 1/],
    [{ action: 'assign-uuid', uuid: '00000000-0000-4000-8000-000000000000' }, /never changes/],
    [{ action: 'add-view-version' }, /updates\.0\.action: this server knows assign-uuid/],
    [{ action: 'set-location' }, /updates\.0\.location/],
  ])('that are not possible are refused: %j', (update, why) => {
    expect(refusal(() => apply(table, update))).toMatch(why)
  })

  it('that change nothing leave the very same metadata', () => {
    expect(apply(table, ...CREATE.slice(0, 4), { action: 'remove-snapshots', 'snapshot-ids': [1] }, CREATE[6]!)).toBe(
      table,
    )
  })

  it('nested without end are refused as a sentence', () => {
    let type: unknown = 'int'
    for (let i = 0; i < 50_000; i++)
      type = { type: 'list', 'element-id': i + 10, element: type, 'element-required': false }
    const deep = { requirements: [], updates: [{ action: 'add-schema', schema: schema(column(1, 'x', type)) }] }
    expect(refusal(() => parseBody('commitTable', deep))).toMatch(/nested deeper/)
  })
})
