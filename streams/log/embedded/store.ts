/**
 * The LMDB side of the embedded log: one sub-database per topic partition (8-byte offset → batch), `heads` (of each, the next offset at its last
 * retention, which may have left nothing else), `groups` (how far consumer groups have come) and `meta` (identity, format, the partition counts the log was made with).
 *
 * Commits run on lmdb's writer thread and are flushed before they resolve. Offsets are read and written inside the transaction, so threads and processes can share a folder.
 * A thread that is ended in the middle of `write` has what it had written so far committed by lmdb: so every single put or removal leaves a log that is whole, and
 * the next offset is read from the last batch instead of being a second put.
 */
import { randomUUID } from 'node:crypto'
import type { Database } from 'lmdb'
import { openLmdb } from '../../../db/lmdb.ts'
import type { Topic } from '../../contract/topics.ts'
import type { LogRecord, TopicPartition } from '../event-log.ts'
import { OffsetOutOfRange } from '../event-log.ts'
import { batchCount, batchTimeMs, decodeBatch } from './batch.ts'

const FORMAT = 1
/** A read ends after the batch that passes this, however many records were asked for. */
const READ_BYTES = 4 * 1024 * 1024

type Bytes = Database<Buffer, Uint8Array>

interface Meta {
  format: number
  identity: string
  partitions: Record<string, number>
}

/** One topic partition: its database, and its key in `heads`. */
export interface Slot extends TopicPartition {
  readonly retentionMs: number
  readonly batches: Bytes
  readonly headKey: Uint8Array
}

export interface LogStore {
  readonly identity: string
  readonly folder: string
  /** @throws Error when there is no such topic or partition. */
  slot(at: TopicPartition): Slot
  slots(topic: string): readonly Slot[]
  readonly all: readonly Slot[]
  /** Runs `change` in a write transaction; resolves when it is on disk. When `change` throws or the commit fails, nothing of it is kept. */
  write<T>(change: () => T): Promise<T>
  /** Inside `write`: stores the batches after each other. @returns the first one's offset. */
  append(slot: Slot, batches: readonly { bytes: Buffer; count: number }[]): number
  /** Inside `write`: removes the batches that begin at these offsets, the oldest first. */
  remove(slot: Slot, bases: readonly number[]): void
  /** Makes reads see everything committed so far, by whatever thread or process. Reads of one turn see one state. */
  refresh(): void
  next(slot: Slot): number
  earliest(slot: Slot): number
  read(slot: Slot, offset: number, maxRecords: number): LogRecord[]
  /** First offsets and counts of the oldest batches, as long as they were appended before `beforeMs`, at most `max`. */
  olderThan(slot: Slot, beforeMs: number, max: number): { base: number; count: number }[]
  setGroupOffset(group: string, at: TopicPartition, nextOffset: number): Promise<void>
  groupOffset(group: string, at: TopicPartition): number | null
  /** Frees what readers held that were killed. */
  forgetDeadReaders(): void
  close(): Promise<void>
}

const offsetKey = (offset: number): Buffer => {
  const key = Buffer.allocUnsafe(8)
  key.writeUInt32BE(Math.floor(offset / 2 ** 32), 0)
  key.writeUInt32BE(offset >>> 0, 4)
  return key
}
const keyOffset = (key: Uint8Array): number =>
  ((key[0]! << 24) | (key[1]! << 16) | (key[2]! << 8) | key[3]!) * 2 ** 32 +
  (((key[4]! << 24) | (key[5]! << 16) | (key[6]! << 8) | key[7]!) >>> 0)
/** Sorts before every offset's key: lmdb wants both ends of a range named. */
const BEFORE_ALL = Buffer.from([0])
const AFTER_ALL = Buffer.alloc(9, 0xff)

