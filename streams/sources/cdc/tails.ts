/**
 * How far the log has come: the position that each partition's last record has. Read when the slot is ours, so that nobody else appends meanwhile.
 * Invariant: only the log is asked; what was appended and not acknowledged is found here and not appended again.
 */
import { CHANGE_POSITION } from '../../contract/cdc.ts'
import { type EventLog, partitionKey, type TopicPartition } from '../../log/event-log.ts'
import { type Position, parsePosition } from './position.ts'

export interface Tail {
  readonly at: TopicPartition
  readonly isEmpty: boolean
  /** null: none of the last records was written by this source. */
  readonly last: Position | null
  /** When the last record was appended, epoch ms. */
  readonly appendedAtMs: number | null
}

/** Records of others (replayed dead letters, a Debezium before us) that may lie behind our last one. */
const LOOK_BACK = [1, 100, 2_000] as const

/** By {@link partitionKey}. */
export async function readTails(log: EventLog, topics: readonly string[]): Promise<Map<string, Tail>> {
  const tails = new Map<string, Tail>()
  for (const topic of topics) {
    const count = await log.partitionCount(topic)
    for (let partition = 0; partition < count; partition++) {
      const at = { topic, partition }
      tails.set(partitionKey(at), await readTail(log, at))
    }
  }
  return tails
}

async function readTail(log: EventLog, at: TopicPartition): Promise<Tail> {
  const { earliest, next } = await log.bounds(at)
  let appendedAtMs: number | null = null
  for (const count of LOOK_BACK) {
    const from = Math.max(earliest, next - count)
    let last: Position | null = null
    for (let offset = from; offset < next; ) {
      const records = await log.read(at, offset, next - offset)
      if (records.length === 0) break
      for (const { headers, appendedAtMs: atMs } of records) {
        last = parsePosition(headers?.[CHANGE_POSITION]) ?? last
        appendedAtMs = atMs
      }
      offset = records.at(-1)!.offset + 1
    }
    if (last || from === earliest) return { at, isEmpty: earliest === next, last, appendedAtMs }
  }
  return { at, isEmpty: false, last: null, appendedAtMs }
}
