/**
 * Decompresses LZ4 frames, as Kafka's producers write them: no package for it is both kept up and free of native code.
 * Source: the LZ4 frame format 1.6.x and block format specifications (lz4.org). Checksums are stepped over: Kafka's own CRC covers the batch.
 */

const MAGIC = 0x184d2204
const LEGACY_OR_OTHER = 'it does not begin with the magic number of an LZ4 frame'

/** @throws Error when the bytes are not a whole LZ4 frame, or hold more than `maxBytes` */
export function decompressLz4Frame(input: Buffer, maxBytes: number): Buffer {
  const fail = (what: string): never => {
    throw new Error(`A batch in LZ4 can't be read: ${what}.`)
  }
  if (input.length < 7 || input.readUInt32LE(0) !== MAGIC) fail(LEGACY_OR_OTHER)
  const flags = input[4]!
  if (flags >> 6 !== 1) fail(`its version is ${flags >> 6}, not 1`)
  const blockChecksum = (flags & 0x10) !== 0
  // Content size, 8 bytes, and dictionary id, 4 bytes, where the flags say so; then a byte of header checksum.
  let at = 6 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0) + 1
  let output = Buffer.allocUnsafe(Math.min(Math.max(input.length * 4, 64 * 1024), maxBytes))
  let length = 0
  const reserve = (more: number): void => {
    if (length + more <= output.length) return
    if (length + more > maxBytes) fail(`it holds more than ${maxBytes} bytes`)
    const larger = Buffer.allocUnsafe(Math.min(Math.max(length + more, output.length * 2), maxBytes))
    output.copy(larger, 0, 0, length)
    output = larger
  }

  for (;;) {
    if (at + 4 > input.length) fail('it ends in the middle')
    const header = input.readUInt32LE(at)
    at += 4
    if (header === 0) return output.subarray(0, length)
    const size = header & 0x7fffffff
    const end = at + size
    if (end > input.length) fail('it ends in the middle')
    if (header >>> 31 === 1) {
      reserve(size)
      length += input.copy(output, length, at, end)
    } else block(at, end)
    at = end + (blockChecksum ? 4 : 0)
  }

  /** Sequences of literals and matches; a match may reach back into earlier blocks. */
  function block(from: number, end: number): void {
    let i = from
    const extended = (nibble: number): number => {
      let value = nibble
      if (nibble === 15) {
        let byte = 255
        while (byte === 255) {
          if (i >= end) fail('it ends in the middle')
          byte = input[i++]!
          value += byte
        }
      }
      return value
    }
    while (i < end) {
      const token = input[i++]!
      const literals = extended(token >> 4)
      if (i + literals > end) fail('it ends in the middle')
      reserve(literals)
      length += input.copy(output, length, i, i + literals)
      i += literals
      if (i >= end) return // the last sequence has no match
      if (i + 2 > end) fail('it ends in the middle')
      const distance = input.readUInt16LE(i)
      i += 2
      const size = extended(token & 15) + 4
      if (distance === 0 || distance > length) fail('a match begins before the data')
      reserve(size)
      // Byte for byte: a match may overlap what it writes.
      for (let k = 0; k < size; k++, length++) output[length] = output[length - distance]!
    }
  }
}
