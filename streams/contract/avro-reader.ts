/**
 * Reads Avro records of a schema that is known when the process starts: a function compiled for it. Values that an older or newer schema has
 * written go through avsc, which resolves between schemas; nearly all are of this version's own.
 *
 * Invariants: the same values as avsc; bytes that are no record of the schema throw. Texts of fields that have few values (regions, devices)
 * are looked up instead of made anew.
 */
import type { Schema } from 'avsc'
import { recurringText, type SlicingBuffer } from './recurring-text.ts'

/** Fields of few values. Pages and products are too many: measured, looking them up costs more than making them. */
const RECURRING = new Set(['category', 'region', 'device', 'currency'])

/** What a compiled reader calls: a place in some bytes that moves on. */
class Cursor {
  bytes = Buffer.alloc(0) as SlicingBuffer
  at = 0

  long(): number {
    const { bytes } = this
    let n = 0
    let shift = 0
    let byte: number
    do {
      byte = bytes[this.at++]!
      n |= (byte & 0x7f) << shift
      shift += 7
    } while (byte >= 0x80 && shift < 28)
    if (!(byte >= 0x80)) return (n >>> 1) ^ -(n & 1)
    // Beyond 28 bits in floating point, which has 53.
    let unit = 2 ** 28
    do {
      byte = bytes[this.at++]!
      n += (byte & 0x7f) * unit
      unit *= 128
    } while (byte >= 0x80)
    const value = n % 2 === 0 ? n / 2 : -(n + 1) / 2
    if (!Number.isSafeInteger(value)) throw new RangeError('an integer is too large')
    return value
  }

  /** Moves over a text. @returns where it begins */
  #over(): number {
    const length = this.long()
    const start = this.at
    this.at += length
    if (length < 0 || !(this.at <= this.bytes.length)) throw new RangeError('a text goes beyond the end')
    return start
  }

  text(): string {
    const start = this.#over()
    return this.bytes.utf8Slice(start, this.at)
  }

  /** Moves over a text that nobody reads. */
  skip(): string {
    this.#over()
    return ''
  }

  /** The same for one that may be missing. */
  skipped(): null {
    if (this.isThere()) this.#over()
    return null
  }

  recurring(): string {
    const start = this.#over()
    return recurringText(this.bytes, start, this.at)
  }

  symbol(symbols: readonly string[]): string {
    const symbol = symbols[this.long()]
    if (symbol === undefined) throw new RangeError('there is no such symbol')
    return symbol
  }

  boolean(): boolean {
    const byte = this.bytes[this.at++]
    if (byte === undefined) throw new RangeError('a truth value goes beyond the end')
    return byte !== 0
  }

  /** Of a union of null and something. */
  isThere(): boolean {
    const branch = this.long()
    if (branch !== 0 && branch !== 1) throw new RangeError('there is no such branch of a union')
    return branch === 1
  }
}

type FieldType = string | readonly FieldType[] | { type: string; symbols?: readonly string[] }
interface RecordSchema {
  fields: readonly { name: string; type: FieldType }[]
}

/**
 * @param schema a record of texts, longs, booleans, enums, and unions of null with one of these
 * @param reads the fields that are looked at; others come out as null, or as '' for a text that must be there. All of them when missing
 * @returns reads the record that begins at `start` and ends with the bytes; throws RangeError where they hold none
 * @throws Error when the schema has anything else
 */
export function compileReader<R>(schema: Schema, reads?: ReadonlySet<string>): (bytes: Buffer, start: number) => R {
  const enums: (readonly string[])[] = []
  const expression = (name: string, type: FieldType): string => {
    const isRead = !reads || reads.has(name)
    if (type === 'string' && !isRead) return 'cursor.skip()'
    if (type === 'string') return RECURRING.has(name) ? 'cursor.recurring()' : 'cursor.text()'
    if (type === 'long') return 'cursor.long()'
    if (type === 'boolean') return 'cursor.boolean()'
    if (isUnion(type)) {
      const [none, some, ...more] = type
      if (none === 'null' && some !== undefined && more.length === 0) {
        if (some === 'string' && !isRead) return 'cursor.skipped()'
        return `cursor.isThere() ? ${expression(name, some)} : null`
      }
    } else if (typeof type === 'object') {
      if (type.symbols) return `cursor.symbol(enums[${enums.push(type.symbols) - 1}])`
      return expression(name, type.type)
    }
    throw new Error(`No reader can be compiled for the field ${name}: ${JSON.stringify(type)}`)
  }
  // An object literal evaluates its members in order, and all records get one shape.
  const { fields } = schema as unknown as RecordSchema
  const members = fields.map(({ name, type }) => `${JSON.stringify(name)}: ${expression(name, type)}`)
  const read = new Function('cursor', 'enums', `return { ${members.join(', ')} }`) as (c: Cursor, e: unknown) => R
  const cursor = new Cursor()
  return (bytes, start) => {
    cursor.bytes = bytes as SlicingBuffer
    cursor.at = start
    const record = read(cursor, enums)
    if (cursor.at !== bytes.length) throw new RangeError(`${bytes.length - cursor.at} bytes too many or too few`)
    return record
  }
}

const isUnion = (type: FieldType): type is readonly FieldType[] => Array.isArray(type)
