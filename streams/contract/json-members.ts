/**
 * The members of a JSON object as places in its bytes, found in one pass. Only for objects as machines write them: flat, without escapes, each member once, numbers
 * that floating point keeps as they are written. Invariant: what is not so is not taken, so that nothing is read otherwise than JSON.parse reads it.
 */
import { isUtf8 } from 'node:buffer'
import { recurringText, type SlicingBuffer } from './recurring-text.ts'

/** What a member may be; null may always be there. */
export type MemberKind = 'text' | 'number' | 'time' | 'null'
export interface MemberSpec {
  name: string
  kind: MemberKind
  /** Of a text, in bytes. */
  min?: number
  max?: number
}

const [QUOTE, COLON, COMMA, OPEN, CLOSE, BACKSLASH, SPACE] = [0x22, 0x3a, 0x2c, 0x7b, 0x7d, 0x5c, 0x20] as const
const [DIGIT_0, DIGIT_9, POINT, LETTER_N] = [0x30, 0x39, 0x2e, 0x6e] as const
/** A mantissa of so many digits over a power of ten is exact before and after the division: it gives the number that the text means. */
const DIGITS_MAX = 15
const POWERS = Array.from({ length: DIGITS_MAX + 1 }, (_, n) => 10 ** n)
/** More members than events have are nobody's business here. */
const MEMBERS_MAX = 40

const ABSENT = 0
const NULL = 1
const TEXT = 2
const NUMBER = 4
const ALLOWED: Readonly<Record<MemberKind, number>> = {
  text: NULL | TEXT,
  number: NULL | NUMBER,
  time: NULL | TEXT | NUMBER,
  null: NULL,
}

interface Field {
  /** Its name in quotes. */
  quoted: SlicingBuffer
  /** Place in the specs; −1 for a member that is none of them. */
  slot: number
  allowed: number
  min: number
  max: number
}

export class JsonMembers {
  /** Members that are none of the specs, as JSON text without braces. */
  extra = ''
  #bytes = Buffer.alloc(0) as SlicingBuffer
  #isAscii = true
  readonly #kinds: Uint8Array
  readonly #starts: Int32Array
  readonly #ends: Int32Array
  readonly #known: ReadonlyMap<string, Field>
  readonly #keepExtra: boolean
  /** The fields in the order of the last object: mostly also that of the next. */
  readonly #order: (Field | undefined)[] = new Array(MEMBERS_MAX).fill(undefined)

