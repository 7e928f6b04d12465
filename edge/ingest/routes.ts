/**
 * `POST /events | /orders | /trips`: from the HTTP request to the verdicts.
 *
 * The bodies are documented with the schemas that validate them, but read by hand: event by event, so that one bad event costs only itself.
 */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { INPUT_SCHEMAS } from '../../streams/contract/input.ts'
import { CLICKSTREAM, ORDERS, TRIPS } from '../../streams/contract/topics.ts'
import { Problem } from '../problem.ts'
import { problems } from '../serve/envelope.ts'
import { ID_FIELD, type IngestResult, VERDICT_CODES } from './accept.ts'
import { isNdjson, parseEntries } from './entries.ts'
import { INGEST_LIMITS, type Intake } from './intake.ts'
import { STOPPED_CODES, takeLines } from './lines.ts'

export const INGEST_ROUTES = [
  { path: '/events', topic: CLICKSTREAM, what: 'clickstream events', name: 'ClickstreamEvent' },
  { path: '/orders', topic: ORDERS, what: 'orders', name: 'Order' },
  { path: '/trips', topic: TRIPS, what: 'completed trips', name: 'Trip' },
] as const

/** How a client can bring its write key. */
export const BY_WRITE_KEY = [{ writeKey: [] }, { writeKeyHeader: [] }, { writeKeyQuery: [] }]

export function addIngestRoutes(api: OpenAPIHono, intake: Intake): void {
  for (const route of INGEST_ROUTES) {
    const { path, topic } = route
    api.openAPIRegistry.registerPath(ingestRoute(route))
    api.post(path, (c) => {
      // An answer can be given again only for a body that is known whole.
      if (isNdjson(c.req.header('content-type') ?? null) && c.req.header('idempotency-key') === undefined) {
        return intake.receiveArriving(c, async (arriving) => {
          const accept = (values: readonly unknown[]) => intake.accept(topic, values, arriving)
          return c.json(await takeLines({ ...arriving, accept, limits: intake.limits }), 202)
        })
      }
      return intake.receive(c, async (received) => {
        const entries = parseEntries(received.text, received.contentType, intake.limits.eventsMax)
        const result = await intake.accept(topic, entries.values, received)
        if (entries.form === 'single' && result.rejected.length > 0) throw invalidEvent(result)
        return c.json(result, 202)
      })
    })
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
/** What became of the events of a request. */
export const ingestResult = z
  .object({
    accepted: z.number().int().describe('Events that the log now has durably'),
    duplicates: z.number().int().describe('Events seen before, within ten minutes; not appended again'),
    rejected: z.array(verdict),
    without_consent: z
      .number()
      .int()
      .optional()
      .describe(
        'Events that say themselves that whom they are about does not agree, or do not say so to a key that requires it: neither stored nor kept in mind',
      ),
  })
  .openapi('IngestResult')

/** The same for a body that is taken as it arrives. */
const arrivingResult = ingestResult
  .extend({
    stopped: z
      .object({
        index: z.number().int().describe('The first line that was not taken; blank lines do not count'),
        code: z.enum(STOPPED_CODES),
        message: z.string(),
      })
      .optional()
      .describe('NDJSON only: why not all of it was taken. What came before has its verdict'),
  })
  .openapi('ArrivingResult')

function ingestRoute({ path, topic, what, name }: (typeof INGEST_ROUTES)[number]) {
  // Made anew: only schemas made after zod-openapi was loaded can be named. Loose, since unknown fields are welcome.
  const consent = z
    .boolean()
    .nullish()
    .describe(
      'false: whom it is about does not agree, and the event is let go. Missing: nobody was asked, or it is not needed; with a write key that requires consent it is let go, too',
    )
  const one = z.looseObject({ ...INPUT_SCHEMAS[topic].shape, consent }).openapi(name)
  const schema = z.union([one, z.array(one).min(1).max(INGEST_LIMITS.eventsMax)])
  return {
    method: 'post' as const,
    path,
    tags: ['Ingestion'],
    summary: `Send ${what}`,
    description:
      `One object, an array, or NDJSON; gzip, deflate and br are understood. An answer of 202 means that the accepted events are durable; every other event has a verdict. ` +
      `The same \`${ID_FIELD[topic]}\` within ten minutes is a duplicate, so a request can safely be sent again. A single object that is refused is answered with 422. ` +
      `At most ${INGEST_LIMITS.eventsMax} events and 1 MB (5 MB decompressed) in a request, 32 KB an event. NDJSON is taken as it arrives, ${INGEST_LIMITS.eventsMax} lines at a time: up to ` +
      `${INGEST_LIMITS.linesMax} lines, 64 MB decompressed and ${INGEST_LIMITS.streamMsMax / 1000} seconds; where it ends earlier than its body, \`stopped\` says at which line. ` +
      'With an Idempotency-Key a request is read whole, and the same body under the same key gets the same answer for an hour from the same edge process; another process, or one that was started anew, tells ' +
      'its events apart by their ids. 429 is the quota of the write key, 503 is pressure; both say when to come back. A page whose origin the key does not allow gets 403.',
    security: [...BY_WRITE_KEY],
    request: {
      headers: z.object({
        traceparent: z.string().optional().describe('W3C trace context; travels with the events'),
        'idempotency-key': z.string().optional().describe('Up to 200 visible ASCII characters, e.g. a UUID'),
      }),
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
      202: { description: 'What became of each event', content: { 'application/json': { schema: arrivingResult } } },
      ...problems(400, 401, 403, 408, 409, 413, 415, 422, 429, 503),
    },
  }
}
