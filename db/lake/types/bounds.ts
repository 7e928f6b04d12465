/**
 * Bounds of columns: order of values, and the shortening of long ones.
 *
 * Invariant: a shortened lower bound is never above a value it bounds, a shortened upper bound never below one; where no such upper bound exists there is none.
 * Order is that of Iceberg: numbers by value, strings by their UTF-8 bytes (JavaScript's order of UTF-16 units is another one), bytes unsigned.
 */
import { fromBytes, toBytes, uuidToBytes } from './single-value.ts'
import { primitiveOf, type Value } from './types.ts'

/** What Iceberg's writers use by default: `truncate(16)`. */
export const BOUND_LENGTH = 16

/** Negative when a is below b. Both are values of the type. */
export function compareValues(type: string, a: Value, b: Value): number {
  switch (primitiveOf(type).kind) {
    case 'string':
      return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)))
    case 'uuid':
      return Buffer.compare(uuidToBytes(String(a)), uuidToBytes(String(b)))
    case 'fixed':
    case 'binary':
      return Buffer.compare(a as Uint8Array, b as Uint8Array)
    default:
      return a < b ? -1 : a > b ? 1 : 0
  }
}

/** @returns bytes for the manifest; strings and binary shortened to `length` code points or bytes */
export function lowerBound(type: string, value: Value, length = BOUND_LENGTH): Buffer {
  const { kind } = primitiveOf(type)
  if (kind === 'string') return toBytes(type, firstCodePoints(String(value), length))
  if (kind === 'binary') return toBytes(type, (value as Uint8Array).subarray(0, length))
  // The spec's order has -0 before 0, and readers may compare with either.
  if (value === 0 && (kind === 'float' || kind === 'double')) return toBytes(type, -0)
  return toBytes(type, value)
}

/** @returns bytes for the manifest, or null where every bound that is short enough would lie below the value */
export function upperBound(type: string, value: Value, length = BOUND_LENGTH): Buffer | null {
  const { kind } = primitiveOf(type)
  if (kind === 'string') {
    const rounded = roundUpString(String(value), length)
    return rounded === null ? null : toBytes(type, rounded)
  }
  if (kind === 'binary') return roundUpBytes(value as Uint8Array, length)
  if (value === 0 && (kind === 'float' || kind === 'double')) return toBytes(type, 0)
  return toBytes(type, value)
}

/** Whether a bound's bytes can be read as the type; foreign statistics that can't are not used for pruning. */
export function readBound(type: string, bytes: Uint8Array | undefined): Value | undefined {
  if (!bytes) return undefined
  try {
    return fromBytes(type, bytes)
  } catch {
    return undefined
  }
}

function firstCodePoints(text: string, count: number): string {
  if (text.length <= count) return text
  let end = 0
  for (let i = 0; i < count && end < text.length; i++) end += text.codePointAt(end)! > 0xffff ? 2 : 1
  return text.slice(0, end)
}

function roundUpString(text: string, length: number): string | null {
  const start = firstCodePoints(text, length)
  if (start.length === text.length) return text
  const points = [...start].map((point) => point.codePointAt(0)!)
  for (let i = points.length - 1; i >= 0; i--) {
    const next = points[i] === 0xd7ff ? 0xe000 : points[i]! + 1
    if (next <= 0x10ffff) return String.fromCodePoint(...points.slice(0, i), next)
  }
  return null
}

function roundUpBytes(bytes: Uint8Array, length: number): Buffer | null {
  if (bytes.length <= length) return Buffer.from(bytes)
  for (let i = length - 1; i >= 0; i--) {
    if (bytes[i] === 0xff) continue
    const rounded = Buffer.from(bytes.subarray(0, i + 1))
    rounded[i] = rounded[i]! + 1
    return rounded
  }
  return null
}
