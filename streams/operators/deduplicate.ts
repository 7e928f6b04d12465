/**
 * Deduplication of one partition: the same event within the horizon of event time is skipped, and counted by the task.
 *
 * A producer's retry, a replayed file and a client that sends twice all look the same here. Invariant: the decision depends on the partition's records
 * alone (`recent-ids.ts` rotates by event time), and the ids survive a restart with the checkpoint.
 */
import { FingerprintSet, RecentIds } from '../contract/recent-ids.ts'
import type { StateSection } from './operator.ts'

export const DEDUPE_HORIZON_MS = 10 * 60_000
const WORDS_PER_CHUNK = 64 * 1024
/** The entry that holds when the current generation began; all others are chunks of ids, `<generation start>/<number>`. */
const CURRENT = 'current'

interface SavedChunk {
  generationMs: number
  words: Buffer
}

/** Numbers of 32 bits, appended: a plain array would box most of them. */
class WordList {
  #words = new Uint32Array(1024)
  #length = 0

  add(a: number, b: number, c: number, d: number): void {
    if (this.#length === this.#words.length) {
      const grown = new Uint32Array(this.#length * 2)
      grown.set(this.#words)
      this.#words = grown
    }
    const at = this.#length
    this.#words[at] = a
    this.#words[at + 1] = b
    this.#words[at + 2] = c
    this.#words[at + 3] = d
    this.#length = at + 4
  }

  get words(): Uint32Array {
    return this.#words.subarray(0, this.#length)
  }
}

export class Deduplicator {
  readonly #recent: RecentIds
  /** Ids not yet saved, by generation. */
  #unsaved = new Map<number, WordList>()
  #savedChunks: { key: string; generationMs: number }[] = []
  #savedGenerationMs = Number.NaN
  #chunkNumber = 0
  #restored: Map<number, FingerprintSet> | undefined

  /** @param originMs of a partition that is read from its middle: the stream time of its first event, from which generations are counted */
  constructor(horizonMs = DEDUPE_HORIZON_MS, originMs = Number.NEGATIVE_INFINITY) {
    this.#recent = new RecentIds(horizonMs)
    this.#recent.generationStartMs = originMs
    this.#recent.onAdded = (a, b, c, d) => {
      const generation = this.#recent.generationStartMs
      let list = this.#unsaved.get(generation)
      if (!list) {
        list = new WordList()
        this.#unsaved.set(generation, list)
      }
      list.add(a, b, c, d)
    }
  }

  /** @param streamTimeMs highest event time of the partition so far @returns false for a duplicate */
  isNew(id: string, streamTimeMs: number): boolean {
    if (this.#restored) this.#finishRestore()
    return this.#recent.add(id, streamTimeMs)
  }

  readonly state: StateSection = {
    name: 'recent-ids',
    schema: {
      type: 'record',
      name: 'IdChunk',
      fields: [
        { name: 'generationMs', type: 'double' },
        { name: 'words', type: 'bytes' },
      ],
    },
    changes: (all) => {
      if (this.#restored) this.#finishRestore()
      const kept = this.#keptGenerations()
      const isKept = (c: { generationMs: number }) => kept.has(c.generationMs)
      const deletes = this.#savedChunks.filter((c) => !isKept(c)).map((c) => c.key)
      this.#savedChunks = all ? [] : this.#savedChunks.filter(isKept)
      const upserts: [string, SavedChunk][] = []
      for (const [generationMs, words] of all ? this.#allWords() : this.#newWords()) {
        if (!kept.has(generationMs)) continue
        for (let i = 0; i < words.length; i += WORDS_PER_CHUNK) {
          const key = `${generationMs}/${this.#chunkNumber++}`
          this.#savedChunks.push({ key, generationMs })
          const chunk = words.subarray(i, i + WORDS_PER_CHUNK)
          upserts.push([key, { generationMs, words: Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength) }])
        }
      }
      this.#unsaved = new Map()
      const generationMs = this.#recent.generationStartMs
      if (all || generationMs !== this.#savedGenerationMs)
        upserts.push([CURRENT, { generationMs, words: Buffer.alloc(0) }])
      this.#savedGenerationMs = generationMs
      return { deletes, upserts }
    },
    restore: (key, value) => {
      const { generationMs, words } = value as SavedChunk
      this.#restored ??= new Map()
      if (key === CURRENT) {
        this.#recent.generationStartMs = generationMs
        this.#savedGenerationMs = generationMs
        return
      }
      this.#savedChunks.push({ key, generationMs })
      this.#chunkNumber = Math.max(this.#chunkNumber, Number(key.slice(key.indexOf('/') + 1)) + 1)
      let set = this.#restored.get(generationMs)
      if (!set) {
        set = new FingerprintSet()
        this.#restored.set(generationMs, set)
      }
      for (let i = 0; i < words.length; i += 16) {
        set.add(words.readUInt32LE(i), words.readUInt32LE(i + 4), words.readUInt32LE(i + 8), words.readUInt32LE(i + 12))
      }
    },
  }

  /** The entries come in any order; which generation is current is known only when all have. */
  #finishRestore(): void {
    const sets = this.#restored as Map<number, FingerprintSet>
    this.#restored = undefined
    const current = this.#recent.generationStartMs
    this.#recent.current = sets.get(current) ?? new FingerprintSet()
    const earlier = [...sets.keys()].filter((g) => g < current)
    this.#recent.previousStartMs = Math.max(Number.NEGATIVE_INFINITY, ...earlier)
    this.#recent.previous = sets.get(this.#recent.previousStartMs) ?? new FingerprintSet()
  }

  #keptGenerations(): Set<number> {
    return new Set([this.#recent.generationStartMs, this.#recent.previousStartMs])
  }

  *#newWords(): Generator<[number, Uint32Array]> {
    for (const [generationMs, { words }] of this.#unsaved) yield [generationMs, words]
  }

  *#allWords(): Generator<[number, Uint32Array]> {
    yield [this.#recent.generationStartMs, this.#recent.current.fingerprints()]
    if (this.#recent.previous.size > 0) yield [this.#recent.previousStartMs, this.#recent.previous.fingerprints()]
  }
}
