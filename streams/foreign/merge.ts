/**
 * Brings the rows of several partitions into the order of their times, as far as they are there: behind a backlog, one partition read to its end before the next
 * one begins would make late what the next one holds.
 *
 * Pure but for what it keeps. Invariants: of a partition everything comes out in its order, once; it waits only for partitions that are known to hold more, or may hold
 * something that is seconds older; what waits is bounded. A clock from the future holds nothing up: a row is no later than those behind it.
 */
import { partitionKey, type TopicPartition } from '../log/event-log.ts'

export interface Row {
  readonly offset: number
  readonly timeMs: number
  readonly bytes: number
}

interface Waiting<R> {
  readonly row: R
  /** Of this row and those behind it, the earliest. */
  timeMs: number
}

interface Lane<R extends Row> {
  readonly at: TopicPartition
  rows: Waiting<R>[]
  /** Index in `rows` of the next one to come out. */
  head: number
  /** Offset of the next record to be read, and that the partition's next record will get. */
  position: number
  end: number
  /** So many offsets before the end hold no records: the marks that transactions leave there. */
  marks: number
  /** What it gets that is not read yet happened no earlier, as far as is known. */
  clearMs: number
}

const MARKS_MAX = 5
/** Well below what the streams wait for events out of order. */
const DOUBT_MS = 5_000

export class Merge<R extends Row> {
  readonly #lanes = new Map<string, Lane<R>>()
  readonly #bytesMax: number
  #bytes = 0

  /** @param bytesMax so much may wait; beyond it rows come out as they are */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** @param end the offset the partition's next record will get */
  open(at: TopicPartition, position: number, end: number): void {
    const clearMs = Number.NEGATIVE_INFINITY
    this.#lanes.set(partitionKey(at), { at, rows: [], head: 0, position, end, marks: 0, clearMs })
  }

  /** What waits of the partition is dropped. */
  close(at: TopicPartition): void {
    const lane = this.#lanes.get(partitionKey(at))
    if (!lane) return
    for (let i = lane.head; i < lane.rows.length; i++) this.#bytes -= lane.rows[i]!.row.bytes
    this.#lanes.delete(partitionKey(at))
  }

  add(at: TopicPartition, rows: readonly R[], end: number): void {
    const lane = this.#lanes.get(partitionKey(at))
    const last = rows[rows.length - 1]
    if (!lane || !last) return
    const waiting = lane.rows.slice(lane.head)
    for (const row of rows) {
      waiting.push({ row, timeMs: row.timeMs })
      this.#bytes += row.bytes
    }
    let earliestMs = Number.POSITIVE_INFINITY
    for (let i = waiting.length - 1; i >= 0; i--) {
      const entry = waiting[i]!
      earliestMs = Math.min(earliestMs, entry.timeMs)
      entry.timeMs = earliestMs
    }
    lane.rows = waiting
    lane.head = 0
    lane.position = last.offset + 1
    lane.end = end
    lane.clearMs = Math.max(lane.clearMs, waiting[waiting.length - 1]!.timeMs)
  }

  /** Partitions of which nothing is here, so that it should be looked whether they hold something by now: rows wait for that. */
  doubtful(): TopicPartition[] {
    const next = this.#next()
    if (!next) return []
    return [...this.#lanes.values()].filter((lane) => isDoubtful(lane, next)).map(({ at }) => at)
  }

  /** The time of the newest row that waits; to be asked for before the partitions are looked at. */
  get newestMs(): number {
    let newestMs = Number.NEGATIVE_INFINITY
    for (const { rows } of this.#lanes.values()) {
      newestMs = Math.max(newestMs, rows[rows.length - 1]?.timeMs ?? Number.NEGATIVE_INFINITY)
    }
    return newestMs
  }

  /**
   * It was looked: the partition's next record will get `end`.
   * @param sinceMs {@link newestMs} from before: what comes later to the partition is taken to have happened no earlier
   */
  looked(at: TopicPartition, end: number, sinceMs: number): void {
    const lane = this.#lanes.get(partitionKey(at))
    if (!lane) return
    lane.end = Math.max(lane.end, end)
    if (!isBehind(lane)) lane.clearMs = Math.max(lane.clearMs, sinceMs)
  }

  /** Nothing has come for a while: what is not here is not waited for any longer. A few offsets that never come are not waited for again. */
  giveUpWaiting(): void {
    const { newestMs } = this
    for (const lane of this.#lanes.values()) {
      const missing = lane.end - lane.position
      if (missing > 0 && missing <= MARKS_MAX) lane.marks = Math.max(lane.marks, missing)
      lane.end = Math.min(lane.end, lane.position)
      lane.clearMs = Math.max(lane.clearMs, newestMs)
    }
  }

  get waiting(): boolean {
    return this.#bytes > 0
  }

  /** The rows whose turn it is, at most `max` and so many bytes (but one at least), with their partitions. Those that come out are no longer kept. */
  take(max: number, bytesMax = Number.POSITIVE_INFINITY): { at: TopicPartition; row: R }[] {
    const taken: { at: TopicPartition; row: R }[] = []
    for (let bytes = 0; taken.length < max && bytes < bytesMax; ) {
      const next = this.#next()
      if (!next) break
      if (this.#bytes <= this.#bytesMax) {
        let wait = false
        for (const lane of this.#lanes.values()) wait ||= isBehind(lane) || isDoubtful(lane, next)
        if (wait) break
      }
      const { row } = next.rows[next.head++]!
      if (next.head === next.rows.length) {
        next.rows = []
        next.head = 0
      }
      this.#bytes -= row.bytes
      bytes += row.bytes
      taken.push({ at: next.at, row })
    }
    return taken
  }

  #next(): Lane<R> | undefined {
    let next: Lane<R> | undefined
    for (const lane of this.#lanes.values()) {
      if (isEmpty(lane)) continue
      if (next === undefined || lane.rows[lane.head]!.timeMs < next.rows[next.head]!.timeMs) next = lane
    }
    return next
  }
}

const isEmpty = (lane: Lane<Row>): boolean => lane.head === lane.rows.length
const isBehind = (lane: Lane<Row>): boolean => isEmpty(lane) && lane.position + lane.marks < lane.end
const isDoubtful = (lane: Lane<Row>, next: Lane<Row>): boolean =>
  isEmpty(lane) && !isBehind(lane) && next.rows[next.head]!.timeMs - lane.clearMs > DOUBT_MS
