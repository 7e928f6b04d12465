/**
 * The SQL of a model with what stands in braces put in: `{{day}}`, `{{raw.orders|day}}`, `{{hash64(order_id)}}`. Pure.
 *
 * Invariant: what is put in is a literal made here from a validated value, the name of a relation that the engine made, or a function of the engine's; never text from elsewhere.
 */
import { NAMESPACE, RAW_COLUMNS } from './models.ts'

/** Which rows of a table: all, those of the day that is built, or those of all other days. */
export type Rows = 'all' | 'day' | 'other_days'

/** A relation that a model reads. */
export interface Input {
  /** `namespace.table` */
  table: string
  rows: Rows
}

export interface Dialect {
  /** What the relation is called, or is. */
  relation(input: Input): string
  /** 64 bits of a text, any function as long as it is one. */
  hash64(sql: string): string
}

const PLACEHOLDER = /\{\{(.*?)\}\}/gs

const DAY_TEXT = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/

/** @throws Error unless it is a day that exists, `2026-11-20` */
export function checkDay(day: string): string {
  const at = Date.parse(`${day}T00:00:00Z`)
  if (!DAY_TEXT.test(day) || Number.isNaN(at) || new Date(at).toISOString().slice(0, 10) !== day)
    throw new Error(`"${day}" is no day; write it as 2026-11-20.`)
  return day
}

const MS_PER_DAY = 86_400_000

/** Days since 1970, as Iceberg has dates. */
export const dayNumber = (day: string): number => Date.parse(`${checkDay(day)}T00:00:00Z`) / MS_PER_DAY
export const dayText = (number: number): string => new Date(number * MS_PER_DAY).toISOString().slice(0, 10)

/** Epoch microseconds of its first moment, and of the one that follows its last. */
export function dayMicros(day: string): { from: bigint; to: bigint } {
  const from = BigInt(dayNumber(day)) * BigInt(MS_PER_DAY) * 1_000n
  return { from, to: from + BigInt(MS_PER_DAY) * 1_000n }
}

/** @param day null: of a model of the scope `whole`, whose SQL names none */
export function renderModel(sql: string, day: string | null, dialect: Dialect): string {
  return sql.replace(PLACEHOLDER, (_, body: string) => {
    const what = body.trim()
    if (what === 'day') {
      if (day === null) throw new Error('The model is built as a whole, and its SQL names a day.')
      return `DATE '${checkDay(day)}'`
    }
    const [, hashed] = /^hash64\((.*)\)$/s.exec(what) ?? []
    return hashed === undefined ? dialect.relation(inputOf(what)) : dialect.hash64(hashed)
  })
}

/** What the SQL reads, each once, in its order. */
export function inputsOf(sql: string): Input[] {
  const inputs = new Map<string, Input>()
  for (const [, body] of sql.matchAll(PLACEHOLDER)) {
    const what = body!.trim()
    if (what !== 'day' && !what.startsWith('hash64(')) inputs.set(what, inputOf(what))
  }
  return [...inputs.values()]
}

function inputOf(text: string): Input {
  const [, name, rows = 'all'] = /^([a-z_]+(?:\.[a-z_]+)?)(?:\|(day|other_days))?$/.exec(text) ?? []
  if (name === undefined) throw new Error(`"{{${text}}}" is not understood in the SQL of a model.`)
  const table = RAW_COLUMNS.has(name) ? name : `${NAMESPACE}.${name}`
  return { table, rows: rows as Rows }
}
