/** Avro's long for avsc, exact over all 64 bits: number where that is safe, else bigint. avsc's own type throws beyond 2^53. */
import avro from 'avsc'
import { type Long, toLong } from '../types/json.ts'

const TWO_32 = 2 ** 32
const valid = (value: unknown): value is Long => typeof value === 'bigint' || Number.isSafeInteger(value)

/** One per registry: avsc ties a type to the schema that it belongs to. */
export const longType = (): avro.Type =>
  avro.types.LongType.__with({
    fromBuffer(bytes: Buffer): Long {
      const high = bytes.readInt32LE(4)
      const low = bytes.readUInt32LE(0)
      return high < 0x1fffff && high > -0x200000 ? high * TWO_32 + low : toLong(bytes.readBigInt64LE())
    },
    toBuffer(value: Long): Buffer {
      const bytes = Buffer.allocUnsafe(8)
      bytes.writeBigInt64LE(BigInt(value))
      return bytes
    },
    fromJSON: (value: Long) => value,
    toJSON: (value: Long) => value,
    isValid: valid,
    compare: (a: Long, b: Long) => (a < b ? -1 : a > b ? 1 : 0),
  })