/** @throws Error when the folder can't be opened, or holds a log of another format or with other partition counts. */
export async function openLogStore(folder: string, topics: readonly Topic[]): Promise<LogStore> {
  const environment = await openLmdb(folder)
  const { root } = environment
  let opened: { meta: Meta; heads: Bytes; groups: Database<number, string>; slots: Map<string, Slot[]> }
  try {
    // One transaction, so that a new folder costs one commit.
    opened = await environment.write(() => {
      const metas = root.openDB<Meta, string>('meta', { encoding: 'json', keyEncoding: 'ordered-binary' })
      const stored = metas.get('log')
      const meta = stored ?? { format: FORMAT, identity: randomUUID(), partitions: {} }
      checkFormat(meta, folder)
      let changed = stored === undefined
      const slots = new Map<string, Slot[]>()
      for (const topic of topics) {
        const made = (Object.hasOwn(meta.partitions, topic.name) && meta.partitions[topic.name]) || 0
        if (made === 0) {
          meta.partitions[topic.name] = topic.partitions
          changed = true
        } else if (made !== topic.partitions) {
          throw new Error(
            `The log in ${folder} was made with ${made} partitions of ${topic.name}; ${topic.partitions} are configured. A key must stay in ` +
              `its partition, so the count can't change: configure ${made}, or start with a new folder and replay into it.`,
          )
        }
        slots.set(
          topic.name,
          Array.from({ length: topic.partitions }, (_, partition) => ({
            topic: topic.name,
            partition,
            retentionMs: topic.retentionMs,
            batches: root.openDB<Buffer, Uint8Array>(`${topic.name}-${partition}`, {
              encoding: 'binary',
              keyEncoding: 'binary',
            }),
            headKey: Buffer.from(`${topic.name}-${partition}`),
          })),
        )
      }
      const heads = root.openDB<Buffer, Uint8Array>('heads', { encoding: 'binary', keyEncoding: 'binary' })
      const groups = root.openDB<number, string>('groups', { encoding: 'json', keyEncoding: 'ordered-binary' })
      if (changed) metas.putSync('log', meta)
      return { meta, heads, groups, slots }
    })
  } catch (error) {
    await environment.close()
    throw error
  }

  const { meta, heads, groups, slots } = opened
  const bytesAt = (slot: Slot, offset: number): Buffer | undefined => slot.batches.getBinaryFast(offsetKey(offset))
  /** A copy: lmdb uses the buffer it gave again for the next read. Only that buffer's `length` is the value's, `byteLength` is not. */
  const kept = (bytes: Buffer): Buffer => {
    const copy = Buffer.allocUnsafe(bytes.length)
    copy.set(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length))
    return copy
  }
  const next = (slot: Slot): number => {
    for (const key of slot.batches.getKeys({ start: AFTER_ALL, end: BEFORE_ALL, reverse: true, limit: 1 })) {
      const base = keyOffset(key)
      return base + batchCount(bytesAt(slot, base) as Buffer)
    }
    const head = heads.getBinaryFast(slot.headKey)
    return head ? keyOffset(head) : 0
  }
  const earliest = (slot: Slot): number => {
    for (const key of slot.batches.getKeys({ start: BEFORE_ALL, end: AFTER_ALL, limit: 1 })) return keyOffset(key)
    return next(slot)
  }
  const slotOf = (at: TopicPartition): Slot => {
    const slot = slots.get(at.topic)?.[at.partition]
    if (!slot) throw new Error(`The log has no partition ${at.topic}[${at.partition}].`)
    return slot
  }

  return {
    identity: meta.identity,
    folder,
    all: [...slots.values()].flat(),
    slot: slotOf,
    slots(topic) {
      const found = slots.get(topic)
      if (!found) throw new Error(`The log has no topic "${topic}". It has: ${[...slots.keys()].join(', ')}.`)
      return found
    },
    write: environment.write,
    append(slot, batches) {
      const first = next(slot)
      let offset = first
      for (const { bytes, count } of batches) {
        // lmdb's types leave out that this is false when the key does not come after all others.
        const stored: unknown = slot.batches.putSync(offsetKey(offset), bytes, { append: true })
        if (stored !== true) {
          throw new Error(
            `The log in ${folder} already holds something at or after ${slot.topic}[${slot.partition}] ${offset}.`,
          )
        }
        offset += count
      }
      return first
    },
    remove(slot, bases) {
      heads.putSync(slot.headKey, offsetKey(next(slot)))
      for (const base of bases) slot.batches.removeSync(offsetKey(base))
    },
    refresh: environment.refresh,
    next,
    earliest,
    read(slot, offset, maxRecords) {
      const records: LogRecord[] = []
      let base = offset
      let bytes = bytesAt(slot, offset)
      if (!bytes) {
        // Not the first of a batch: the batch that holds it is the last one that begins before it.
        let found = false
        for (const key of slot.batches.getKeys({
          start: offsetKey(offset),
          end: BEFORE_ALL,
          reverse: true,
          limit: 1,
        })) {
          base = keyOffset(key)
          found = true
        }
        if (found) bytes = bytesAt(slot, base)
        else if (offset < next(slot)) throw new OffsetOutOfRange(slot, offset, earliest(slot))
      }
      for (let size = 0; bytes && records.length < maxRecords && size < READ_BYTES; bytes = bytesAt(slot, base)) {
        size += bytes.length
        const count = batchCount(bytes)
        if (base + count > offset) decodeBatch(kept(bytes), base, offset, maxRecords, records)
        base += count
      }
      if (records.length === 0 && offset > next(slot)) {
        throw new Error(
          `${slot.topic}[${slot.partition}] has come to offset ${next(slot)} only; ${offset} was asked for. That position belongs to another log.`,
        )
      }
      return records
    },
    olderThan(slot, beforeMs, max) {
      const found: { base: number; count: number }[] = []
      for (const key of slot.batches.getKeys({ start: BEFORE_ALL, end: AFTER_ALL, limit: max })) {
        const base = keyOffset(key)
        const bytes = bytesAt(slot, base)
        if (!bytes || batchTimeMs(bytes) >= beforeMs) break
        found.push({ base, count: batchCount(bytes) })
      }
      return found
    },
    async setGroupOffset(group, at, nextOffset) {
      slotOf(at)
      await groups.put(`${group}/${at.topic}-${at.partition}`, nextOffset)
    },
    groupOffset: (group, at) => groups.get(`${group}/${at.topic}-${at.partition}`) ?? null,
    forgetDeadReaders: () => void root.readerCheck(),
    close: environment.close,
  }
}

function checkFormat(meta: Meta, folder: string): void {
  if (meta.format !== FORMAT) {
    throw new Error(
      `The log in ${folder} has format ${meta.format}; this version reads ${FORMAT}. Use the version that wrote it.`,
    )
  }
}
