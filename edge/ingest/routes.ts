/**
 * `POST /events | /orders | /trips`: from the HTTP request to the verdicts.
 *
 * The bodies are documented with the schemas that validate them, but read by hand: event by event, so that one bad event costs only itself.
 */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Encoder } from '../../streams/contract/codec.ts'
import type { EventOf } from '../../streams/contract/events.ts'
import { INPUT_SCHEMAS } from '../../streams/contract/input.ts'
import { RecentIds } from '../../streams/contract/recent-ids.ts'
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS } from '../../streams/contract/topics.ts'
import { LogUnavailable } from '../../streams/log/event-log.ts'
import type { AppendLog, Clock, EdgeLogger } from '../ports.ts'
import { Problem, retryAfter } from '../problem.ts'
import { problems } from '../serve/envelope.ts'
import type { Telemetry } from '../telemetry.ts'
import { type Accept, createAccept, ID_FIELD, type IngestResult, VERDICT_CODES } from './accept.ts'
import { readText } from './body.ts'
import { parseEntries } from './entries.ts'
import { createPressure } from './pressure.ts'
import { requireWriteKey } from './write-key.ts'

export interface IngestLimits {
  eventBytesMax: number
  eventsMax: number
  compressedBytesMax: number
  decompressedBytesMax: number
  requestsInFlightMax: number
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
  bytesInFlightMax: 64 * 1024 * 1024,
  turnMsMax: 250,
  dedupeHorizonMs: 10 * 60_000,
  dedupeIdsMax: 1_000_000,
}

export type Encoders = { readonly [T in InputTopic]: Encoder<EventOf[T]> }

export interface IngestDeps {
  log: AppendLog
  encoders: Encoders
  clock: Pick<Clock, 'now'>
  newId: () => string
  writeKey: string
  /** Of amounts that name none. */
  currency: string
  limits: IngestLimits
  telemetry: Telemetry
  logger: EdgeLogger
}

export const INGEST_ROUTES = [
  { path: '/events', topic: CLICKSTREAM, what: 'clickstream events', name: 'ClickstreamEvent' },
  { path: '/orders', topic: ORDERS, what: 'orders', name: 'Order' },
  { path: '/trips', topic: TRIPS, what: 'completed trips', name: 'Trip' },
] as const

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

export function addIngestRoutes(api: OpenAPIHono, deps: IngestDeps): void {
  const { limits, telemetry } = deps
  const pressure = createPressure({
    requestsMax: limits.requestsInFlightMax,
    bytesMax: limits.bytesInFlightMax,
    turnMsMax: limits.turnMsMax,
  })
  telemetry.watchPressure(pressure)

  for (const route of INGEST_ROUTES) {
    const { path, topic } = route
    const accept = acceptFor(topic, deps)
    api.openAPIRegistry.registerPath(ingestRoute(route))
    api.post(path, async (c) => {
      const request = c.req.raw
      const { headers } = request
      requireWriteKey(headers, request.url, deps.writeKey)
      const ticket = pressure.enter()
      try {
        const text = await readText(request, limits, ticket)
        const entries = parseEntries(text, headers.get('content-type'), limits.eventsMax)
        const traceparent = headers.get('traceparent')
        const result = await appended(
          accept(entries.values, deps.clock.now(), traceparent && TRACEPARENT.test(traceparent) ? traceparent : null),
        )
        telemetry.ingested(topic, result)
        if (entries.form === 'single' && result.rejected.length > 0) throw invalidEvent(result)
        return c.json(result, 202)
      } finally {
        ticket.leave()
      }
    })
  }
}

function acceptFor<T extends InputTopic>(topic: T, deps: IngestDeps): Accept {
  return createAccept(topic, {
    log: deps.log,
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

/** Whoever sends one event, by curl perhaps, wants an error when it is refused. */
const invalidEvent = (result: IngestResult) =>
  new Problem('invalid_event', result.rejected[0]?.message ?? 'The event is not valid.', { members: { ...result } })

const verdict = z
  .object({
    index: z.number().int().describe('Position in the request, from 0; blank lines do not count'),
    event_id: z.string().nullable().describe('The id the client gave, where it is readable'),
    code: z.enum(VERDICT_CODES),
    message: z.string().describe('Names the field and what is wrong'),
    retryable: z.boolean().describe('Whether sending the event again unchanged can help'),
  })
  .openapi('Verdict')
const result = z
  .object({
    accepted: z.number().int().describe('Events that the log now has durably'),
    duplicates: z.number().int().describe('Events seen before, within ten minutes; not appended again'),
    rejected: z.array(verdict),
  })
  .openapi('IngestResult')

function ingestRoute({ path, topic, what, name }: (typeof INGEST_ROUTES)[number]) {
  // Made anew: only schemas made after zod-openapi was loaded can be named. Loose, since unknown fields are welcome.
  const one = z.looseObject(INPUT_SCHEMAS[topic].shape).openapi(name)
  const schema = z.union([one, z.array(one).min(1).max(INGEST_LIMITS.eventsMax)])
  return {
    method: 'post' as const,
    path,
    tags: ['Ingestion'],
    summary: `Send ${what}`,
    description:
      `One object, an array, or NDJSON; gzip and deflate are understood. An answer of 202 means that the accepted events are durable; every other event has a verdict. ` +
      `The same \`${ID_FIELD[topic]}\` within ten minutes is a duplicate, so a request can safely be sent again. A single object that is refused is answered with 422. ` +
      `At most ${INGEST_LIMITS.eventsMax} events and 1 MB (5 MB decompressed) in a request, 32 KB an event.`,
    security: [{ writeKey: [] }, { writeKeyHeader: [] }, { writeKeyQuery: [] }],
    request: {
      headers: z.object({ traceparent: z.string().optional().describe('W3C trace context; travels with the events') }),
      body: {
        required: true,
        content: {
          'application/json': { schema },
          'application/x-ndjson': { schema: z.string().describe('One JSON object per line') },
          'text/plain': { schema: z.string().describe('JSON or NDJSON, as sendBeacon sends it') },
        },
      },
    },
    responses: {
      202: { description: 'What became of each event', content: { 'application/json': { schema: result } } },
      ...problems(400, 401, 413, 415, 422, 503),
    },
  }
}
