/**
 * Redis Cluster's hash slots: which keys lie together, so that one script call may touch them.
 * Source: Redis Cluster specification, "Key distribution model" and "Hash tags"; CRC16 as XMODEM computes it.
 */

export const SLOTS = 16_384

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  return crc
})

/** The slot of a key, 0 to 16383. Where it has `{…}` with something inside, that alone decides. */
export function slotOf(key: string): number {
  const open = key.indexOf('{')
  const close = open < 0 ? -1 : key.indexOf('}', open + 1)
  const bytes = Buffer.from(close > open + 1 ? key.slice(open + 1, close) : key)
  let crc = 0
  for (const byte of bytes) crc = ((crc << 8) & 0xffff) ^ TABLE[(crc >> 8) ^ byte]!
  return crc % SLOTS
}

let tags: string[] | undefined

/** A hash tag that lies in the slot: the smallest number that does. */
export function tagOf(slot: number): string {
  if (!tags) {
    tags = []
    for (let n = 0, missing = SLOTS; missing > 0; n++) {
      const at = slotOf(String(n))
      if (tags[at] !== undefined) continue
      tags[at] = String(n)
      missing--
    }
  }
  return tags[slot]!
}
