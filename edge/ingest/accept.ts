/**
 * The ingest kernel: unvalidated events in, one append to the log, a verdict per event out.
 *
 * Sits between the HTTP routes and the log. Invariants: an event counts as accepted only after the log has it durably; an id counts as seen only
 * then too, so a failed append can be sent again; a bad event never takes its neighbours with it.
 */
import type { LogSystem } from '../../observability/messaging.ts'
import type { Encoder } from '../../streams/contract/codec.ts'
import { type EventOf, identityOf, keyOf } from '../../streams/contract/events.ts'
import { type InputProblem, type ParseContext, PROBLEM_CODES, parseEvent } from '../../streams/contract/input.ts'
import type { RecentIds } from '../../streams/contract/recent-ids.ts'
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS } from '../../streams/contract/topics.ts'
import type { NewRecord } from '../../streams/log/event-log.ts'
import type { AppendLog } from '../ports.ts'
import type { RequestTrace } from '../tracing.ts'
import { traceAppend } from './append-trace.ts'
import { consentOf, isWithoutConsent } from './consent.ts'
import { UnreadableLine } from './entries.ts'

export const VERDICT_CODES = ['malformed_line', ...PROBLEM_CODES] as const
export type VerdictCode = (typeof VERDICT_CODES)[number]

/** Why one event was not accepted. `retryable`: whether sending it again unchanged can help. */
export interface Verdict {
  index: number
  event_id: string | null
  code: VerdictCode
  message: string
  retryable: boolean
}

export interface IngestResult {
  accepted: number
  duplicates: number
  rejected: Verdict[]
  /** Let go because they say that whom they are about does not agree, or do not say it to a key that requires it; missing where there was none. */
  without_consent?: number
}

/** The field that carries an event's id, by topic. */
export const ID_FIELD = {
  [CLICKSTREAM]: 'event_id',
  [ORDERS]: 'order_id',
  [TRIPS]: 'trip_id',
} as const satisfies Record<InputTopic, string>

export interface AcceptDeps<T extends InputTopic> {
  log: AppendLog
  /** For spans of appends. */
  logSystem: LogSystem
  encode: Encoder<EventOf[T]>
  recent: RecentIds
  defaultCurrency: string
  newId: () => string
  eventBytesMax: number
  /** Called for an event that passed validation and yet could not be encoded: a bug to report, not a reason to lose its neighbours. */
  onUnencodable: (error: unknown) => void
}

/** What is known of a request besides its events. */
export interface Sending {
  /** Epoch milliseconds. */
  receivedAt: number
  trace: RequestTrace
  /** Whether a program sends it that is no one's browser; null where nobody can tell. */
  bot: boolean | null
}

/** @param requiresConsent whether an event that says nothing of consent is let go as well */
export type Accept = (values: readonly unknown[], sending: Sending, requiresConsent: boolean) => Promise<IngestResult>

export function createAccept<T extends InputTopic>(topic: T, deps: AcceptDeps<T>): Accept {
  // The indexed access of a union of functions has no common signature; both tables pair topic and event type.
  const identity = identityOf[topic] as (event: EventOf[T]) => string
  const keyFor = keyOf[topic] as (event: EventOf[T]) => string
  const { recent } = deps

  return async (values, { receivedAt, trace, bot }, requiresConsent) => {
    const context: ParseContext = { receivedAt, currency: deps.defaultCurrency, newId: deps.newId, bot }
    const { headers, around } = traceAppend(topic, trace, deps.logSystem)
    const records: NewRecord[] = []
    /** Identities of this request's accepted events. */
    const ids = new Set<string>()
    const rejected: Verdict[] = []
    let duplicates = 0
    let withoutConsent = 0
    const reject = (index: number, problem: Pick<Verdict, 'code' | 'message'>) =>
      rejected.push({
        index,
        event_id: idOf(topic, values[index]),
        code: problem.code,
        message: problem.message,
        retryable: false,
      })

    for (let index = 0; index < values.length; index++) {
      const raw = values[index]
      if (raw instanceof UnreadableLine) {
        reject(index, { code: 'malformed_line', message: `line ${raw.line} ${raw.why}` })
        continue
      }
      const consent = consentOf(raw)
      if (isWithoutConsent(consent, requiresConsent)) {
        withoutConsent++
        continue
      }
      if (consent === 'unreadable') {
        reject(index, { code: 'wrong_type', message: 'consent: expected true or false' })
        continue
      }
      const parsed = parseEvent(topic, raw, context)
      if (!parsed.ok) {
        reject(index, bounded(parsed.problem))
        continue
      }
      const id = identity(parsed.event)
      if (ids.has(id) || recent.has(id, receivedAt)) {
        duplicates++
        continue
      }
      let value: Uint8Array
      try {
        value = deps.encode(parsed.event)
      } catch (error) {
        deps.onUnencodable(error)
        reject(index, { code: 'invalid_value', message: 'the event has a value that cannot be stored' })
        continue
      }
      if (value.length > deps.eventBytesMax) {
        reject(index, {
          code: 'too_large',
          message: `the event is ${value.length} bytes, the limit is ${deps.eventBytesMax}`,
        })
        continue
      }
      ids.add(id)
      const key = keyFor(parsed.event)
      records.push(headers ? { topic, key, value, headers } : { topic, key, value })
    }

    if (records.length > 0) {
      await around(records.length, () => deps.log.append(records))
      for (const id of ids) recent.add(id, receivedAt)
    }
    const result = { accepted: records.length, duplicates, rejected }
    return withoutConsent > 0 ? { ...result, without_consent: withoutConsent } : result
  }
}

/** A message may quote the client's own field names, which can be long. */
const bounded = (problem: InputProblem): Pick<Verdict, 'code' | 'message'> => ({
  code: problem.code,
  message: problem.message.slice(0, 500),
})

function idOf(topic: InputTopic, raw: unknown): string | null {
  if (typeof raw !== 'object' || raw === null) return null
  const field = ID_FIELD[topic]
  const id = Object.hasOwn(raw, field) ? (raw as Record<string, unknown>)[field] : null
  return typeof id === 'string' ? id.slice(0, 200) : null
}
