/** The registry and its SQL fit together: what can be said without an engine. */
import { readdir } from 'node:fs/promises'
import { describe, expect, it, test } from 'vitest'
import { readSql } from './build.ts'
import { DAY, MODELS, modelNamed, NAMESPACE, RAW_COLUMNS } from './models.ts'
import { checkDay, dayMicros, dayNumber, dayText, inputsOf, renderModel } from './render.ts'

const LAYERS = ['staging', 'intermediate', 'dimensions', 'facts', 'marts']

test('every SQL file is of a model, and every model has one', async () => {
  const files = await Promise.all(
    LAYERS.map(async (layer) =>
      (await readdir(new URL(`./${layer}/`, import.meta.url))).map((file) => `${layer}/${file}`),
    ),
  )
  const wanted = new Set(MODELS.map(({ layer, name, shared }) => `${layer}/${shared?.file ?? name}.sql`))
  expect(files.flat().sort()).toEqual([...wanted].sort())
})

describe.each(MODELS.map((model) => [model.name, model] as const))('%s', (_, model) => {
  it('reads raw tables and models that are built before it, by day where it is built by day', async () => {
    const before = new Set([
      ...RAW_COLUMNS.keys(),
      ...MODELS.slice(0, MODELS.indexOf(model)).map(({ name }) => `${NAMESPACE}.${name}`),
    ])
    const inputs = inputsOf(await readSql(model))
    expect(inputs.filter(({ table }) => !before.has(table))).toEqual([])
    // Else a day would be a function of the days that happen to be built.
    if (model.scope === 'day') expect(inputs.filter(({ rows }) => rows === 'all')).toEqual([])
    const others = inputs.filter(({ rows }) => rows === 'other_days')
    expect(others.every(({ table }) => RAW_COLUMNS.has(table))).toBe(true)
  })

  it('has a key of its columns, and the day where it is built by day', () => {
    const names = model.columns.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(model.key.filter((column) => !names.includes(column))).toEqual([])
    expect(names.includes(DAY.name)).toBe(model.scope === 'day')
  })
})

describe('rendering', () => {
  const dialect = {
    relation: ({ table, rows }: { table: string; rows: string }) => `<${table}:${rows}>`,
    hash64: (sql: string) => `h(${sql})`,
  }

  it('puts in days, relations and hashes', () => {
    const sql =
      "SELECT {{day}}, {{hash64(concat(a, '#', b))}} FROM {{raw.orders|other_days}}, {{ int_sessions|day }}, {{dim_users}}"
    expect(renderModel(sql, '2026-01-31', dialect)).toBe(
      "SELECT DATE '2026-01-31', h(concat(a, '#', b)) FROM <raw.orders:other_days>, <analytics.int_sessions:day>, <analytics.dim_users:all>",
    )
    expect(inputsOf(sql)).toHaveLength(3)
  })

  it.each(['{{days}} x', '{{raw.orders|week}}', '{{Raw.Orders}}', "{{a'; DROP}}"])(
    'refuses what it does not know: %s',
    (sql) => {
      if (sql.startsWith('{{days}}')) expect(renderModel(sql, null, dialect)).toContain('analytics.days')
      else expect(() => renderModel(sql, '2026-01-31', dialect)).toThrow(/is not understood/)
    },
  )

  it('refuses a day in the SQL of a model without days', () => {
    expect(() => renderModel('{{day}}', null, dialect)).toThrow(/as a whole/)
  })

  it.each(['2026-02-30', '2026-1-1', "2026-01-01'", '', '20260101', '2026-13-01'])('refuses %j for a day', (day) => {
    expect(() => checkDay(day)).toThrow(`"${day}" is no day; write it as 2026-11-20.`)
  })

  it('counts days from 1970, also those before', () => {
    expect([dayNumber('1970-01-01'), dayNumber('1969-12-31'), dayNumber('2026-01-01')]).toEqual([0, -1, 20_454])
    expect(dayText(dayNumber('2024-02-29'))).toBe('2024-02-29')
    expect(dayMicros('1970-01-02')).toEqual({ from: 86_400_000_000n, to: 172_800_000_000n })
  })
})

it('names the models there are when one is asked for that is not', () => {
  expect(() => modelNamed('fact_orders')).toThrow(/^There is no model "fact_orders"\. There are .*fact_transactions/)
})
