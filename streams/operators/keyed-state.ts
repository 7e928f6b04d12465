/**
 * A map whose entries know whether they have changed since the last flush and since the last checkpoint.
 *
 * The two marks live in the entries, so that touching an entry a thousand times costs one list element. Invariant: an entry whose mark is set is in the
 * list of that mark once; one that has left the state lost its marks, and stays in the lists, passed over, until they are next taken.
 */
import type { Schema } from 'avsc'
import type { StateSection } from './operator.ts'

export interface Entry {
  /** Changed since the last checkpoint. */
  unsaved: boolean
  /** Changed since it was last handed to a flush. */
  unpublished: boolean
}

/** How entries look in a checkpoint. */
export interface EntryCodec<E extends Entry> {
  readonly name: string
  readonly schema: Schema
  keyOf(entry: E): string
  toValue(entry: E): unknown
  /** Puts an entry back into the operator; `value` has the schema's shape. */
  restore(key: string, value: unknown): void
  /** All entries there are. */
  all(): Iterable<E>
}

const COMPACT_MIN = 10_000

export class ChangeTracker<E extends Entry> {
  #unsaved: E[] = []
  #unpublished: E[] = []
  #deleted: string[] = []
  #compactAt = COMPACT_MIN

  /** The entry's content has changed: both lists get it. */
  touch(entry: E): void {
    if (!entry.unsaved) {
      entry.unsaved = true
      this.#unsaved.push(entry)
    }
    this.touchForPublish(entry)
  }

  /** To be published (again), though its content is as saved. */
  touchForPublish(entry: E): void {
    if (entry.unpublished) return
    entry.unpublished = true
    this.#unpublished.push(entry)
  }

  /** The entry has left the state. It is not published from here any more: final rows are emitted by whoever removes it. */
  remove(entry: E, key: string): void {
    entry.unsaved = false
    entry.unpublished = false
    this.#deleted.push(key)
  }

  /** Takes up to `limit` entries that await publication, longest waiting first; the marks of those taken are cleared. */
  takeUnpublished(limit: number): E[] {
    const taken = this.#unpublished.splice(0, limit).filter((entry) => entry.unpublished)
    for (const entry of taken) entry.unpublished = false
    return taken
  }

  /** For those who don't publish now: lets go of entries that have left the state, once they are many. */
  forgetRemoved(): void {
    if (this.#unpublished.length < this.#compactAt) return
    this.#unpublished = this.#unpublished.filter((entry) => entry.unpublished)
    this.#compactAt = COMPACT_MIN + 2 * this.#unpublished.length
  }

  get hasUnpublished(): boolean {
    return this.#unpublished.length > 0
  }

  section(codec: EntryCodec<E>): StateSection {
    const tracker = this
    return {
      name: codec.name,
      schema: codec.schema,
      restore: codec.restore,
      changes(all) {
        const changed = tracker.#unsaved
        const deletes = all ? [] : tracker.#deleted
        tracker.#unsaved = []
        tracker.#deleted = []
        return { deletes, upserts: all ? everything(codec, changed) : onlyChanged(codec, changed) }
      },
    }
  }
}

function* onlyChanged<E extends Entry>(
  codec: EntryCodec<E>,
  changed: readonly E[],
): Generator<readonly [string, unknown]> {
  for (const entry of changed) {
    if (!entry.unsaved) continue // removed meanwhile
    entry.unsaved = false
    yield [codec.keyOf(entry), codec.toValue(entry)]
  }
}

function* everything<E extends Entry>(
  codec: EntryCodec<E>,
  changed: readonly E[],
): Generator<readonly [string, unknown]> {
  for (const entry of changed) entry.unsaved = false
  for (const entry of codec.all()) yield [codec.keyOf(entry), codec.toValue(entry)]
}
