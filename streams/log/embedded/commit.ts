/**
 * Group commit: all appends made while one commit is under way share the next transaction, so that the price of a disk flush is paid once.
 *
 * Invariants: an append resolves only when its group is on disk; a failed commit rejects every append of its group and keeps nothing of it;
 * what waits for the disk is bounded.
 */
import { commitFailure } from '../../../db/lmdb.ts'
import { partitionOfBytes } from '../../contract/partition.ts'
import type { Clock } from '../../time/clock.ts'
import type { NewRecord, RecordPosition } from '../event-log.ts'
import { LogUnavailable } from '../event-log.ts'
import { BatchWriter, KeyBytes } from './batch.ts'
import type { LogStore, Slot } from './store.ts'

/** A stored batch ends with the record that passes this: a reader that starts in its middle copies the whole of it. */
const BATCH_BYTES = 128 * 1024
const SPARE_WRITERS = 64

export interface CommitLimits {
  /** Bytes of records that may wait for the disk, the commit under way included. One append alone may pass it. */
  readonly maxWaitingBytes: number
  readonly maxRecordBytes: number
  /** After this long without an answer from the disk, appends are refused. */
  readonly commitTimeoutMs: number
}

export interface GroupCommit {
  append(records: readonly NewRecord[]): Promise<RecordPosition[]>
  /** Refuses new appends and settles those made. @returns false when the disk still owes an answer, so that the store can't be closed. */
  close(): Promise<boolean>
}

interface Call {
  /** Offsets count from the group's first record of the partition, until the commit says where that is. */
  readonly positions: { topic: string; partition: number; offset: number }[]
  readonly slots: readonly Slot[]
  resolve(positions: RecordPosition[]): void
  reject(error: Error): void
}

/** What goes into one transaction: per slot its batches in order, and the calls that wait for it. */
interface Group {
  readonly filled: Map<Slot, { writers: BatchWriter[]; count: number }>
  readonly calls: Call[]
  bytes: number
}

/** @param committed called after each commit, before its appends resolve */
export function createGroupCommit(
  store: LogStore,
  clock: Clock,
  limits: CommitLimits,
  committed: () => void,
): GroupCommit {
  const key = new KeyBytes()
  const spare: BatchWriter[] = []
  const turns = new Map<string, number>()
  let pending: Group | null = null
  let waitingBytes = 0
  let working: Promise<void> | null = null
  /** A commit that the disk has not answered in time; nothing can be written until it does. */
  let stuck = false
  let closed = false

  const take = (): Group | null => {
    const group = pending
    pending = null
    return group
  }

  function add(group: Group, slot: Slot, record: NewRecord): number {
    let filled = group.filled.get(slot)
    if (!filled) {
      filled = { writers: [spare.pop() ?? new BatchWriter()], count: 0 }
      group.filled.set(slot, filled)
    }
    let writer = filled.writers[filled.writers.length - 1]!
    if (writer.bytes > BATCH_BYTES) {
      writer = spare.pop() ?? new BatchWriter()
      filled.writers.push(writer)
    }
    writer.add(record.key === null ? null : key, record)
    return filled.count++
  }

  function partition({ topic, key: recordKey, partition: given }: NewRecord, slots: readonly Slot[]): Slot {
    if (recordKey !== null) {
      key.set(recordKey)
      if (given !== undefined) return slots[given]!
      return slots[partitionOfBytes(key.bytes, key.length, slots.length)]!
    }
    if (given !== undefined) return slots[given]!
    const turn = turns.get(topic) ?? 0
    turns.set(topic, (turn + 1) % slots.length)
    return slots[turn]!
  }

  /** Everything that can be wrong with the records themselves, before any of them is queued. @returns their bytes. */
  function check(records: readonly NewRecord[]): number {
    let bytes = 0
    for (const { topic, partition, value } of records) {
      if (partition === undefined) store.slots(topic)
      else store.slot({ topic, partition })
      if (value.length > limits.maxRecordBytes) {
        throw new RangeError(`A record of ${value.length} bytes is over the log's limit of ${limits.maxRecordBytes}.`)
      }
      bytes += value.length
    }
    return bytes
  }

  async function commitOnce(): Promise<void> {
    let group: Group | null = null
    const bases = new Map<Slot, number>()
    const answered = new AbortController()
    const work = store.write(() => {
      group = take()
      if (!group) return
      const now = clock.now()
      for (const [slot, { writers }] of group.filled) {
        const batches = writers.map((writer) => ({ bytes: writer.finish(now), count: writer.count }))
        bases.set(slot, store.append(slot, batches))
      }
    })
    const late = clock.sleep(limits.commitTimeoutMs, answered.signal).then(() => 'late' as const)
    try {
      const outcome = await Promise.race([work, late])
      if (outcome === 'late') {
        stuck = true
        const unstick = () => {
          stuck = false
        }
        work.then(unstick, unstick)
        throw new Error(`the disk has not confirmed a commit for ${limits.commitTimeoutMs / 1000} s`)
      }
      settle(group, bases)
    } catch (error) {
      fail([group, ...(group && !stuck ? [] : [take()])], unavailable(store.folder, await commitFailure(error), error))
    } finally {
      answered.abort()
    }
  }

  function settle(group: Group | null, bases: ReadonlyMap<Slot, number>): void {
    if (!group) return
    waitingBytes -= group.bytes
    for (const { writers } of group.filled.values()) {
      for (const writer of writers) {
        writer.reset()
        if (spare.length < SPARE_WRITERS && writer.buffer.length <= BATCH_BYTES * 4) spare.push(writer)
      }
    }
    committed()
    for (const { positions, slots, resolve } of group.calls) {
      for (let i = 0; i < positions.length; i++) positions[i]!.offset += bases.get(slots[i]!)!
      resolve(positions)
    }
  }

  function fail(groups: readonly (Group | null)[], error: Error): void {
    for (const group of groups) {
      if (!group) continue
      waitingBytes -= group.bytes
      for (const call of group.calls) call.reject(error)
    }
  }

  async function work(): Promise<void> {
    while (pending) await commitOnce()
    working = null
  }

  return {
    async append(records) {
      if (closed) throw new LogUnavailable('The log is closed.')
      if (records.length === 0) return []
      if (stuck) throw unavailable(store.folder, 'the disk does not answer')
      const bytes = check(records)
      if (waitingBytes > 0 && waitingBytes + bytes > limits.maxWaitingBytes) {
        throw new LogUnavailable(
          `Records arrive faster than the disk takes them: ${Math.round(waitingBytes / 1024)} KB wait to be written. Try again a little later.`,
        )
      }
      waitingBytes += bytes
      pending ??= { filled: new Map(), calls: [], bytes: 0 }
      const group = pending
      group.bytes += bytes
      const positions: Call['positions'] = []
      const slots: Slot[] = []
      for (const record of records) {
        const slot = partition(record, store.slots(record.topic))
        positions.push({ topic: slot.topic, partition: slot.partition, offset: add(group, slot, record) })
        slots.push(slot)
      }
      const settled = new Promise<RecordPosition[]>((resolve, reject) => {
        group.calls.push({ positions, slots, resolve, reject })
      })
      working ??= work()
      return settled
    },
    async close() {
      closed = true
      while (working !== null) await working
      return !stuck
    },
  }
}

const unavailable = (folder: string, reason: string, cause?: unknown): LogUnavailable =>
  new LogUnavailable(
    `The log in ${folder} could not be written: ${reason}. Nothing of this append is promised. If the disk is full, make room; then try again.`,
    { cause },
  )
