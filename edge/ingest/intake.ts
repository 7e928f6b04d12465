/**
 * What every request that brings events goes through, whichever form its events have: its key, its place among those in flight, its body within bounds, and then
 * `work`, which turns the text into verdicts. `routes.ts` has our own form, `segment/` has Segment's.
 *
 * Invariant: what a request holds is given back, however it ends; a log that is away is told as 503, for then nothing of the request was stored.
 */
import type { Context } from 'hono'
import type { LogSystem } from '../../observability/messaging.ts'
import type { Encoder } from '../../streams/contract/codec.ts'
import type { EventOf } from '../../streams/contract/events.ts'
import { RecentIds } from '../../streams/contract/recent-ids.ts'
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS } from '../../streams/contract/topics.ts'
import { LogUnavailable } from '../../streams/log/event-log.ts'
import { withoutBase } from '../base-path.ts'
import type { AppendLog, Clock, EdgeLogger } from '../ports.ts'
import { Problem, retryAfter } from '../problem.ts'
import { sha256Of } from '../sha256.ts'
import type { Telemetry } from '../telemetry.ts'
import { traceOf } from '../tracing.ts'
import { type Accept, createAccept, type IngestResult, type Sending } from './accept.ts'
import { type Decompressors, readChunks, readText, WEB_DECOMPRESSORS } from './body.ts'
import { botBy } from './bot.ts'
import { type Answer, createIdempotency, idempotencyKeyOf } from './idempotency.ts'
import { createQuotas } from './keys/quota.ts'
import type { WriteKey, WriteKeys } from './keys/write-keys.ts'
import type { LineLimits } from './lines.ts'
import { createPressure, type Ticket } from './pressure.ts'
import { givenWriteKey, requireOrigin, requireWriteKey } from './write-key.ts'

export interface IngestLimits extends LineLimits {
  eventBytesMax: number
  compressedBytesMax: number
  decompressedBytesMax: number
  requestsInFlightMax: number
  /** Requests whose body is still to come. */
  requestsReadingMax: number
  bytesInFlightMax: number
  /** One turn of the event loop takes requests for so long; those that wait behind are refused. */
  turnMsMax: number
  /** How long, by wall clock, an id is remembered to report its duplicates early. */
  dedupeHorizonMs: number
  /** Ids remembered per topic and half of the horizon, at most. */
  dedupeIdsMax: number
}

export const INGEST_LIMITS: IngestLimits = {
  eventBytesMax: 32 * 1024,
  eventsMax: 500,
  compressedBytesMax: 1024 * 1024,
  decompressedBytesMax: 5 * 1024 * 1024,
  requestsInFlightMax: 512,
  requestsReadingMax: 1024,
  bytesInFlightMax: 64 * 1024 * 1024,
  turnMsMax: 250,
  dedupeHorizonMs: 10 * 60_000,
  dedupeIdsMax: 1_000_000,
  lineBytesMax: 256 * 1024,
  linesMax: 100_000,
  streamBytesMax: 64 * 1024 * 1024,
  rejectedMax: 1_000,
  streamMsMax: 25_000,
}

export type Encoders = { readonly [T in InputTopic]: Encoder<EventOf[T]> }

export interface IngestDeps {
  log: AppendLog
  logSystem: LogSystem
  encoders: Encoders
  clock: Pick<Clock, 'now'>
  newId: () => string
  keys: Pick<WriteKeys, 'find'>
  /** Content codings that the Web's own streams don't know everywhere. */
  decompressors: Decompressors
  /** Of amounts that name none. */
  currency: string
  limits: IngestLimits
  telemetry: Telemetry
  logger: EdgeLogger
}

/** A request whose key is good and whose body is here. */
export interface Received extends Sending {
  text: string
  contentType: string | null
  key: WriteKey
}

/** A request whose key is good and whose body is still to come. */
export interface Arriving extends Sending {
  key: WriteKey
  chunks: (signal: AbortSignal) => AsyncIterable<Uint8Array>
  hasLeft: () => boolean
  ticket: Pick<Ticket, 'hold' | 'release'>
}

export interface Intake {
  readonly limits: IngestLimits
  /**
   * @param keyIn finds the key in the body, for clients that send it nowhere else; their body is read before it is known who they are
   * @throws Problem for a request that is refused as a whole
   */
  receive(
    c: Context,
    work: (received: Received) => Promise<Response>,
    keyIn?: (text: string) => string | null,
  ): Promise<Response>
  /** The same for a body that is worked on as it arrives. */
  receiveArriving(c: Context, work: (arriving: Arriving) => Promise<Response>): Promise<Response>
  /** Unvalidated events of one topic to the log, with a verdict for each; all of them count for the key's quota. @throws Problem when the log is away: then none of them was stored */
  accept(topic: InputTopic, values: readonly unknown[], from: Sending & { key: WriteKey }): Promise<IngestResult>
}

