/**
 * Partition transforms: a column's value gives the partition's value. Pure.
 *
 * Invariant: every one but bucket and void keeps the order of values, so ranges of a column become ranges of partitions.
 * Source: https://iceberg.apache.org/spec/#partition-transforms and Appendix B (hashes).
 */
import { murmur3 } from './murmur3.ts'
import { decimalToBytes, uuidToBytes } from './single-value.ts'
import { type IcebergType, primitiveOf, type Value } from './types.ts'

export type Transform =
  | { readonly kind: 'identity' | 'year' | 'month' | 'day' | 'hour' | 'void' }
  | { readonly kind: 'bucket' | 'truncate'; readonly width: number }
  | { readonly kind: 'unknown' }

const DAY_US = 86_400_000_000n
const HOUR_US = 3_600_000_000n

/** A transform we don't know is no error: its partitions are kept, and never used for pruning. */
export function parseTransform(text: string): Transform {
  if (/^(identity|year|month|day|hour|void)$/.test(text)) return { kind: text as 'identity' }
  const [, kind, width] = /^(bucket|truncate)\[(\d+)\]$/.exec(text) ?? []
  if (kind && Number(width) > 0) return { kind: kind as 'bucket', width: Number(width) }
  return { kind: 'unknown' }
}

/** @throws Error when the transform does not go with the type */
export function resultType(transform: Transform, type: IcebergType): string {
  const { kind } = primitiveOf(type)
  const timed = kind === 'date' || kind === 'timestamp' || kind === 'timestamptz'
  const refuse = (): never => {
    throw new Error(`The transform ${transform.kind} can't be used on the type ${kind}.`)
  }
  switch (transform.kind) {
    case 'bucket':
      return kind === 'boolean' || kind === 'float' || kind === 'double' ? refuse() : 'int'
    case 'hour':
      return timed && kind !== 'date' ? 'int' : refuse()
    case 'day':
      return timed ? 'date' : refuse()
    case 'month':
    case 'year':
      return timed ? 'int' : refuse()
    case 'truncate':
      return ['int', 'long', 'decimal', 'string', 'binary'].includes(kind) ? (type as string) : refuse()
    case 'unknown':
      return 'string'
    default:
      return type as string
  }
}

/** @returns null for null, and for `void`. Days, months, years and hours count from 1970. */
export function applyTransform(transform: Transform, type: IcebergType, value: Value | null): Value | null {
  if (value === null) return null
  switch (transform.kind) {
    case 'identity':
      return value
    case 'void':
      return null
    case 'bucket':
      return (hashOf(type, value) & 0x7fffffff) % transform.width
    case 'truncate':
      return truncate(type, value, transform.width)
    case 'hour':
      return Number(floorDivide(BigInt(value as bigint), HOUR_US))
    case 'day':
      return daysOf(type, value)
    case 'month': {
      const date = new Date(daysOf(type, value) * 86_400_000)
      return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth()
    }
    case 'year':
      return new Date(daysOf(type, value) * 86_400_000).getUTCFullYear() - 1970
    case 'unknown':
      throw new Error('The table is partitioned by a transform that is not known here; it can be read, not written.')
  }
}

const floorDivide = (a: bigint, b: bigint): bigint => (a - (((a % b) + b) % b)) / b

const daysOf = (type: IcebergType, value: Value): number =>
  primitiveOf(type).kind === 'date' ? Number(value) : Number(floorDivide(BigInt(value as bigint), DAY_US))

function truncate(type: IcebergType, value: Value, width: number): Value {
  const { kind } = primitiveOf(type)
  if (kind === 'string') return [...String(value)].slice(0, width).join('')
  if (kind === 'binary') return (value as Uint8Array).subarray(0, width)
  if (kind === 'int') return Number(value) - (((Number(value) % width) + width) % width)
  return floorDivide(BigInt(value as bigint), BigInt(width)) * BigInt(width)
}

function hashOf(type: IcebergType, value: Value): number {
  switch (primitiveOf(type).kind) {
    case 'int':
    case 'long':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'timestamptz': {
      const bytes = Buffer.allocUnsafe(8)
      bytes.writeBigInt64LE(BigInt(value as bigint))
      return murmur3(bytes)
    }
    case 'decimal':
      return murmur3(decimalToBytes(BigInt(value as bigint)))
    case 'string':
      return murmur3(Buffer.from(String(value)))
    case 'uuid':
      return murmur3(uuidToBytes(String(value)))
    default:
      return murmur3(value as Uint8Array)
  }
}
