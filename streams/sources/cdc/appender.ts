/**
 * Records on their way into the log: gathered while an append is under way, one append at a time, and what is durable told by LSN.
 *
 * Invariant: appends follow each other, so a partition never has a later change without the earlier ones: how far it has come is in its last record. After a failed append
 * nothing more is appended; the source begins anew with what the log has then.
 */
import type { EventLog, NewRecord } from '../../log/event-log.ts'

const BATCH_RECORDS = 2_000
const BATCH_BYTES = 2 * 1024 * 1024

export interface Batch {
  readonly records: readonly NewRecord[]
  /** When the newest of their transactions was committed, epoch ms; null: unknown. */
  readonly committedMs: number | null
}

export interface Appender {
  add(records: readonly NewRecord[], committedMs: number | null): void
  /** What was added so far belongs to transactions that end before it: once that is durable, it may be acknowledged. */
  reached(lsn: number): void
  readonly isFull: boolean
  /** Nothing waits and nothing is under way. */
  readonly isIdle: boolean
  /** Begins to append what waits, behind what is under way. Resolves when it has begun, rejects when an append has failed. */
  flush(): Promise<void>
  /** Resolves when all is durable, or has failed: what was under way is no longer. */
  settle(): Promise<void>
}

/** @param durable all transactions that end there or before are in the log */
export function createAppender(
  log: Pick<EventLog, 'append'>,
  appended: (batch: Batch) => void,
  durable: (lsn: number) => void,
): Appender {
  let records: NewRecord[] = []
  let bytes = 0
  let reachedLsn: number | null = null
  let committedMs: number | null = null
  let underWay: Promise<void> | null = null
  let failure: { error: unknown } | null = null

  async function append(batch: Batch, lsn: number | null): Promise<void> {
    if (batch.records.length > 0) {
      await log.append(batch.records)
      appended(batch)
    }
    if (lsn !== null) durable(lsn)
  }

  return {
    add(more, atMs) {
      for (const record of more) {
        records.push(record)
        bytes += record.value.length
      }
      committedMs = atMs ?? committedMs
    },
    reached(lsn) {
      reachedLsn = lsn
    },
    get isFull() {
      return records.length >= BATCH_RECORDS || bytes >= BATCH_BYTES
    },
    get isIdle() {
      return records.length === 0 && underWay === null && failure === null
    },
    async flush() {
      await underWay
      if (failure) throw failure.error
      if (records.length === 0 && reachedLsn === null) return
      const [batch, lsn] = [{ records, committedMs }, reachedLsn]
      records = []
      bytes = 0
      reachedLsn = null
      underWay = append(batch, lsn)
        .catch((error: unknown) => {
          failure = { error }
        })
        .finally(() => {
          underWay = null
        })
    },
    async settle() {
      await underWay
      if (failure) throw failure.error
    },
  }
}