export function createIntake(deps: IngestDeps): Intake {
  const { limits, telemetry, clock, keys } = deps
  const quotas = createQuotas(clock)
  const idempotency = createIdempotency(clock)
  const decompressors = { ...WEB_DECOMPRESSORS, ...deps.decompressors }
  const pressure = createPressure({
    requestsMax: limits.requestsInFlightMax,
    readingMax: limits.requestsReadingMax,
    bytesMax: limits.bytesInFlightMax,
    turnMsMax: limits.turnMsMax,
  })
  telemetry.watchPressure(pressure)
  const accepts: Record<InputTopic, Accept> = {
    [CLICKSTREAM]: acceptFor(CLICKSTREAM, deps),
    [ORDERS]: acceptFor(ORDERS, deps),
    [TRIPS]: acceptFor(TRIPS, deps),
  }

  /** @throws Problem where the key is not known, not for this page, or has used up its quota */
  function admitted(c: Context, given: string | null): WriteKey {
    const key = requireWriteKey(given, keys)
    requireOrigin(c, key)
    quotas.admit(key)
    return key
  }

  const told = (response: Response, key: WriteKey): Response => {
    for (const [name, value] of Object.entries(quotas.headers(key))) response.headers.set(name, value)
    return response
  }

  return {
    limits,
    async receive(c, work, keyIn) {
      const request = c.req.raw
      const { headers } = request
      const given = givenWriteKey(headers, request.url)
      const known = given !== null || !keyIn ? admitted(c, given) : null
      const idempotencyKey = idempotencyKeyOf(headers)
      const ticket = pressure.enter()
      try {
        const text = await readText(request, limits, decompressors, ticket)
        const key = known ?? admitted(c, keyIn?.(text) ?? null)
        const answer = () => work({ ...sendingOf(c, clock.now()), text, contentType: headers.get('content-type'), key })
        if (idempotencyKey === null) return told(await answer(), key)
        const scope = `${key.id} ${withoutBase(c.req.path)} ${idempotencyKey}`
        return told(await idempotency.once(scope, await fingerprintOf(text), answer, (past) => again(c, past)), key)
      } finally {
        ticket.leave()
      }
    },
    async receiveArriving(c, work) {
      const request = c.req.raw
      const key = admitted(c, givenWriteKey(request.headers, request.url))
      const ticket = pressure.enter()
      try {
        const chunks = (signal: AbortSignal) => readChunks(request, decompressors, ticket, signal)
        const sending = sendingOf(c, clock.now())
        return told(await work({ ...sending, key, chunks, hasLeft: () => quotas.hasLeft(key), ticket }), key)
      } finally {
        ticket.leave()
      }
    },
    async accept(topic, values, from) {
      quotas.charge(from.key, values.length)
      const result = await appended(accepts[topic](values, from, from.key.requiresConsent))
      telemetry.ingested(topic, result)
      from.trace.ingested(result)
      return result
    },
  }
}

const sendingOf = (c: Context, receivedAt: number): Sending => ({
  receivedAt,
  trace: traceOf(c),
  bot: botBy(c.req.raw.headers.get('user-agent')),
})

const again = (c: Context, { status, body, contentType }: Answer): Response =>
  c.body(body, status as 200, { 'content-type': contentType, 'idempotency-replayed': 'true' })

async function fingerprintOf(text: string): Promise<string> {
  return String.fromCharCode(...(await sha256Of(text)))
}

function acceptFor<T extends InputTopic>(topic: T, deps: IngestDeps): Accept {
  return createAccept(topic, {
    log: deps.log,
    logSystem: deps.logSystem,
    encode: deps.encoders[topic],
    recent: new RecentIds(deps.limits.dedupeHorizonMs, deps.limits.dedupeIdsMax),
    defaultCurrency: deps.currency,
    newId: deps.newId,
    eventBytesMax: deps.limits.eventBytesMax,
    onUnencodable: (error) => deps.logger.error({ err: error, topic }, 'A valid event could not be encoded'),
  })
}

async function appended(accepting: Promise<IngestResult>): Promise<IngestResult> {
  try {
    return await accepting
  } catch (error) {
    if (!(error instanceof LogUnavailable)) throw error
    throw new Problem(
      'log_unavailable',
      'The events were not stored: the event log is not available. Send the same request again in a moment.',
      { headers: retryAfter(2), cause: error },
    )
  }
}
