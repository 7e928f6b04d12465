/**
 * Records of a few dozen bytes in chunks outside the JavaScript heap: millions of them cost the garbage collector nothing.
 *
 * Under `packed-state.ts`, which says which records are alive. Append-only: a record that has been released leaves a hole, and chunks that are mostly holes
 * are rewritten when a new chunk would be needed. Invariant: holes are at most about a fifth of what is held, but for {@link SPARE_CHUNKS}.
 *
 * A record, at a multiple of 8 bytes: owner (u32) · length of value (u16) · of key (u16) · of name (u16) · name · value. The key is the name's beginning.
 */
const CHUNK_BYTES = 128 * 1024
const UNIT = 8
const UNITS_PER_CHUNK = CHUNK_BYTES / UNIT
const HEADER_BYTES = 10
/** Texts and values beyond this stay objects. */
export const PART_BYTES_MAX = 16 * 1024
const SPARE_CHUNKS = 2
/** Less holds less and copies more: each record is then moved some four times while all are rewritten once. */
const HELD_PER_USED = 1.25

interface Chunk {
  bytes: Buffer
  words: Uint32Array
  halves: Uint16Array
  /** What is not holes. */
  usedBytes: number
  /** Where its last record ends, once it is full; 0 while it is free. */
  end: number
}

export class Slab {
  readonly #chunks: Chunk[] = []
  readonly #free: number[] = []
  #current = -1
  #end = CHUNK_BYTES
  #usedBytes = 0
  readonly #placeOf: (owner: number) => number
  readonly #moved: (owner: number, place: number) => void

  /** @param placeOf where an owner's record lies, or anything else when it has none @param moved its record lies there now */
  constructor(placeOf: (owner: number) => number, moved: (owner: number, place: number) => void) {
    this.#placeOf = placeOf
    this.#moved = moved
  }

  /** Of all chunks, in bytes. */
  get heldBytes(): number {
    return (this.#chunks.length - this.#free.length) * CHUNK_BYTES
  }

  /**
   * Appends a record.
   * @param encode writes the value at a position; @returns where it ends, or a negative number when it doesn't fit, as avsc does
   * @returns its place, or −1 when the value is larger than {@link PART_BYTES_MAX}
   */
  append(
    owner: number,
    name: Uint8Array,
    nameBytes: number,
    keyBytes: number,
    encode: (into: Buffer, at: number) => number,
  ): number {
    for (let attempt = 0; attempt < 4; attempt++) {
      const start = this.#end
      const valueAt = start + HEADER_BYTES + nameBytes
      if (valueAt < CHUNK_BYTES) {
        const chunk = this.#chunks[this.#current]!
        const end = encode(chunk.bytes, valueAt)
        if (end >= 0) {
          const valueBytes = end - valueAt
          if (valueBytes > PART_BYTES_MAX) return -1
          for (let i = 0; i < nameBytes; i++) chunk.bytes[start + HEADER_BYTES + i] = name[i]!
          this.#header(chunk, start, owner, valueBytes, keyBytes, nameBytes)
          this.#take(chunk, end - start)
          return this.#current * UNITS_PER_CHUNK + start / UNIT
        }
      }
      this.#nextChunk()
    }
    return -1
  }

  #header(chunk: Chunk, start: number, owner: number, valueBytes: number, keyBytes: number, nameBytes: number): void {
    chunk.words[start / 4] = owner
    chunk.halves[start / 2 + 2] = valueBytes
    chunk.halves[start / 2 + 3] = keyBytes
    chunk.halves[start / 2 + 4] = nameBytes
  }

