/**
 * JSON whose integers stay exact: other engines' snapshot ids use 63 bits, which JSON.parse would silently change.
 *
 * Invariant of the whole library: a `Long` is a number where it is safe and a bigint elsewhere, never the other way round, so that `===`, `<` and Map keys work.
 */
import { isLosslessNumber, parse, stringify } from 'lossless-json'

/** A 64-bit integer: number if safe, else bigint. */
export type Long = number | bigint

export function toLong(value: bigint | number): Long {
  const narrow = Number(value)
  return Number.isSafeInteger(narrow) ? narrow : BigInt(value)
}

const parseNumber = (text: string): Long => {
  const narrow = Number(text)
  return Number.isSafeInteger(narrow) || !/^-?\d+$/.test(text) ? narrow : BigInt(text)
}

/** @throws SyntaxError when the text is not JSON */
export function parseJson(text: string): unknown {
  // Sixteen digits are the shortest number that may be unsafe; without one the built-in parser is exact, and ten times as fast.
  return /\d{16}/.test(text) ? parse(text, null, parseNumber) : JSON.parse(text)
}

export function stringifyJson(value: unknown): string {
  const text = hasBigint(value) ? stringify(value) : JSON.stringify(value)
  if (text === undefined) throw new TypeError('There is no JSON for undefined.')
  return text
}

function hasBigint(value: unknown): boolean {
  if (typeof value === 'bigint' || isLosslessNumber(value)) return true
  if (typeof value !== 'object' || value === null) return false
  return Array.isArray(value) ? value.some(hasBigint) : Object.values(value).some(hasBigint)
}
