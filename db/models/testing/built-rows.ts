/** Rows that models left in the lake, in the form of the naive ones: times in milliseconds, integers as numbers, in an order that does not depend on files. */
import { type Lake, loadTable, planScan, readRows } from '../../lake/index.ts'
import { tableOf } from '../build.ts'
import { MODELS, type Model } from '../models.ts'
import { naiveDay, naiveDimensions, type Rows } from './naive.ts'
import type { RawRows } from './raw-rows.ts'

const key = (row: Record<string, unknown>): string =>
  JSON.stringify(
    Object.keys(row)
      .sort()
      .map((name) => row[name]),
  )
export const sorted = (rows: Rows): Rows => [...rows].sort((a, b) => (key(a) < key(b) ? -1 : 1))

/** @param day of a model of the scope `day`: days since 1970. The column itself is left out. */
export async function builtRows(lake: Lake, model: Model, day?: number): Promise<Rows> {
  const { metadata } = await loadTable(lake, tableOf(model))
  const plan = await planScan(
    lake,
    metadata,
    day === undefined ? {} : { where: [{ column: 'day', op: '=', value: day }] },
  )
  const times = new Set(model.columns.filter(({ type }) => type === 'timestamptz').map(({ name }) => name))
  const rows: Rows = []
  for await (const batch of readRows(lake, plan))
    for (const { day, ...row } of batch) {
      const plain = Object.entries(row).map(([name, value]) => [
        name,
        value === null
          ? null
          : times.has(name)
            ? Number((value as bigint) / 1_000n)
            : typeof value === 'bigint'
              ? Number(value)
              : value,
      ])
      rows.push(Object.fromEntries(plain))
    }
  return sorted(rows)
}

/** What every model must have once the days have been built, under `model` or `model day`. */
export function expected(raw: RawRows, days: readonly number[]): Record<string, Rows> {
  const all: Record<string, Rows> = {}
  for (const day of days)
    for (const [model, rows] of Object.entries(naiveDay(raw, day))) all[`${model} ${day}`] = sorted(rows)
  for (const [model, rows] of Object.entries(naiveDimensions(raw, days))) all[model] = sorted(rows)
  return all
}

export async function built(lake: Lake, days: readonly number[]): Promise<Record<string, Rows>> {
  const all: Record<string, Rows> = {}
  for (const model of MODELS)
    if (model.scope === 'whole') all[model.name] = await builtRows(lake, model)
    else for (const day of days) all[`${model.name} ${day}`] = await builtRows(lake, model, day)
  return all
}
