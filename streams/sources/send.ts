/**
 * The sender: events of the HTTP form to the edge, in batches, as fast as it takes them and no faster.
 *
 * Sits between a source (simulator, replay) and the edge. Invariants: events of one partition are sent in the order they were given, one request
 * at a time, whatever fails between; every event is settled exactly once (accepted, duplicate, rejected or let go without consent) or the sender fails as a whole;
 * what is queued is bounded.
 *
 * A lane is a queue with one request in flight. The events of a partition share a lane, so `concurrency` lanes per topic keep the order.
 */
import { partitionOf } from '../contract/partition.ts'
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS, topicNamed } from '../contract/topics.ts'
import type { Clock } from '../time/clock.ts'

export const BATCH_EVENTS_MAX = 500
export const BATCH_BYTES_MAX = 900 * 1024
/** Events a lane holds before `send` makes its caller wait. */
const LANE_EVENTS_MAX = 4 * BATCH_EVENTS_MAX
const REQUEST_TIMEOUT_MS = 30_000
const BACK_OFF_FIRST_MS = 100
const BACK_OFF_MAX_MS = 5_000
/** A server may ask for more patience than that, up to here. */
const RETRY_AFTER_MAX_MS = 60_000

const PATHS: Readonly<Record<InputTopic, string>> = {
  [CLICKSTREAM]: '/api/v1/events',
  [ORDERS]: '/api/v1/orders',
  [TRIPS]: '/api/v1/trips',
}

export interface Outgoing<S> {
  topic: InputTopic
  /** HTTP form of `contract/input.ts`. */
  event: object
  /** Whatever the caller knows the event by, e.g. its line. */
  source: S
}

/** Why the edge refused one event. */
export interface Refusal {
  code: string
  message: string
}

export interface SenderOptions<S> {
  edgeUrl: string
  writeKey: string
  clock: Clock
  /** Requests in flight per topic, at most; default 2. More than a topic has partitions is of no use. */
  concurrency?: number
  /** How long the edge may refuse or be away before the sender gives up, ms; default a minute. */
  patienceMs?: number
  /** Stops everything: whoever waits gets a {@link SendFailed} `aborted`. */
  signal?: AbortSignal
  onRejected?: (source: S, refusal: Refusal, event: object) => void
  /** The events of a batch that are settled, rejected ones included. */
  onSettled?: (sources: readonly S[]) => void
}

export interface SendCounts {
  accepted: number
  duplicates: number
  rejected: number
  /** Let go by the edge, since whom they are about does not agree. */
  withoutConsent: number
  requests: number
  /** Requests that had to be sent again. */
  retries: number
}

export interface Sender<S> {
  /** Takes the event at once; the promise, when there is one, resolves as soon as there is room for more. @throws SendFailed */
  send(item: Outgoing<S>): Promise<void> | undefined
  /** Resolves when everything sent so far is settled. @throws SendFailed */
  idle(): Promise<void>
  readonly counts: Readonly<SendCounts>
}

export type SendFailure = 'unauthorized' | 'unexpected_answer' | 'unreachable' | 'aborted'

/** Sending can't go on. The message says what to do. */
export class SendFailed extends Error {
  override readonly name = 'SendFailed'
  readonly reason: SendFailure
  constructor(reason: SendFailure, message: string) {
    super(message)
    this.reason = reason
  }
}

interface Queued<S> {
  source: S
  event: object
  json: string
  bytes: number
}

interface Lane<S> {
  topic: InputTopic
  queue: Queued<S>[]
  busy: boolean
}

interface Answer {
  accepted: number
  duplicates: number
  rejected: { index: number; code: string; message: string; retryable?: boolean }[]
  without_consent?: number
}