  #take(chunk: Chunk, bytes: number): void {
    const whole = Math.ceil(bytes / UNIT) * UNIT
    chunk.usedBytes += whole
    this.#usedBytes += whole
    this.#end += whole
  }

  release(place: number): void {
    const number = Math.floor(place / UNITS_PER_CHUNK)
    const chunk = this.#chunks[number]!
    const bytes = recordBytes(chunk, (place % UNITS_PER_CHUNK) * UNIT)
    chunk.usedBytes -= bytes
    this.#usedBytes -= bytes
    if (chunk.usedBytes === 0 && number !== this.#current) this.#setFree(number)
  }

  #nextChunk(): void {
    this.#openChunk()
    // A few at a time, so that no single append pays for all.
    for (let n = 0; n < 3; n++) {
      const taken = this.#chunks.length - this.#free.length
      if (taken * CHUNK_BYTES <= SPARE_CHUNKS * CHUNK_BYTES + this.#usedBytes * HELD_PER_USED) return
      const emptiest = this.#emptiest()
      if (emptiest < 0) return
      this.#rewrite(emptiest)
    }
  }

  #openChunk(): void {
    const previous = this.#current
    if (previous >= 0) this.#chunks[previous]!.end = this.#end
    this.#current = this.#free.pop() ?? this.#chunks.push(newChunk()) - 1
    this.#end = 0
    if (previous >= 0 && this.#chunks[previous]!.usedBytes === 0) this.#setFree(previous)
  }

  #setFree(number: number): void {
    this.#chunks[number]!.end = 0
    this.#free.push(number)
  }

  #emptiest(): number {
    let least = CHUNK_BYTES
    let emptiest = -1
    for (let i = 0; i < this.#chunks.length; i++) {
      const used = this.#chunks[i]!.usedBytes
      if (i === this.#current || used === 0 || used >= least) continue
      least = used
      emptiest = i
    }
    return emptiest
  }

  #rewrite(number: number): void {
    const chunk = this.#chunks[number]!
    let left = chunk.usedBytes
    for (let at = 0; left > 0; ) {
      const bytes = recordBytes(chunk, at)
      const owner = chunk.words[at / 4]!
      if (this.#placeOf(owner) === number * UNITS_PER_CHUNK + at / UNIT) {
        if (this.#end + bytes > CHUNK_BYTES) this.#openChunk()
        const into = this.#chunks[this.#current]!
        chunk.bytes.copy(into.bytes, this.#end, at, at + bytes)
        this.#moved(owner, this.#current * UNITS_PER_CHUNK + this.#end / UNIT)
        this.#take(into, bytes)
        left -= bytes
      }
      at += bytes
    }
    this.#usedBytes -= chunk.usedBytes
    chunk.usedBytes = 0
    this.#setFree(number)
  }

  /** Overwrites what has been released, wherever it lies: but for the lengths, which say where the next record begins. */
  wipeHoles(): void {
    for (const [number, chunk] of this.#chunks.entries()) {
      const end = number === this.#current ? this.#end : chunk.end
      for (let at = 0; at < end; at += recordBytes(chunk, at)) {
        const isAlive = this.#placeOf(chunk.words[at / 4]!) === number * UNITS_PER_CHUNK + at / UNIT
        if (!isAlive) chunk.bytes.fill(0, at + HEADER_BYTES, at + recordBytes(chunk, at))
      }
      chunk.bytes.fill(0, end)
    }
  }

  hasKey(place: number, key: Uint8Array, keyBytes: number): boolean {
    const { bytes, halves } = this.#chunks[Math.floor(place / UNITS_PER_CHUNK)]!
    const at = (place % UNITS_PER_CHUNK) * UNIT
    if (halves[at / 2 + 3] !== keyBytes) return false
    for (let i = 0; i < keyBytes; i++) if (bytes[at + HEADER_BYTES + i] !== key[i]) return false
    return true
  }

  /** The bytes of a record's parts; valid until the next append. */
  name(place: number): Buffer {
    const { bytes, halves } = this.#chunks[Math.floor(place / UNITS_PER_CHUNK)]!
    const at = (place % UNITS_PER_CHUNK) * UNIT
    return bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + halves[at / 2 + 4]!)
  }

  key(place: number): string {
    const { bytes, halves } = this.#chunks[Math.floor(place / UNITS_PER_CHUNK)]!
    const at = (place % UNITS_PER_CHUNK) * UNIT + HEADER_BYTES
    return bytes.toString('utf8', at, at + halves[(at - HEADER_BYTES) / 2 + 3]!)
  }

  value(place: number): Buffer {
    const { bytes, halves } = this.#chunks[Math.floor(place / UNITS_PER_CHUNK)]!
    const at = (place % UNITS_PER_CHUNK) * UNIT
    const from = at + HEADER_BYTES + halves[at / 2 + 4]!
    return bytes.subarray(from, from + halves[at / 2 + 2]!)
  }

  /** As {@link value}, without an object for it: hands the chunk and the value's position to `read`. */
  read<R>(place: number, read: (bytes: Buffer, at: number) => R): R {
    const { bytes, halves } = this.#chunks[Math.floor(place / UNITS_PER_CHUNK)]!
    const at = (place % UNITS_PER_CHUNK) * UNIT
    return read(bytes, at + HEADER_BYTES + halves[at / 2 + 4]!)
  }
}

function recordBytes({ halves }: Chunk, at: number): number {
  return Math.ceil((HEADER_BYTES + halves[at / 2 + 2]! + halves[at / 2 + 4]!) / UNIT) * UNIT
}

function newChunk(): Chunk {
  const bytes = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  return {
    bytes,
    words: new Uint32Array(bytes.buffer, bytes.byteOffset, CHUNK_BYTES / 4),
    halves: new Uint16Array(bytes.buffer, bytes.byteOffset, CHUNK_BYTES / 2),
    usedBytes: 0,
    end: 0,
  }
}
