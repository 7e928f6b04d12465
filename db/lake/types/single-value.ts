/**
 * Single values as bytes: how Iceberg stores column bounds and partition summaries (spec, Appendix D).
 *
 * Readers prune by these bytes: a wrong one loses rows silently. Invariant: `fromBytes(type, toBytes(type, v))` is v, and bytes that were written before a column was
 * widened (int to long, float to double) are still understood.
 */
import { type Primitive, primitiveOf, type Value } from './types.ts'

/** @throws Error when the value is not one of the type */
export function toBytes(type: string, value: Value): Buffer {
  const primitive = primitiveOf(type)
  switch (primitive.kind) {
    case 'boolean':
      return Buffer.from([value ? 1 : 0])
    case 'int':
    case 'date': {
      const bytes = Buffer.allocUnsafe(4)
      bytes.writeInt32LE(Number(value))
      return bytes
    }
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz': {
      const bytes = Buffer.allocUnsafe(8)
      bytes.writeBigInt64LE(BigInt(value as number | bigint))
      return bytes
    }
    case 'float': {
      const bytes = Buffer.allocUnsafe(4)
      bytes.writeFloatLE(Number(value))
      return bytes
    }
    case 'double': {
      const bytes = Buffer.allocUnsafe(8)
      bytes.writeDoubleLE(Number(value))
      return bytes
    }
    case 'decimal':
      return decimalToBytes(BigInt(value as number | bigint))
    case 'string':
      return Buffer.from(String(value), 'utf8')
    case 'uuid':
      return uuidToBytes(String(value))
    case 'fixed':
    case 'binary':
      return Buffer.from(value as Uint8Array)
  }
}

/** @throws Error when the bytes have a length that the type can't have */
export function fromBytes(type: string, bytes: Uint8Array): Value {
  const primitive = primitiveOf(type)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  checkLength(primitive, buffer.length)
  switch (primitive.kind) {
    case 'boolean':
      return buffer[0] !== 0
    case 'int':
    case 'date':
      return buffer.readInt32LE()
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return buffer.length === 4 ? BigInt(buffer.readInt32LE()) : buffer.readBigInt64LE()
    case 'float':
      return buffer.readFloatLE()
    case 'double':
      return buffer.length === 4 ? buffer.readFloatLE() : buffer.readDoubleLE()
    case 'decimal':
      return decimalFromBytes(buffer)
    case 'string':
      return buffer.toString('utf8')
    case 'uuid':
      return uuidFromBytes(buffer)
    case 'fixed':
    case 'binary':
      return buffer
  }
}

const LENGTHS: Partial<Record<Primitive['kind'], readonly number[]>> = {
  boolean: [1],
  int: [4],
  date: [4],
  long: [4, 8],
  time: [8],
  timestamp: [8],
  timestamptz: [8],
  float: [4],
  double: [4, 8],
  uuid: [16],
}

function checkLength({ kind }: Primitive, length: number): void {
  if (LENGTHS[kind]?.includes(length) ?? true) return
  throw new Error(`${length} bytes can't be a value of the type ${kind}.`)
}

/** Two's complement, big-endian, in as few bytes as hold it. */
export function decimalToBytes(unscaled: bigint): Buffer {
  const magnitude = unscaled < 0n ? -unscaled - 1n : unscaled
  const length = Math.floor(magnitude === 0n ? 0 : magnitude.toString(2).length / 8) + 1
  return decimalToFixed(unscaled, length)
}

/** Two's complement, big-endian, in exactly `length` bytes. */
export const decimalToFixed = (unscaled: bigint, length: number): Buffer =>
  Buffer.from(
    BigInt.asUintN(length * 8, unscaled)
      .toString(16)
      .padStart(length * 2, '0'),
    'hex',
  )

export const decimalFromBytes = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`))

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
export const isUuid = (text: string): boolean => UUID.test(text)

export function uuidToBytes(text: string): Buffer {
  if (!isUuid(text)) throw new Error(`${JSON.stringify(text.slice(0, 100))} is not a UUID.`)
  return Buffer.from(text.replaceAll('-', ''), 'hex')
}

export function uuidFromBytes(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
