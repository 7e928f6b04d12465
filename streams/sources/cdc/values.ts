/**
 * PostgreSQL's text of a value → JSON text, as Debezium writes it with `decimal.handling.mode=string`, `time.precision.mode=adaptive` and
 * `interval.handling.mode=string`. Text to text: no value passes through floating point, so a bigint or numeric stays what it is.
 *
 * Invariant: every value of every type becomes valid JSON; a type that is not known becomes its text. The session that the text comes from has the settings of
 * {@link TEXT_SETTINGS}.
 * Source: "Data type mappings" in Debezium's documentation of the PostgreSQL connector.
 */
import type { Value } from './pgoutput.ts'

/** How PostgreSQL has to write its texts. */
export const TEXT_SETTINGS = {
  TimeZone: 'UTC',
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'iso_8601',
  bytea_output: 'hex',
  extra_float_digits: '1',
} as const

/** @returns JSON text */
export type WriteValue = (text: string) => string

const DAY_US = 86_400_000_000n
/** From March 1st of the year 0. */
const DAYS_TO_1970 = 719_468
const asIs: WriteValue = (text) => text
const asText: WriteValue = (text) => JSON.stringify(text)
const asBoolean: WriteValue = (text) => (text === 't' ? 'true' : 'false')
/** NaN and the infinities have no number in JSON. */
const asFloat: WriteValue = (text) => (/^-?\d/.test(text) ? text : `"${text}"`)
const asBase64: WriteValue = (text) => `"${Buffer.from(text.slice(2), 'hex').toString('base64')}"`

/** Infinities as Debezium's driver has them. */
const asDays: WriteValue = (text) => {
  if (text === 'infinity') return '2147483647'
  if (text === '-infinity') return '-2147483648'
  return String(daysOf(text))
}

/** Microseconds, or milliseconds where the column keeps no more. */
const asTimestamp =
  (modifier: number): WriteValue =>
  (text) => {
    if (text === 'infinity') return '9223372036825200000'
    if (text === '-infinity') return '-9223372036832400000'
    const [date, time] = text.split(' ') as [string, string]
    const days = daysOf(text.endsWith(' BC') ? `${date} BC` : date)
    const micros = BigInt(days) * DAY_US + BigInt(clockMicros(time))
    return String(keepsMillis(modifier) ? micros / 1_000n : micros)
  }

const asTime =
  (modifier: number): WriteValue =>
  (text) =>
    String(keepsMillis(modifier) ? clockMicros(text) / 1_000 : clockMicros(text))

const keepsMillis = (modifier: number): boolean => modifier >= 0 && modifier <= 3

const asZonedTimestamp: WriteValue = (text) => `"${text.replace(' ', 'T').replace(/\+00( BC)?$/, 'Z$1')}"`
const asZonedTime: WriteValue = (text) => `"${text.replace(/\+00$/, 'Z')}"`

/**
 * Days since 1970 of a date in the proleptic Gregorian calendar, which may be one before Christ, or beyond what Date knows. The year is taken to begin in March, so that the leap
 * day is its last: years, then 153 days in every five months.
 */
function daysOf(text: string): number {
  const [, year, month, day] = /^(\d+)-(\d\d)-(\d\d)/.exec(text) as unknown as [string, string, string, string]
  // There was no year 0: 1 BC is that to ISO.
  const astronomical = text.endsWith(' BC') ? 1 - Number(year) : Number(year)
  const fromMarch = (Number(month) + 9) % 12
  const years = astronomical - (Number(month) <= 2 ? 1 : 0)
  const leapDays = Math.floor(years / 4) - Math.floor(years / 100) + Math.floor(years / 400)
  return years * 365 + leapDays + Math.floor((153 * fromMarch + 2) / 5) + Number(day) - 1 - DAYS_TO_1970
}

function clockMicros(text: string): number {
  const [, hours, minutes, seconds, fraction = ''] = /^(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?/.exec(
    text,
  ) as unknown as string[]
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000_000 + Number(fraction.padEnd(6, '0'))
}

/** By OID, which are the same in every PostgreSQL; those that are missing become text. */
const WRITERS: Readonly<Record<number, (modifier: number) => WriteValue>> = {
  16: () => asBoolean,
  17: () => asBase64,
  20: () => asIs, // int8
  21: () => asIs, // int2
  23: () => asIs, // int4
  26: () => asIs, // oid
  700: () => asFloat,
  701: () => asFloat,
  1082: () => asDays,
  1083: asTime,
  1114: asTimestamp,
  1184: () => asZonedTimestamp,
  1266: () => asZonedTime,
}

/** What the catalog says of a type that has no OID of its own above. */
export interface TypeInfo {
  /** Of a domain: what it is made of. */
  readonly base?: number
  /** Of an array: its elements. */
  readonly element?: number
}

/** @param types by OID: domains and arrays */
export function writerOf(type: number, modifier: number, types: ReadonlyMap<number, TypeInfo>): WriteValue {
  const { base, element } = types.get(type) ?? {}
  if (base !== undefined) return writerOf(base, modifier, types)
  if (element !== undefined) return arrayWriter(writerOf(element, modifier, types))
  return WRITERS[type]?.(modifier) ?? asText
}

/** Node's Buffer has this, although its types leave it out. */
type SlicingBuffer = Buffer & { utf8Slice(start: number, end: number): string }

export const textOf = (value: Buffer): string => (value as SlicingBuffer).utf8Slice(0, value.length)

/** @param absent JSON for a value that was not sent */
export const jsonOf = (value: Value, write: WriteValue, absent: string): string =>
  value === null ? 'null' : value === undefined ? absent : write(textOf(value))

/** `{1,NULL,"a b",{2}}`: the text of an array → a JSON array, nested where it has several dimensions. */
const arrayWriter =
  (element: WriteValue): WriteValue =>
  (text) => {
    let at = text.indexOf('{') // bounds other than 1 stand before it
    const list = (): string => {
      at++
      const items: string[] = []
      for (; text[at] !== '}'; ) {
        if (text[at] === ',') at++
        if (text[at] === '{') items.push(list())
        else if (text[at] === '"') items.push(element(quoted()))
        else {
          const start = at
          while (text[at] !== ',' && text[at] !== '}') at++
          const item = text.slice(start, at)
          items.push(item === 'NULL' ? 'null' : element(item))
        }
      }
      at++
      return `[${items.join(',')}]`
    }
    const quoted = (): string => {
      let item = ''
      for (at++; text[at] !== '"'; at++) {
        if (text[at] === '\\') at++
        item += text[at]
      }
      at++
      return item
    }
    return list()
  }
