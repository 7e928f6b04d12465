/**
 * From a row of somebody's file to an event of the HTTP form, by a mapping that is data: which column gives which field.
 *
 * Sits between the rows and the sender. Invariant: a row either becomes an event that says what the row says, or a bad row with a reason that
 * names the field and the column; nothing is guessed. A row without an id of its own gets one from its content, so the same row has the same id.
 */
import { z } from 'zod'
import { currencyDecimals } from '../../contract/money.ts'
import { stableId } from '../../contract/stable-id.ts'
import { toEpochMs } from '../../contract/time-text.ts'
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS } from '../../contract/topics.ts'
import { FILE_FORMATS, type FileFormat, type Row } from '../read-rows.ts'

export type MappedEvent = Record<string, unknown> & { event_time: number }
/** `withoutConsent`: the row says that whom it is about does not agree. Nothing else of it was looked at. */
export type Mapped = { event: MappedEvent } | { bad: string } | { withoutConsent: true }

export interface Mapping {
  readonly name: string
  /** Changes with whatever the mapping says. */
  readonly identity: string
  readonly topic: InputTopic
  /** Where the file's name doesn't say it. */
  readonly format?: FileFormat | undefined
  readonly delimiter?: string | undefined
  /** @param rowId an id made from the row's content */
  map(row: Row, rowId: () => string): Mapped
}

/** Thrown for a row that can't become an event; the message is the reason. */
export class BadRow extends Error {
  override readonly name = 'BadRow'
}

const UNITS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  distance: { km: 1, m: 0.001, mi: 1.609344 },
  duration: { s: 1, ms: 0.001, min: 60, h: 3600 },
  event_time: { ms: 1, s: 1000 },
}
const MONEY = ['revenue', 'amount', 'fare']
const NUMBERS = [...MONEY, 'quantity', 'duration', 'distance']
const ID_FIELDS: Readonly<Record<InputTopic, string>> = {
  [CLICKSTREAM]: 'event_id',
  [ORDERS]: 'order_id',
  [TRIPS]: 'trip_id',
}

const column = z.string().min(1, 'a column name is needed')
const source = z.union(
  [
    column,
    z.strictObject({
      column,
      values: z.record(z.string(), z.string()).optional(),
      scale: z.number().positive().optional(),
      unit: z.string().optional(),
      /** Taken where the column is empty. */
      default: z.union([z.string(), z.number()]).optional(),
    }),
    z.strictObject({ const: z.union([z.string(), z.number()]) }),
  ],
  { error: 'expected a column name, {"column": …} with values, scale, unit or default, or {"const": …}' },
)
type Source = z.output<typeof source>

const FIELDS = {
  [CLICKSTREAM]: [
    'event_id',
    'event_type',
    'user_id',
    'anonymous_id',
    'session_id',
    'page_url',
    'referrer',
    'product_id',
    'category',
    'order_id',
    'revenue',
    'currency',
    'region',
    'device',
    'event_time',
  ],
  [ORDERS]: [
    'order_id',
    'user_id',
    'product_id',
    'category',
    'quantity',
    'amount',
    'currency',
    'region',
    'status',
    'event_time',
  ],
  [TRIPS]: ['trip_id', 'region_id', 'fare', 'currency', 'duration', 'distance', 'event_time'],
} as const satisfies Record<InputTopic, readonly string[]>
const REQUIRED = {
  [CLICKSTREAM]: ['event_type', 'event_time'],
  [ORDERS]: ['user_id', 'amount', 'event_time'],
  [TRIPS]: ['region_id', 'fare', 'duration', 'distance', 'event_time'],
} as const satisfies Record<InputTopic, readonly string[]>

/** Of every topic: whether whom the row is about agrees. */
const CONSENT = 'consent'

const TOPIC_NAMES: Readonly<Record<string, InputTopic>> = { events: CLICKSTREAM, orders: ORDERS, trips: TRIPS }

