/** Rows put straight into the tables of models, for tests of what reads them: the partition of a day, or the whole table, is replaced by the given rows. */
import { type Lake, openWriter, planScope, replaceScope, type Value } from '../../lake/index.ts'
import { ensureModelTable } from '../build.ts'
import { DAY, type Model, modelNamed } from '../models.ts'
import { dayMicros, dayNumber } from '../render.ts'

/** By column, as the lake's writer takes them; a required column that is not given gets some value of its type. */
export type ModelRow = Readonly<Record<string, Value | null>>

export async function putRows(lake: Lake, name: string, day: string, rows: readonly ModelRow[]): Promise<void> {
  const model = modelNamed(name)
  const table = await ensureModelTable(lake, model)
  const scope = model.scope === 'day' ? [dayNumber(day)] : null
  const plan = await planScope(lake, table, scope)
  const writer = await openWriter(lake, table.metadata)
  await writer.appendRows(rows.map((row) => ({ ...defaults(model, day), ...row })))
  await replaceScope(lake, table.name, plan, { added: await writer.finish() })
}

/** Noon of the day, as the writer takes times. */
export const noon = (day: string): bigint => dayMicros(day).from + 43_200_000_000n

const defaults = ({ columns }: Model, day: string): ModelRow =>
  Object.fromEntries(
    columns.filter((each) => each.required).map(({ name, type }) => [name, someValue(name, type, day)]),
  )

function someValue(name: string, type: unknown, day: string): Value {
  if (type === 'date') return dayNumber(day)
  if (type === 'timestamptz') return noon(day)
  if (type === 'boolean') return false
  return type === 'string' ? (name === 'currency' ? 'TRY' : 'x') : 0
}

/** The partition's column, for rows that are to lie in a day of their own. */
export const ofDay = (day: string): ModelRow => ({ [DAY.name]: dayNumber(day) })
