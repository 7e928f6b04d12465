/**
 * Checkpoints of one task: a base and the changes since, as files in the object store, named by a manifest row.
 *
 * Sits after the flush. Invariants: a manifest never names a file that isn't whole, nor an offset whose results aren't written; a process that lost the
 * partition can't save (the epoch fences it); where a person was to be forgotten, nothing stays of what was saved before. Checkpoints only shorten recovery: whatever is missing is computed again from the log.
 */
import { DAMAGED, type ObjectStore, ObjectStoreError } from '../../db/objects/object-store.ts'
import type { TopicPartition } from '../log/event-log.ts'
import type { Clock } from '../time/clock.ts'
import { CorruptCheckpoint, encodeState, mergeFiles, restoreState } from './checkpoint-file.ts'
import type { Manifest, ManifestStore } from './ports.ts'
import type { Task } from './task.ts'

export interface CheckpointStores {
  objects: ObjectStore
  manifests: ManifestStore
  clock: Clock
}

/** A consistent cut of a task, taken between two records. */
export interface Snapshot {
  body: Buffer
  isBase: boolean
  /** A base after which no older file and manifest may stay. */
  standsAlone: boolean
  nextOffset: number
}

/** An object in the store. */
interface CheckpointFile {
  key: string
  bytes: number
}

export interface RestoreReport {
  /** Where reading must begin; null when there never was a checkpoint. */
  nextOffset: number | null
  /** Why newer checkpoints were passed over. */
  fallbacks: string[]
}

/** Deltas are merged into a base once they are this many, or larger than the base: recovery reads few files, and the merging pays for itself. */
const DELTAS_MAX = 24
const MERGE_MIN_BYTES = 4 * 1024 * 1024

const turns = new WeakMap<CheckpointStores, Promise<unknown>>()
/** One after the other: a merge holds its files and its result in memory, and the tasks, which are alike, all come to theirs at about the same time. */
function inTurn<R>(stores: CheckpointStores, work: () => Promise<R>): Promise<R> {
  const done = (turns.get(stores) ?? Promise.resolve()).then(work)
  turns.set(
    stores,
    done.catch(() => undefined),
  )
  return done
}

export class Checkpointer {
  readonly #stores: CheckpointStores
  readonly #at: TopicPartition
  readonly #epoch: number
  /** What the next manifest names: a base and its deltas. */
  #files: CheckpointFile[] = []
  /** The offset of the newest manifest; nothing is saved again until the task has moved beyond it. −1 before the first. */
  savedOffset = -1
  #needsBase = true
  #standsAlone = false
  #merge: Promise<void> | undefined
  #isEnding = false
  #mergeResult: { inputs: readonly string[]; file: CheckpointFile } | undefined
  #sequence = 0

  private constructor(stores: CheckpointStores, at: TopicPartition, epoch: number) {
    this.#stores = stores
    this.#at = at
    this.#epoch = epoch
  }

  get epoch(): number {
    return this.#epoch
  }

  /** Takes the partition over for this process; from now on no other can save a checkpoint of it. */
  static async open(stores: CheckpointStores, at: TopicPartition, owner: string): Promise<Checkpointer> {
    return new Checkpointer(stores, at, await stores.manifests.beginEpoch(at, owner))
  }

