/**
 * Keyed state of an operator with millions of keys: those that acted last are objects, all others lie as their Avro bytes outside the heap.
 *
 * Takes the place of a Map and a `ChangeTracker`. Invariant: nothing that an operator can see depends on which entries are packed; an entry is a function of
 * its records alone, packed or not. Every entry has a small number; its marks, and where it is, are columns by that number. An operator may use what it
 * gets until it asks for another key: then it may have been packed, and changes to the object would be lost.
 */
import type { Schema } from 'avsc'
import { avroType } from '../contract/avro.ts'
import { IdTable } from './id-table.ts'
import { EncodedValue, type StateSection } from './operator.ts'
import { PART_BYTES_MAX, Slab } from './slab.ts'

/** What packed state keeps beside an entry's own fields. */
export interface Packable {
  /** Of its entry; −1 before it is in the state. */
  id: number
  /** As in the saved value: whether it awaits publication. Up to date only while it is being encoded. */
  unpublished: boolean
  /** Further entries of the same key, in no order: rare, so a chain. */
  next: Packable | null
}

export interface PackedStateSpec<E extends Packable> {
  name: string
  /** Avro fields of an entry beside `unpublished`. */
  recordName: string
  fields: readonly object[]
  /** What {@link PackedState.find} finds it by. */
  keyOf(entry: E): string
  /** Names the entry in checkpoints; begins with its key. */
  nameOf(entry: E): string
  /** An entry from its saved value. */
  revive(key: string, value: object): E
  /** About how many entries are objects; others are packed. */
  hotMax: number | undefined
}

/** Per operator and partition, unless a task is told otherwise. */
export const HOT_MAX = 16_384
const MANY_SHARE = 1 / 32
const ALIVE = 1
const UNSAVED = 2
const UNPUBLISHED = 4
const COMPACT_MIN = 10_000
/** Not packed: an object. */
const AS_OBJECT = 0xffff_ffff
const HANDLE_UNIT = 2 ** 32

export class PackedState<E extends Packable> {
  readonly #spec: PackedStateSpec<E>
  readonly #type
  readonly #schema: Schema
  readonly #hotMax: number
  /** Objects by key, in two generations: what is not asked for during one is packed. */
  #young = new Map<string, E>()
  #old = new Map<string, E>()

  // Columns by entry number.
  #marks = new Uint8Array(1024)
  #hashes = new Uint32Array(1024)
  #places = new Uint32Array(1024)
  /** How often the number has been given to another entry: tells a handle that has outlived its entry. */
  #lives = new Uint16Array(1024)
  #objects: (E | null)[] = []
  #freeIds: number[] = []

