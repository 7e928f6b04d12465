/** Murmur3, 32 bits, x86 variant, seed 0: the hash of Iceberg's bucket transform (spec, Appendix B). */

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by))
const scramble = (k: number): number => Math.imul(rotate(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593)

/** @returns the hash as a signed 32-bit integer */
export function murmur3(bytes: Uint8Array): number {
  const words = bytes.length - (bytes.length % 4)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let hash = 0
  for (let i = 0; i < words; i += 4)
    hash = (Math.imul(rotate(hash ^ scramble(view.getInt32(i, true)), 13), 5) + 0xe6546b64) | 0
  let tail = 0
  for (let i = bytes.length - 1; i >= words; i--) tail = (tail << 8) | (bytes[i] ?? 0)
  if (words < bytes.length) hash ^= scramble(tail)
  hash ^= bytes.length
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) | 0
}