export function createSender<S>(options: SenderOptions<S>): Sender<S> {
  const { clock, concurrency = 2, patienceMs = 60_000, signal } = options
  const base = options.edgeUrl.replace(/\/+$/, '')
  const headers = { 'content-type': 'application/x-ndjson', authorization: `Bearer ${options.writeKey}` }
  const counts: SendCounts = { accepted: 0, duplicates: 0, rejected: 0, withoutConsent: 0, requests: 0, retries: 0 }
  const lanes = new Map<InputTopic, Lane<S>[]>()
  let failure: SendFailed | undefined
  /** Woken whenever a lane has got room or everything has failed. */
  let waiting: (() => void)[] = []

  const wake = () => {
    const woken = waiting
    waiting = []
    for (const resume of woken) resume()
  }
  const fail = (error: unknown) => {
    failure ??= error instanceof SendFailed ? error : new SendFailed('unexpected_answer', String(error))
    wake()
  }
  const aborted = () => new SendFailed('aborted', 'Sending was stopped.')
  if (signal?.aborted) fail(aborted())
  signal?.addEventListener('abort', () => fail(aborted()), { once: true })

  async function until(done: () => boolean): Promise<void> {
    while (!failure && !done()) await new Promise<void>((resume) => waiting.push(resume))
    if (failure) throw failure
  }

  function laneFor(item: Outgoing<S>): Lane<S> {
    let topicLanes = lanes.get(item.topic)
    if (!topicLanes) {
      const count = Math.max(1, Math.min(concurrency, topicNamed(item.topic).partitions))
      topicLanes = Array.from({ length: count }, () => ({ topic: item.topic, queue: [], busy: false }))
      lanes.set(item.topic, topicLanes)
    }
    if (topicLanes.length === 1) return topicLanes[0]!
    const partition = partitionOf(keyOfInput(item.event as KeyFields), topicNamed(item.topic).partitions)
    return topicLanes[partition % topicLanes.length]!
  }

  async function work(lane: Lane<S>): Promise<void> {
    try {
      while (lane.queue.length > 0 && !failure) {
        await deliver(lane.topic, takeBatch(lane.queue))
        wake()
      }
    } catch (error) {
      fail(error)
    } finally {
      lane.busy = false
      wake()
    }
  }

  /** Sends the batch until each of its events is settled. */
  async function deliver(topic: InputTopic, first: Queued<S>[]): Promise<void> {
    let batch = first
    let attempt = 0
    let troubleSince: number | undefined
    while (batch.length > 0) {
      const outcome = await post(topic, batch)
      if (failure) throw failure
      if ('split' in outcome) {
        const half = Math.ceil(batch.length / 2)
        await deliver(topic, batch.slice(0, half))
        batch = batch.slice(half)
        continue
      }
      if ('answer' in outcome) {
        batch = settle(batch, outcome.answer)
        if (batch.length === 0) return
      }
      const trouble = 'trouble' in outcome ? outcome.trouble : 'it takes some of the events only later'
      const now = clock.now()
      troubleSince ??= now
      if (now - troubleSince >= patienceMs) throw unreachable(trouble, now - troubleSince)
      const backOff = Math.min(BACK_OFF_MAX_MS, BACK_OFF_FIRST_MS * 2 ** attempt++)
      const asked = 'retryAfterMs' in outcome ? outcome.retryAfterMs : undefined
      counts.retries++
      await clock.sleep(Math.min(asked ?? backOff, patienceMs), signal)
      if (failure) throw failure
    }
  }

  const unreachable = (trouble: string, ms: number) =>
    new SendFailed(
      'unreachable',
      `The edge at ${base} has taken no events for ${Math.round(ms / 1000)} s: ${trouble}. Is the platform up (npm start)? Run the command again when it is.`,
    )

  /** Counts what the edge says of the batch; returns the events that it wants again. */
  function settle(batch: Queued<S>[], answer: Answer): Queued<S>[] {
    const again = new Set<number>()
    for (const { index, code, message, retryable } of answer.rejected) {
      const item = batch[index]
      if (!item) throw unexpected(202, `it rejects event ${index} of a request of ${batch.length}`)
      if (retryable) again.add(index)
      else {
        counts.rejected++
        options.onRejected?.(item.source, { code, message }, item.event)
      }
    }
    counts.accepted += answer.accepted
    counts.duplicates += answer.duplicates
    counts.withoutConsent += answer.without_consent ?? 0
    const settled = again.size === 0 ? batch : batch.filter((_, index) => !again.has(index))
    options.onSettled?.(settled.map((item) => item.source))
    return again.size === 0 ? [] : batch.filter((_, index) => again.has(index))
  }

  type Outcome = { answer: Answer } | { split: true } | { trouble: string; retryAfterMs?: number }

  async function post(topic: InputTopic, batch: Queued<S>[]): Promise<Outcome> {
    const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS)
    let status: number
    let body: string
    let retryAfter: string | null
    counts.requests++
    try {
      const response = await fetch(`${base}${PATHS[topic]}`, {
        method: 'POST',
        headers,
        body: batch.map((item) => item.json).join('\n'),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      })
      status = response.status
      retryAfter = response.headers.get('retry-after')
      body = await response.text()
    } catch (error) {
      // Also when the answer breaks off: what of the batch was accepted is then a duplicate the next time.
      return { trouble: connectionTrouble(error) }
    }
    if (status === 202) return { answer: parseAnswer(status, body, batch.length) }
    if (status === 413 && batch.length > 1) return { split: true }
    if (status === 429 || status >= 500) {
      const retryAfterMs = retryAfterOf(retryAfter, clock.now())
      const trouble = `it answers ${status} (${detailOf(body)})`
      return retryAfterMs === undefined ? { trouble } : { trouble, retryAfterMs }
    }
    // A batch of one line is an event of its own to the edge, which then answers 422.
    if (status === 422 && batch.length === 1) return { answer: parseAnswer(status, body, 1) }
    if (status === 401 || status === 403) {
      throw new SendFailed(
        'unauthorized',
        `The edge at ${base} refuses the write key. npm start prints the right one; give it with --write-key or STREAMFORGE_WRITE_KEY.`,
      )
    }
    throw unexpected(status, detailOf(body))
  }

  const unexpected = (status: number, detail: string) =>
    new SendFailed(
      'unexpected_answer',
      `${base} answers ${status} where a StreamForge edge would take events: ${detail}. Check the URL.`,
    )

  function parseAnswer(status: number, body: string, sent: number): Answer {
    let answer: Partial<Answer> | null = null
    try {
      answer = JSON.parse(body) as Partial<Answer> | null
    } catch {
      // Reported below.
    }
    const { accepted, duplicates, rejected, without_consent = 0 } = answer ?? {}
    if (typeof accepted !== 'number' || typeof duplicates !== 'number' || !Array.isArray(rejected)) {
      throw unexpected(status, 'the answer has no verdict')
    }
    const settled = accepted + duplicates + rejected.length + without_consent
    if (settled !== sent) throw unexpected(status, `it has a verdict on ${settled} of ${sent} events`)
    return { accepted, duplicates, rejected, without_consent }
  }

  return {
    counts,
    send(item) {
      if (failure) throw failure
      const json = JSON.stringify(item.event)
      const lane = laneFor(item)
      lane.queue.push({ source: item.source, event: item.event, json, bytes: Buffer.byteLength(json) + 1 })
      if (!lane.busy) {
        lane.busy = true
        // Not at once: what the caller sends in this turn goes in one request.
        setImmediate(() => void work(lane))
      }
      return lane.queue.length < LANE_EVENTS_MAX ? undefined : until(() => lane.queue.length < LANE_EVENTS_MAX / 2)
    },
    idle: () => until(() => [...lanes.values()].every((topicLanes) => topicLanes.every((lane) => !lane.busy))),
  }
}

function takeBatch<S>(queue: Queued<S>[]): Queued<S>[] {
  let bytes = 0
  let count = 0
  while (count < queue.length && count < BATCH_EVENTS_MAX) {
    bytes += queue[count]!.bytes
    if (bytes > BATCH_BYTES_MAX && count > 0) break
    count++
  }
  return queue.splice(0, count)
}

interface KeyFields {
  user_id?: unknown
  anonymous_id?: unknown
  region_id?: unknown
}
/** As `keyOf` of contract/events.ts, from the HTTP form. */
const keyOfInput = (event: KeyFields): string => String(event.region_id ?? event.user_id ?? event.anonymous_id ?? '')

/** Seconds or an HTTP date (RFC 9110, 10.2.3). */
function retryAfterOf(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), RETRY_AFTER_MAX_MS)
}

function connectionTrouble(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const { code, message } = cause as { code?: string; message?: string }
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  return code ?? message ?? String(error)
}

function detailOf(body: string): string {
  try {
    const { detail } = JSON.parse(body) as { detail?: unknown }
    if (typeof detail === 'string') return detail.slice(0, 300)
  } catch {
    // Not a problem document: its beginning has to do.
  }
  return body.trim().slice(0, 120) || 'no message'
}