export const mappingSpec = z
  .strictObject({
    topic: z
      .enum([CLICKSTREAM, ORDERS, TRIPS, 'events', 'orders', 'trips'])
      .transform((name) => TOPIC_NAMES[name] ?? (name as InputTopic)),
    format: z.enum(FILE_FORMATS).optional(),
    delimiter: z.string().length(1, 'expected one character').optional(),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'expected an ISO 4217 code of three capital letters')
      .optional(),
    columns: z.record(z.string(), source),
    /** Columns to keep as properties. */
    properties: z.array(column).optional(),
  })
  .superRefine((spec, context) => {
    const known: readonly string[] = [...FIELDS[spec.topic], CONSENT]
    const refuse = (path: string[], message: string) =>
      context.addIssue({ code: 'custom', path: ['columns', ...path], message })
    for (const [field, from] of Object.entries(spec.columns)) {
      if (!known.includes(field)) refuse([field], `${spec.topic} has no field "${field}"; it has ${known.join(', ')}`)
      if (typeof from !== 'object' || !('column' in from)) continue
      const units = MONEY.includes(field) ? ['major', 'minor'] : Object.keys(UNITS[field] ?? {})
      if (from.unit !== undefined && !units.includes(from.unit)) {
        refuse(
          [field, 'unit'],
          units.length > 0 ? `"${from.unit}" is not one of ${units.join(', ')}` : 'this field has no unit',
        )
      }
      if (from.scale !== undefined && !NUMBERS.includes(field)) refuse([field, 'scale'], 'this field is not a number')
    }
    for (const field of REQUIRED[spec.topic])
      if (!spec.columns[field]) refuse([field], 'needed, and no column is named')
    if (spec.topic === CLICKSTREAM && !spec.columns.user_id && !spec.columns.anonymous_id) {
      refuse(['user_id'], 'needed (or anonymous_id), and no column is named')
    }
  })
export type MappingSpec = z.input<typeof mappingSpec>

/** @throws Error with one sentence per fault. @param what names the mapping in messages, e.g. its file */
export function parseMapping(value: unknown, what: string): Mapping {
  const parsed = mappingSpec.safeParse(value)
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `  ${issue.path.join('.') || 'mapping'}: ${issue.message}`)
    throw new Error(`${what} is not a mapping:\n${faults.join('\n')}`)
  }
  return mappingOf(what, parsed.data)
}

/**
 * A mapping from its specification.
 * @param adjust what the specification can't say; gets the event and the row, may change the event. @throws BadRow
 */
export function mappingOf(
  name: string,
  given: MappingSpec | z.output<typeof mappingSpec>,
  adjust?: (event: MappedEvent, row: Row, rowId: () => string) => void,
): Mapping {
  const spec = mappingSpec.parse(given)
  const idField = ID_FIELDS[spec.topic]
  const readers = Object.entries(spec.columns)
    .filter(([field]) => field !== CONSENT)
    .map(([field, from]) => [field, readerOf(field, from, spec.currency)] as const)
  const consent = spec.columns[CONSENT] && consentReader(spec.columns[CONSENT])
  const money = MONEY.find((field) => spec.columns[field])
  return {
    name,
    identity: stableId(name, JSON.stringify(spec)),
    topic: spec.topic,
    format: spec.format,
    delimiter: spec.delimiter,
    map(row, rowId) {
      const event: Record<string, unknown> = {}
      try {
        if (consent) {
          const agreed = consent(row)
          if (agreed === false) return { withoutConsent: true }
          if (agreed) event[CONSENT] = true
        }
        for (const [field, read] of readers) {
          const value = read(row)
          if (value !== undefined) event[field] = value
        }
        if (typeof event.event_time !== 'number') throw new BadRow('event_time: empty')
        if (money !== undefined && event[money] !== undefined && spec.currency) event.currency ??= spec.currency
        if (spec.properties) event.properties = pick(row, spec.properties)
        adjust?.(event as MappedEvent, row, rowId)
        event[idField] ??= rowId()
        return { event: event as MappedEvent }
      } catch (error) {
        if (error instanceof BadRow) return { bad: error.message }
        throw error
      }
    },
  }
}

