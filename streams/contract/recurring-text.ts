/** Texts of fields that have few values (regions, devices, categories) are looked up by their bytes instead of made anew. */

const BYTES_MAX = 40
/** Bounds the memory of recurring texts. A power of two. */
const SLOTS = 4_096

/** Node's Buffer has these, faster than `toString`, although its types leave them out. */
export type SlicingBuffer = Buffer & {
  latin1Slice(start: number, end: number): string
  utf8Slice(start: number, end: number): string
}

const known = new Array<string>(SLOTS).fill('')

/** The UTF-8 text of the bytes from `start` to `end`. */
export function recurringText(bytes: SlicingBuffer, start: number, end: number): string {
  const length = end - start
  if (length > BYTES_MAX) return bytes.utf8Slice(start, end)
  let hash = length
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte > 0x7f) return bytes.utf8Slice(start, end)
    hash = Math.imul(hash ^ byte, 0x01000193)
  }
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1)
  const candidate = known[slot]!
  if (candidate.length === length && isText(bytes, start, candidate)) return candidate
  const text = bytes.latin1Slice(start, end)
  known[slot] = text
  return text
}

function isText(bytes: Buffer, start: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false
  return true
}