  readonly #table = new IdTable((id) => this.#hashes[id]!)
  readonly #slab = new Slab(
    (id) => this.#places[id]!,
    (id, place) => {
      this.#places[id] = place
    },
  )
  #unsaved: number[] = []
  #unpublished: number[] = []
  #deleted: string[] = []
  #compactAt = COMPACT_MIN
  #hasRemains = false
  /** Of the text that was hashed last. */
  #text = Buffer.alloc(256)
  #textBytes = 0

  constructor(spec: PackedStateSpec<E>) {
    this.#spec = spec
    // First, so that it is the first byte of a packed value.
    const fields = [{ name: 'unpublished', type: 'boolean' }, ...spec.fields]
    this.#schema = { type: 'record', name: spec.recordName, fields } as Schema
    this.#type = avroType(this.#schema)
    this.#hotMax = spec.hotMax ?? HOT_MAX
  }

  /** The key's entry, an object from now on; the first of a chain when there are several. */
  find(key: string): E | undefined {
    const young = this.#young.get(key)
    if (young) return young
    const old = this.#old.get(key)
    if (old) {
      this.#old.delete(key)
      this.#setYoung(key, old)
      return old
    }
    return this.#unpack(key)
  }

  add(entry: E): void {
    const key = this.#spec.keyOf(entry)
    const head = this.find(key)
    const id = this.#newId()
    entry.id = id
    this.#objects[id] = entry
    if (head) {
      entry.next = head.next
      head.next = entry
    } else this.#setYoung(key, entry)
  }

  /** The entry leaves the state, and is published no more: final rows are emitted by whoever removes it. */
  remove(entry: E): void {
    const { id } = entry
    this.#deleted.push(this.#spec.nameOf(entry))
    if (this.#places[id] !== AS_OBJECT) {
      this.#table.remove(id)
      this.#slab.release(this.#places[id]!)
      // Else what was released would pass for alive, and be kept in the place of others, when its chunk is rewritten.
      this.#places[id] = AS_OBJECT
    } else this.#unlink(this.#spec.keyOf(entry), entry)
    this.#objects[id] = null
    this.#marks[id] = 0
    this.#lives[id]!++
    this.#freeIds.push(id)
    entry.id = -1
  }

  /** Of entries that have left the state the bytes lie where they lay: the next time that everything is saved they are overwritten, too. */
  dropRemains(): void {
    this.#hasRemains = true
  }

  #unlink(key: string, entry: E): void {
    const generation = this.#young.has(key) ? this.#young : this.#old
    const head = generation.get(key)
    if (head === entry) {
      if (entry.next) generation.set(key, entry.next as E)
      else generation.delete(key)
      return
    }
    for (let e: Packable | null = head ?? null; e; e = e.next) {
      if (e.next === entry) {
        e.next = entry.next
        return
      }
    }
  }

  /** The entry's content has changed: it will be saved and published. */
  touch({ id }: E): void {
    this.#mark(id)
  }

  /** What packed entries take, holes included. */
  get packedBytes(): number {
    return this.#slab.heldBytes
  }

  /** Marks all entries as changed. */
  touchAll(): void {
    for (let id = 0; id < this.#objects.length; id++) if (this.#marks[id]! & ALIVE) this.#mark(id)
  }

  #mark(id: number): void {
    const marks = this.#marks[id]!
    if ((marks & UNSAVED) === 0) this.#unsaved.push(id)
    if ((marks & UNPUBLISHED) === 0) this.#unpublished.push(id)
    this.#marks[id] = marks | UNSAVED | UNPUBLISHED
  }

  /** Names the entry for as long as it lives, packed or not. */
  handle({ id }: E): number {
    return this.#lives[id]! * HANDLE_UNIT + id
  }

  /** The entry of a handle, which may be a copy: to read, or to remove. Undefined when it has left the state. */
  byHandle(handle: number): E | undefined {
    const id = handle % HANDLE_UNIT
    if ((this.#marks[id]! & ALIVE) === 0 || this.#lives[id] !== Math.floor(handle / HANDLE_UNIT)) return undefined
    return this.#look(id)
  }

  /** The entry, or what its bytes say, without making it an object for longer. */
  #look(id: number): E {
    return this.#objects[id] ?? this.#read(id, this.#slab.key(this.#places[id]!))
  }

  #read(id: number, key: string): E {
    const value = this.#slab.read(this.#places[id]!, (bytes, at) => this.#type.decode(bytes, at).value as object)
    const entry = this.#spec.revive(key, value)
    entry.id = id
    return entry
  }

  /** All entries, to read or to remove; whether each awaits publication. */
  *all(): Generator<{ entry: E; unpublished: boolean }> {
    for (let id = 0; id < this.#objects.length; id++) {
      const marks = this.#marks[id]!
      if (marks & ALIVE) yield { entry: this.#look(id), unpublished: (marks & UNPUBLISHED) !== 0 }
    }
  }

  /** Takes up to `limit` entries that await publication, longest waiting first, to read only. */
  *takeUnpublished(limit: number): Generator<E> {
    for (const id of this.#unpublished.splice(0, limit)) {
      if ((this.#marks[id]! & UNPUBLISHED) === 0) continue // left meanwhile
      this.#marks[id]! &= ~UNPUBLISHED
      yield this.#look(id)
    }
  }

  get hasUnpublished(): boolean {
    return this.#unpublished.length > 0
  }

  /** For those who don't publish now: lets go of entries that have left the state, once they are many. */
  forgetRemoved(): void {
    if (this.#unpublished.length < this.#compactAt) return
    // A number that was given to another entry may be listed twice.
    this.#unpublished = this.#unpublished.filter((id) => {
      const waits = (this.#marks[id]! & UNPUBLISHED) !== 0
      this.#marks[id]! &= ~UNPUBLISHED
      return waits
    })
    for (const id of this.#unpublished) this.#marks[id]! |= UNPUBLISHED
    this.#compactAt = COMPACT_MIN + 2 * this.#unpublished.length
  }

  /** Takes an entry back from its saved value. */
  restore(name: string, value: object): E {
    const entry = this.#spec.revive(name, value)
    this.add(entry)
    if (entry.unpublished) {
      this.#marks[entry.id]! |= UNPUBLISHED
      this.#unpublished.push(entry.id)
    }
    return entry
  }

  get section(): StateSection {
    return {
      name: this.#spec.name,
      schema: this.#schema,
      restore: (name, value) => void this.restore(name, value as object),
      changes: (all) => {
        if (all && this.#hasRemains) this.#wipe()
        const changed = this.#unsaved
        const deletes = all ? [] : this.#deleted
        this.#unsaved = []
        this.#deleted = []
        return { deletes, upserts: all ? this.#everything(changed) : this.#changed(changed) }
      },
    }
  }

  #wipe(): void {
    this.#slab.wipeHoles()
    this.#text.fill(0)
    this.#hasRemains = false
  }

  *#changed(changed: readonly number[]): Generator<readonly [string | Uint8Array, unknown]> {
    for (const id of changed) {
      if ((this.#marks[id]! & UNSAVED) === 0) continue // left meanwhile
      this.#marks[id]! &= ~UNSAVED
      yield this.#saved(id)
    }
  }

  *#everything(changed: readonly number[]): Generator<readonly [string | Uint8Array, unknown]> {
    for (const id of changed) this.#marks[id]! &= ~UNSAVED
    for (let id = 0; id < this.#objects.length; id++) if (this.#marks[id]! & ALIVE) yield this.#saved(id)
  }

  #saved(id: number): readonly [string | Uint8Array, unknown] {
    const unpublished = (this.#marks[id]! & UNPUBLISHED) !== 0
    const entry = this.#objects[id]
    if (entry) {
      entry.unpublished = unpublished
      return [this.#spec.nameOf(entry), entry]
    }
    const place = this.#places[id]!
    const value = this.#slab.value(place)
    value[0] = unpublished ? 1 : 0
    return [this.#slab.name(place), new EncodedValue(value)]
  }

  #newId(): number {
    const id = this.#freeIds.pop() ?? this.#objects.push(null) - 1
    if (id >= this.#marks.length) this.#growColumns()
    this.#marks[id] = ALIVE
    this.#places[id] = AS_OBJECT
    return id
  }

  #growColumns(): void {
    const length = Math.ceil((this.#marks.length * 1.5) / 8) * 8
    const grown = <A extends Uint8Array | Uint16Array | Uint32Array>(into: A, from: A): A => {
      into.set(from)
      return into
    }
    this.#marks = grown(new Uint8Array(length), this.#marks)
    this.#hashes = grown(new Uint32Array(length), this.#hashes)
    this.#places = grown(new Uint32Array(length), this.#places)
    this.#lives = grown(new Uint16Array(length), this.#lives)
  }

  /**
   * Few enough all stay objects. Where a great many act in turn, few are asked for again soon, and an object that is kept for a while becomes an old one,
   * which costs the collector most: then those of a short while do.
   */
  get #generationMax(): number {
    const alive = this.#objects.length - this.#freeIds.length
    if (alive <= this.#hotMax) return this.#hotMax
    const share = alive > 2 * this.#hotMax ? MANY_SHARE : 0.5
    return Math.max(1, Math.floor(this.#hotMax * share))
  }

  #setYoung(key: string, head: E): void {
    if (this.#young.size >= this.#generationMax) {
      const left = this.#old
      this.#old = this.#young
      this.#young = new Map()
      for (const [leftKey, leftHead] of left) this.#pack(leftKey, leftHead)
    }
    this.#young.set(key, head)
  }

  #pack(key: string, head: E): void {
    // Chains are rare: they stay objects until one entry is left.
    if (head.next || !this.#packOne(key, head)) this.#young.set(key, head)
  }

  #packOne(key: string, entry: E): boolean {
    const { id } = entry
    this.#encodeText(this.#spec.nameOf(entry))
    if (this.#textBytes > PART_BYTES_MAX) return false
    const nameBytes = this.#textBytes
    const keyBytes = nameBytes === key.length ? nameBytes : Buffer.byteLength(key)
    entry.unpublished = false
    const place = this.#slab.append(id, this.#text, nameBytes, keyBytes, (into, at) =>
      this.#type.encode(entry, into, at),
    )
    if (place < 0) return false
    this.#places[id] = place
    this.#objects[id] = null
    this.#hashes[id] = hashOf(this.#text, keyBytes)
    this.#table.add(id)
    return true
  }

  #unpack(key: string): E | undefined {
    if (this.#table.size === 0) return undefined
    this.#encodeText(key)
    const hash = hashOf(this.#text, this.#textBytes)
    const id = this.#table.find(hash, (candidate) =>
      this.#slab.hasKey(this.#places[candidate]!, this.#text, this.#textBytes),
    )
    if (id < 0) return undefined
    const entry = this.#read(id, key)
    this.#table.remove(id)
    this.#slab.release(this.#places[id]!)
    this.#places[id] = AS_OBJECT
    this.#objects[id] = entry
    this.#setYoung(key, entry)
    return entry
  }

  #encodeText(text: string): void {
    if (this.#text.length < text.length * 3) this.#text = Buffer.alloc(text.length * 6)
    let i = 0
    for (; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) break
      this.#text[i] = unit
    }
    this.#textBytes = i === text.length ? i : this.#text.write(text)
  }
}

/** MurmurHash3's mixing over the first `length` bytes. */
function hashOf(text: Uint8Array, length: number): number {
  let h = 0x9e3779b9
  for (let i = 0; i < length; i++) {
    h = Math.imul(h ^ text[i]!, 0x5bd1e995)
    h ^= h >>> 15
  }
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