type Reader = (row: Row) => string | number | undefined

function readerOf(field: string, from: Source, currency: string | undefined): Reader {
  if (typeof from === 'object' && 'const' in from) return () => from.const
  const spec = typeof from === 'string' ? { column: from } : from
  const path = spec.column
  const isNumber = NUMBERS.includes(field)
  const factor = (spec.scale ?? 1) * unitFactor(field, spec.unit, currency)
  return (row) => {
    const raw = valueAt(row, path)
    const empty = raw === undefined || raw === null || raw === ''
    if (empty && spec.default !== undefined) return spec.default
    if (empty) return undefined
    if (spec.values) {
      const key = String(raw)
      if (!Object.hasOwn(spec.values, key))
        throw new BadRow(
          `${field}: "${shown(raw)}" in column ${path} is not one of ${Object.keys(spec.values).join(', ')}`,
        )
      return spec.values[key]
    }
    if (field === 'event_time') return timeOf(raw, path, factor)
    if (isNumber) return numberOf(raw, field, path) * factor
    const isText = typeof raw === 'string' || typeof raw === 'number' || (field === CONSENT && typeof raw === 'boolean')
    if (!isText) throw new BadRow(`${field}: expected text in column ${path}, found ${shown(raw)}`)
    return String(raw)
  }
}

const ANSWERS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])

/** @returns undefined for a row that says nothing. @throws BadRow for what is no answer: it must not pass for a yes */
function consentReader(from: Source): (row: Row) => boolean | undefined {
  const read = readerOf(CONSENT, from, undefined)
  return (row) => {
    const said = read(row)
    if (said === undefined) return undefined
    const answer = ANSWERS.get(String(said).trim().toLowerCase())
    if (answer !== undefined) return answer
    throw new BadRow(`consent: expected true or false (or 1 or 0), found "${shown(said)}"`)
  }
}

function unitFactor(field: string, unit: string | undefined, currency: string | undefined): number {
  if (MONEY.includes(field)) return unit === 'minor' ? 10 ** -currencyDecimals(currency ?? 'TRY') : 1
  return unit === undefined ? 1 : (UNITS[field]?.[unit] ?? 1)
}

/** A column by its name; in JSON also by a path of names, with dots. */
function valueAt(row: Row, path: string): unknown {
  if (Object.hasOwn(row, path) || !path.includes('.')) return Object.hasOwn(row, path) ? row[path] : undefined
  let value: unknown = row
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Row)[name]
  }
  return value
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i

/** @throws BadRow for anything but a decimal number */
export function numberOf(raw: unknown, field: string, path: string): number {
  const value = typeof raw === 'string' && DECIMAL.test(raw.trim()) ? Number(raw) : raw
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new BadRow(`${field}: expected a number in column ${path}, found "${shown(raw)}"`)
  return value
}

/** Times without an offset are taken as UTC. @throws BadRow */
export function timeOf(raw: unknown, path: string, factor = 1): number {
  let ms = Number.NaN
  if (typeof raw === 'number') ms = raw * factor
  else if (typeof raw === 'string') ms = /^\d{9,16}(\.\d+)?$/.test(raw) ? Number(raw) * factor : toEpochMs(raw)
  if (!Number.isFinite(ms))
    throw new BadRow(`event_time: expected a time in column ${path}, e.g. 2026-01-31 12:00:00, found "${shown(raw)}"`)
  return Math.trunc(ms)
}

function pick(row: Row, columns: readonly string[]): Record<string, unknown> | undefined {
  const picked: Record<string, unknown> = {}
  for (const name of columns) {
    const value = valueAt(row, name)
    if (value !== undefined && value !== null && value !== '') picked[name] = value
  }
  return picked
}

const shown = (value: unknown): string =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, 60)