  /**
   * Brings a task to the newest checkpoint that is whole: the one before where files are missing or damaged, else the log's start.
   * @param create makes a fresh task; called again where a restore failed half-way
   */
  async restore<T extends Task>(create: () => T): Promise<{ task: T; report: RestoreReport }> {
    const fallbacks: string[] = []
    const manifests = await this.#stores.manifests.manifests(this.#at)
    await this.#removeStrays(manifests)
    for (const manifest of manifests) {
      const task = create()
      try {
        const bodies = await Promise.all(manifest.files.map((key) => this.#read(key)))
        const passedOver = restoreState(task.state, bodies)
        task.nextOffset = manifest.nextOffset
        this.#files = manifest.files.map((key, i) => ({ key, bytes: bodies[i]?.length ?? 0 }))
        this.savedOffset = manifest.nextOffset
        // The state of a job that is gone must not come back, long out of date, with a job of that name: a base leaves it behind.
        this.#needsBase = passedOver.length > 0
        return { task, report: { nextOffset: manifest.nextOffset, fallbacks } }
      } catch (error) {
        if (!(error instanceof CorruptCheckpoint)) throw error
        fallbacks.push(`checkpoint at offset ${manifest.nextOffset}: ${error.message}`)
      }
    }
    return { task: create(), report: { nextOffset: manifests.length > 0 ? 0 : null, fallbacks } }
  }

  async #read(key: string): Promise<Buffer> {
    const body = await this.#stores.objects.get(key).catch((error) => {
      // A store that sees by itself what the file's own sum would show.
      if (error instanceof ObjectStoreError && error.code === DAMAGED) throw new CorruptCheckpoint(error.message)
      throw error
    })
    if (!body) throw new CorruptCheckpoint(`${key} is missing`)
    return body
  }

  get #prefix(): string {
    return `checkpoints/${this.#at.topic}/${this.#at.partition}/`
  }

  /** Files that no manifest names: of a crash, or of a zombie at worst, whose manifest would be refused anyway. */
  async #removeStrays(manifests: readonly Manifest[]): Promise<void> {
    const named = new Set(manifests.flatMap((m) => m.files))
    for (const key of await this.#stores.objects.list(this.#prefix)) {
      if (!named.has(key)) await this.#stores.objects.delete(key)
    }
  }

  /** What has been saved so far goes when the next snapshot is saved, or the first that can be. */
  forgetOlder(): void {
    this.#needsBase = true
    this.#standsAlone = true
  }

  /** Takes the cut: synchronous, so that no record comes between. */
  snapshot(task: Task): Snapshot {
    const isBase = this.#needsBase
    const standsAlone = this.#standsAlone
    this.#needsBase = false
    this.#standsAlone = false
    return { body: encodeState(task.state, isBase), isBase, standsAlone, nextOffset: task.nextOffset }
  }

  /** @throws Fenced; after any other error the next snapshot is a base again, since this one's changes are in no file */
  async save({ body, isBase, standsAlone, nextOffset }: Snapshot): Promise<void> {
    try {
      // What it is making would be of what goes now.
      if (standsAlone) await this.#merge
      const key = this.#name(nextOffset, isBase ? 'base' : 'delta')
      await this.#stores.objects.put(key, body)
      if (isBase) this.#files = []
      this.#files.push({ key, bytes: body.length })
      this.#useMerge()
      const files = this.#files.map((f) => f.key)
      const manifest = { nextOffset, files }
      const kept = standsAlone ? 1 : undefined
      const released = await this.#stores.manifests.save(this.#at, this.#epoch, manifest, kept)
      this.savedOffset = nextOffset
      for (const old of released) await this.#stores.objects.delete(old)
      if (standsAlone) await this.#removeStrays([manifest])
      this.#startMerge()
    } catch (error) {
      this.#needsBase = true
      this.#standsAlone ||= standsAlone
      throw error
    }
  }

  #name(nextOffset: number, kind: 'base' | 'delta' | 'merged'): string {
    return `${this.#prefix}${String(nextOffset).padStart(12, '0')}-${this.#epoch}-${this.#sequence++}-${kind}`
  }

  #startMerge(): void {
    const [base, ...deltas] = this.#files
    const deltaBytes = deltas.reduce((sum, f) => sum + f.bytes, 0)
    const worthIt = deltas.length >= DELTAS_MAX || (deltaBytes > MERGE_MIN_BYTES && deltaBytes > (base?.bytes ?? 0))
    if (this.#merge || this.#mergeResult || !worthIt) return
    const inputs = this.#files.map((f) => f.key)
    this.#merge = inTurn(this.#stores, () => this.#mergeInBackground(inputs)).then((file) => {
      this.#merge = undefined
      if (file) this.#mergeResult = { inputs, file }
    })
  }

  /** Merges files that no longer change, in slices, beside the running task. A failure costs nothing: the deltas are still there. */
  async #mergeInBackground(inputs: readonly string[]): Promise<CheckpointFile | null> {
    if (this.#isEnding) return null
    try {
      const bodies: Buffer[] = []
      for (const key of inputs) bodies.push(await this.#read(key))
      const steps = mergeFiles(bodies)
      let step = steps.next()
      while (!step.done) {
        await this.#stores.clock.sleep(0)
        step = steps.next()
      }
      const key = this.#name(this.savedOffset, 'merged')
      await this.#stores.objects.put(key, step.value)
      return { key, bytes: step.value.length }
    } catch {
      return null
    }
  }

  /** Puts a finished merge in the place of the files it was made of. */
  #useMerge(): void {
    const result = this.#mergeResult
    if (!result) return
    this.#mergeResult = undefined
    // A base written meanwhile has replaced them, and may have gathered as many deltas of its own: so it's the names that count.
    if (!result.inputs.every((key, i) => this.#files[i]?.key === key)) return
    this.#files = [result.file, ...this.#files.slice(result.inputs.length)]
  }

  /** Waits for a merge under way: call it before the task is given up. */
  async settle(): Promise<void> {
    this.#isEnding = true
    await this.#merge
  }
}
