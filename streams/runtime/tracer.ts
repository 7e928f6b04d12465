/**
 * What the runtime tells whoever writes traces: each flush with its steps, and those of its records that somebody follows. The port; `streams/tracing.ts` implements it, and where nobody
 * traces there is none.
 *
 * Records are followed beside the state of their task, for the one flush that writes what they did, and in no checkpoint: after a crash they are read again, and followed again.
 */
import type { AnyEvent } from '../contract/events.ts'
import type { LogRecord, RecordPosition, TopicPartition } from '../log/event-log.ts'
import type { Announcement } from './task.ts'

/** A record whose trace is to show what became of it. Without its value, which is a view of a whole batch of the log and would keep that in memory until the flush. */
export interface FollowedRecord extends RecordPosition, Pick<LogRecord, 'appendedAtMs'> {
  readonly headers: Readonly<Record<string, string>>
  /** Of the headers: W3C, of whoever appended it. */
  readonly traceparent: string
  /** When the edge took it; null where that is not known. */
  readonly receivedMs: number | null
  /** When it was read from the log. */
  readonly readMs: number
  /** What it completed. */
  readonly alerts: readonly Announcement[]
}

export interface FlushStart {
  /** Read since the flush before. */
  events: number
  startedMs: number
  followed: readonly FollowedRecord[]
}

/** Each at most once, in this order. */
export type FlushStep = 'results' | 'features' | 'publish' | 'checkpoint'

export interface RuntimeTracer {
  begin(flush: FlushStart): FlushTrace
}

export interface FlushTrace {
  /** @param size of what is written: rows, features, records, tasks */
  step<R>(step: FlushStep, size: number, work: () => Promise<R>): Promise<R>
  /**
   * What the flush computed is written, and only announcing is left to do.
   * @param followed without those of partitions that were lost meanwhile
   * @param due ids of the announcements that will be published now
   * @returns the `traceparent` that an announcement is to carry, by its id
   */
  written(followed: readonly FollowedRecord[], due: ReadonlySet<string>): ReadonlyMap<string, string>
  /** @param error why it could not be carried out */
  end(error?: unknown): void
}

export const UNTRACED: RuntimeTracer = {
  begin: () => ({
    step: (_step, _size, work) => work(),
    written: () => new Map(),
    end() {},
  }),
}

/** Of one task and flush: more traces than these learn no more from a flush than these do. */
export const SAMPLED_MAX = 32

/** Of a record, until it is known whether its trace has anything to tell. There may be many, and most have not. */
type Noted = Pick<FollowedRecord, 'offset' | 'appendedAtMs' | 'headers' | 'receivedMs' | 'readMs'>

/** Of one task: which of its records are followed until the next flush. Alerts are always, whether or not their request was sampled. */
export class Followed {
  readonly #at: TopicPartition
  #readMs = 0
  #sampled: Noted[] = []
  /** By offset: those whose trace an operator has noted. */
  readonly #noted = new Map<number, Noted>()

  constructor(at: TopicPartition) {
    this.#at = at
  }

  /** Of records that are about to be processed: once enough of them are sampled, no more are looked at. */
  read(records: readonly LogRecord[], fromOffset: number, nowMs: number): void {
    this.#readMs = nowMs
    for (const record of records) {
      if (this.#sampled.length >= SAMPLED_MAX) return
      if (isSampled(record.headers?.traceparent) && record.offset >= fromOffset)
        this.#sampled.push(noted(record, null, nowMs))
    }
  }

  /** An operator has noted the trace of the record at hand. */
  note(record: LogRecord, event: AnyEvent): void {
    this.#noted.set(record.offset, noted(record, event.received_at ?? null, this.#readMs))
  }

  /** Hands over what is followed since the last call: records with alerts first. */
  take(alerts: readonly Announcement[]): FollowedRecord[] {
    const completed = new Map<number, Announcement[]>()
    for (const alert of alerts) {
      const { position } = alert.row
      if (!this.#noted.has(position)) continue
      const others = completed.get(position)
      if (others) others.push(alert)
      else completed.set(position, [alert])
    }
    const completing = [...completed].map(([offset, of]) => this.#follow(this.#noted.get(offset)!, of))
    const others = this.#sampled.filter(({ offset }) => !completed.has(offset))
    this.#sampled = []
    this.#noted.clear()
    return [...completing, ...others.map((found) => this.#follow(found, []))]
  }

  #follow(noted: Noted, alerts: readonly Announcement[]): FollowedRecord {
    return { ...this.#at, ...noted, traceparent: noted.headers.traceparent ?? '', alerts }
  }
}

function noted({ offset, appendedAtMs, headers = {} }: LogRecord, receivedMs: number | null, readMs: number): Noted {
  return { offset, appendedAtMs, headers, receivedMs, readMs }
}

/** By the lowest bit of the flags, which are the last two hexadecimal digits: https://www.w3.org/TR/trace-context/#sampled-flag */
export function isSampled(traceparent: string | undefined): boolean {
  if (traceparent === undefined) return false
  const digit = traceparent.charCodeAt(traceparent.length - 1)
  // Asked of every order: codes of odd digits are odd, those of the odd ones among a to f are even.
  return ((digit >= A ? digit + 1 : digit) & 1) === 1
}

const A = 0x61
