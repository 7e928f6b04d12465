import { expect, test } from 'vitest'
import { DAY, MODELS, modelNamed } from '../models.ts'
import { failingRow, sampleSql, scanSql } from './compile.ts'
import { checkName, columnsOf, type Expectation, expectedText } from './expectation.ts'
import { EXPECTATIONS, expectationsOf, STAGES } from './index.ts'

const all = EXPECTATIONS.flatMap(({ model, stage, shows, expectations }) =>
  expectations.map((each) => ({ model: modelNamed(model), stage, shows, each })),
)
const columnNamed = (model: string, name: string) => modelNamed(model).columns.find((column) => column.name === name)

test('expectations name models and columns that there are', () => {
  const wrong = all.flatMap(({ model, shows, each }) => {
    const own = [...shows, ...columnsOf(each)].filter((name) => !columnNamed(model.name, name))
    const theirs =
      each.kind === 'referential' ? Object.values(each.columns).filter((name) => !columnNamed(each.to, name)) : []
    return [...own, ...theirs].map((name) => `${checkName(model.name, each)}: ${name}`)
  })
  expect(wrong).toEqual([])
})

test('their kinds suit the types of the columns', () => {
  const types: Partial<Record<Expectation['kind'], RegExp>> = {
    accepted_values: /^string$/,
    range: /^(int|long|double|date|timestamptz)$/,
    freshness: /^(date|timestamptz)$/,
  }
  const wrong = all.filter(({ model, each }) =>
    columnsOf(each).some((name) => types[each.kind]?.test(String(columnNamed(model.name, name)?.type)) === false),
  )
  expect(wrong.map(({ model, each }) => checkName(model.name, each))).toEqual([])
  const references = all.flatMap(({ model, each }) =>
    each.kind === 'referential'
      ? Object.entries(each.columns).map(([mine, theirs]) => [
          columnNamed(model.name, mine)?.type,
          columnNamed(each.to, theirs)?.type,
        ])
      : [],
  )
  for (const [mine, theirs] of references) expect(mine).toBe(theirs)
  // A statement that names a table twice could not be answered from the day's files alone.
  expect(all.filter(({ model, each }) => each.kind === 'referential' && each.to === model.name)).toEqual([])
})

test('each has a name of its own, a sentence, and a gate before whatever it reads', () => {
  const names = all.map(({ model, each }) => checkName(model.name, each))
  expect(names.filter((name, i) => names.indexOf(name) < i)).toEqual([])
  for (const { each } of all) expect(each.why).toMatch(/^[A-Z"].*\.$|^[a-z_]+ .*\.$/)
  const gated = (upTo: number) =>
    STAGES.slice(0, upTo + 1).flatMap((stage) =>
      expectationsOf(stage).flatMap(({ model, expectations }) =>
        expectations.some((each) => each.kind === 'schema' && each.severity === 'error') ? [model] : [],
      ),
    )
  for (const { model, stage, each } of all) {
    const read = [model.name, ...(each.kind === 'referential' ? [each.to] : [])]
    expect(gated(STAGES.indexOf(stage))).toEqual(expect.arrayContaining(read))
  }
})

test('every table that is published or built on has a gate for its schema and its key', () => {
  const layers = new Set(['dimensions', 'facts', 'marts'])
  const staged = ['stg_clickstream_events', 'stg_orders', 'stg_trips']
  for (const model of MODELS.filter(({ name, layer }) => layers.has(layer) || staged.includes(name))) {
    const gates = all.filter((one) => one.model.name === model.name && one.each.severity === 'error')
    expect(gates.some(({ each }) => each.kind === 'schema')).toBe(true)
    const key = model.key.filter((column) => column !== DAY.name || model.key.length === 1)
    expect(gates).toContainEqual(expect.objectContaining({ each: expect.objectContaining({ columns: key }) }))
  }
})

test('every kind there is gates somewhere', () => {
  expect([...new Set(all.filter(({ each }) => each.severity === 'error').map(({ each }) => each.kind))].sort()).toEqual(
    ['accepted_values', 'freshness', 'not_null', 'range', 'referential', 'row_count_change', 'schema', 'unique'],
  )
})

test('a day is read by its partition alone, in one scan; a dimension as a whole', () => {
  const orders = modelNamed('stg_orders')
  const range = { kind: 'range', column: 'quantity', min: 0, max: { column: 'amount_minor' } } as const
  expect(scanSql(orders, '2026-11-20', [{ kind: 'not_null', column: 'order_id' }, range])).toBe(
    'SELECT count(*) AS n, count(*) FILTER (WHERE "order_id" IS NULL) AS c0, count(*) FILTER (WHERE NOT ("quantity" >= 0 AND "quantity" <= "amount_minor")) AS c1 FROM "analytics"."stg_orders" WHERE "day" = DATE \'2026-11-20\'',
  )
  expect(scanSql(modelNamed('dim_time'), '2026-11-20', [])).toBe('SELECT count(*) AS n FROM "analytics"."dim_time"')
  expect(() => scanSql(orders, "2026-11-20' OR true --", [])).toThrow('is no day')
  expect(failingRow({ kind: 'accepted_values', column: 'a"b', values: ["it's"] }, '2026-11-20')).toBe(
    `"a""b" NOT IN ('it''s')`,
  )
  expect(sampleSql(orders, '2026-11-20', { kind: 'schema' }, [], null)).toBeNull()
})

test('what is expected reads as a phrase', () => {
  const texts = all.flatMap(({ model, each }) =>
    each.kind === 'row_count_change' || each.kind === 'freshness' ? [] : [expectedText(each, model.columns.length)],
  )
  expect(texts).toEqual(
    expect.arrayContaining([
      '0 rows that repeat (category, currency)',
      '0 rows whose (day, hour) is not in dim_time',
      '0 rows whose event_time is not within the day',
      '0 rows whose hour is not at least 0 and at most 23',
      '0 rows whose valid_from is not below valid_to',
      '0 rows whose status is none of success, failed, refunded',
    ]),
  )
})
