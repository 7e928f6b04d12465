/**
 * Brings the rows of several partitions into the order of their event times, as far as they are there: behind a backlog, one partition read to its end before the next
 * one begins would make late what the next one holds.
 *
 * Pure but for what it keeps. Invariants: of a partition everything comes out in its order, once; it waits only for partitions that are known to hold more; what waits is bounded.
 */
import { partitionKey, type TopicPartition } from '../log/event-log.ts'

export interface Row {
  readonly offset: number
  /** −∞ where the row has none: then it is the next of all. */
  readonly timeMs: number
  readonly bytes: number
}

interface Lane<R extends Row> {
  readonly at: TopicPartition
  rows: R[]
  /** Index in `rows` of the next one to come out. */
  head: number
  /** Offset of the next record to be read, and that the partition's next record will get. */
  position: number
  end: number
}

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
    this.#lanes.set(partitionKey(at), { at, rows: [], head: 0, position, end })
  }

  /** What waits of the partition is dropped. */
  close(at: TopicPartition): void {
    const lane = this.#lanes.get(partitionKey(at))
    if (!lane) return
    for (let i = lane.head; i < lane.rows.length; i++) this.#bytes -= lane.rows[i]!.bytes
    this.#lanes.delete(partitionKey(at))
  }

  add(at: TopicPartition, rows: readonly R[], end: number): void {
    const lane = this.#lanes.get(partitionKey(at))
    const last = rows[rows.length - 1]
    if (!lane || !last) return
    lane.rows = lane.head === 0 ? lane.rows.concat(rows) : lane.rows.slice(lane.head).concat(rows)
    lane.head = 0
    lane.position = last.offset + 1
    lane.end = end
    for (const { bytes } of rows) this.#bytes += bytes
  }

  /** Nothing has come for a while: what is not here is not waited for any longer. */
  giveUpWaiting(): void {
    for (const lane of this.#lanes.values()) lane.end = Math.min(lane.end, lane.position)
  }

  get waiting(): boolean {
    return this.#bytes > 0
  }

  /** The rows whose turn it is, at most `max` and so many bytes (but one at least), with their partitions. Those that come out are no longer kept. */
  take(max: number, bytesMax = Number.POSITIVE_INFINITY): { at: TopicPartition; row: R }[] {
    const taken: { at: TopicPartition; row: R }[] = []
    for (let bytes = 0; taken.length < max && bytes < bytesMax; ) {
      let next: Lane<R> | undefined
      let behind = false
      for (const lane of this.#lanes.values()) {
        const row = lane.rows[lane.head]
        if (row === undefined) behind ||= lane.position < lane.end
        else if (next === undefined || row.timeMs < next.rows[next.head]!.timeMs) next = lane
      }
      if (next === undefined || (behind && this.#bytes <= this.#bytesMax)) break
      const row = next.rows[next.head++]!
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
}