  /** @param keepExtra whether members that are none of the specs are wanted, or only have to be JSON */
  constructor(specs: readonly MemberSpec[], keepExtra: boolean) {
    this.#known = new Map(
      specs.map(({ name, kind, min = 0, max = 0 }, slot) => [
        name,
        { quoted: quote(name), slot, allowed: ALLOWED[kind], min, max },
      ]),
    )
    this.#keepExtra = keepExtra
    this.#kinds = new Uint8Array(specs.length)
    this.#starts = new Int32Array(specs.length)
    this.#ends = new Int32Array(specs.length)
  }

  /** Reads one object; what it found is there until the next. @returns false for an object that is not taken */
  scan(bytes: Buffer): boolean {
    this.#bytes = bytes as SlicingBuffer
    this.#kinds.fill(ABSENT)
    this.extra = ''
    this.#isAscii = true
    const last = bytes.length - 1
    if (bytes[0] !== OPEN || bytes[last] !== CLOSE) return false
    let at = 1
    for (let member = 0; member < MEMBERS_MAX; member++) {
      while (bytes[at] === SPACE) at++
      const field = this.#fieldAt(at, member, last)
      if (!field) return false
      at += field.quoted.length
      while (bytes[at] === SPACE) at++
      if (bytes[at++] !== COLON) return false
      while (bytes[at] === SPACE) at++
      at = this.#value(field, at, last)
      if (at < 0) return false
      while (bytes[at] === SPACE) at++
      if (at === last) return this.#isAscii || isUtf8(bytes)
      if (bytes[at++] !== COMMA) return false
    }
    return false
  }

  #fieldAt(at: number, member: number, last: number): Field | undefined {
    const bytes = this.#bytes
    const expected = this.#order[member]
    if (expected) {
      const { quoted } = expected
      const { length } = quoted
      let same = 0
      while (same < length && bytes[at + same] === quoted[same]) same++
      if (same === length) return expected
    }
    if (bytes[at] !== QUOTE) return undefined
    let end = at + 1
    while (end < last && bytes[end] !== QUOTE) end++
    const name = bytes.latin1Slice(at + 1, end)
    // Others may be escaped, or be numbers, which an object puts in an order of its own.
    if (!/^[a-z][\w.-]{0,99}$/i.test(name)) return undefined
    const field = this.#known.get(name) ?? {
      quoted: quote(name),
      slot: -1,
      allowed: NULL | TEXT | NUMBER,
      min: 0,
      max: 0,
    }
    this.#order[member] = field
    return field
  }

  /** @returns where it ends, or −1 */
  #value(field: Field, start: number, last: number): number {
    const bytes = this.#bytes
    const { slot, allowed } = field
    const first = bytes[start]!
    if (first === QUOTE) {
      const from = start + 1
      let at = from
      for (let byte = bytes[at]!; byte !== QUOTE; byte = bytes[++at]!) {
        if (byte === BACKSLASH || byte < SPACE || at >= last) return -1
        if (byte > 0x7f) this.#isAscii = false
      }
      if (slot < 0) return this.#keepAside(field, start, at + 1)
      if ((allowed & TEXT) === 0 || at - from < field.min || at - from > field.max) return -1
      return this.#keep(slot, TEXT, from, at) ? at + 1 : -1
    }
    if (first === LETTER_N) {
      if (bytes[start + 1] !== 0x75 || bytes[start + 2] !== 0x6c || bytes[start + 3] !== 0x6c) return -1
      if (slot < 0) return this.#keepAside(field, start, start + 4)
      return this.#keep(slot, NULL, start, start) ? start + 4 : -1
    }
    const end = numberEnd(bytes, start)
    if (end < 0 || (allowed & NUMBER) === 0) return -1
    if (slot < 0) return this.#keepAside(field, start, end)
    return this.#keep(slot, NUMBER, start, end) ? end : -1
  }

  /** @returns false where the member was there already */
  #keep(slot: number, kind: number, start: number, end: number): boolean {
    if (this.#kinds[slot] !== ABSENT) return false
    this.#kinds[slot] = kind
    this.#starts[slot] = start
    this.#ends[slot] = end
    return true
  }

  #keepAside(field: Field, start: number, end: number): number {
    if (!this.#keepExtra) return end
    const bytes = this.#bytes
    // JSON.stringify may write a decimal otherwise; and of two members the names would have to be compared.
    if (this.extra !== '' || !this.#isAscii) return -1
    if (bytes[start] !== QUOTE) for (let at = start; at < end; at++) if (bytes[at] === POINT) return -1
    this.extra = `${field.quoted.latin1Slice(0, field.quoted.length)}:${bytes.latin1Slice(start, end)}`
    return end
  }

  /** Null where there is none, or null. */
  text(slot: number): string | null {
    if (this.#kinds[slot] !== TEXT) return null
    const start = this.#starts[slot]!
    const end = this.#ends[slot]!
    return this.#isAscii ? this.#bytes.latin1Slice(start, end) : this.#bytes.utf8Slice(start, end)
  }

  /** The same, for a member that has few values. */
  recurring(slot: number): string | null {
    return this.#kinds[slot] === TEXT ? recurringText(this.#bytes, this.#starts[slot]!, this.#ends[slot]!) : null
  }

  isText(slot: number): boolean {
    return this.#kinds[slot] === TEXT
  }

  isNumber(slot: number): boolean {
    return this.#kinds[slot] === NUMBER
  }

  /** Of a member that {@link isNumber}. */
  number(slot: number): number {
    const bytes = this.#bytes
    const end = this.#ends[slot]!
    let mantissa = 0
    let decimals = -1
    for (let at = this.#starts[slot]!; at < end; at++) {
      const byte = bytes[at]!
      if (byte === POINT) decimals = 0
      else {
        mantissa = mantissa * 10 + byte - DIGIT_0
        if (decimals >= 0) decimals++
      }
    }
    return decimals > 0 ? mantissa / POWERS[decimals]! : mantissa
  }

  /** Of a text in the form `YYYY-MM-DDTHH:MM:SS.mmmZ`: milliseconds of its day; −1 for any other. */
  msOfDay(slot: number): number {
    const bytes = this.#bytes
    const start = this.#starts[slot]!
    if (this.#kinds[slot] !== TEXT || this.#ends[slot]! - start !== 24) return -1
    const isForm =
      bytes[start + 10] === 0x54 && // T
      bytes[start + 13] === COLON &&
      bytes[start + 16] === COLON &&
      bytes[start + 19] === POINT &&
      bytes[start + 23] === 0x5a // Z
    if (!isForm) return -1
    const hour = twoDigits(bytes, start + 11)
    const minute = twoDigits(bytes, start + 14)
    const second = twoDigits(bytes, start + 17)
    const centis = twoDigits(bytes, start + 20)
    const millis = bytes[start + 22]! - DIGIT_0
    if (!(hour < 24 && minute < 60 && second < 60 && centis < 100 && millis >= 0 && millis < 10)) return -1
    return ((hour * 60 + minute) * 60 + second) * 1000 + centis * 10 + millis
  }

  /** Whether a text begins with these ASCII bytes. */
  beginsWith(slot: number, prefix: Uint8Array): boolean {
    const start = this.#starts[slot]!
    for (let i = 0; i < prefix.length; i++) if (this.#bytes[start + i] !== prefix[i]) return false
    return this.#kinds[slot] === TEXT && this.#ends[slot]! - start >= prefix.length
  }
}

const quote = (name: string): SlicingBuffer => Buffer.from(`"${name}"`) as SlicingBuffer

const isDigit = (byte: number): boolean => byte >= DIGIT_0 && byte <= DIGIT_9

/** Digits, perhaps a point and digits, no more than a number keeps; −1 for any other. An exponent is met by whoever looks for the comma. */
function numberEnd(bytes: Buffer, start: number): number {
  let end = start
  while (isDigit(bytes[end]!)) end++
  if (end === start || (bytes[start] === DIGIT_0 && end > start + 1)) return -1
  if (bytes[end] === POINT) {
    const point = end++
    while (isDigit(bytes[end]!)) end++
    if (end === point + 1) return -1
  }
  return end - start > DIGITS_MAX ? -1 : end
}

/** 100 where there aren't two digits. */
function twoDigits(bytes: Buffer, at: number): number {
  const tens = bytes[at]! - DIGIT_0
  const ones = bytes[at + 1]! - DIGIT_0
  return tens >= 0 && tens < 10 && ones >= 0 && ones < 10 ? tens * 10 + ones : 100
}
