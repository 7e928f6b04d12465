/**
 * `POST /v1/…`: Segment's HTTP API, so that its SDKs can be pointed here by their host alone. Answers as Segment does, and says besides what became of each message.
 *
 * Invariant: a message's order goes into the log before the click that names it, and a message whose order is refused is refused whole; when the log fails in between,
 * the request is answered with 503, and the order is a duplicate when the client sends it again.
 */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { CLICKSTREAM, ORDERS } from '../../../streams/contract/topics.ts'
import { problems } from '../../serve/envelope.ts'
import type { Telemetry } from '../../telemetry.ts'
import type { Verdict } from '../accept.ts'
import { consentOf, isWithoutConsent } from '../consent.ts'
import type { Intake, Received } from '../intake.ts'
import { BY_WRITE_KEY, ingestResult } from '../routes.ts'
import { BATCH_MESSAGES_MAX, messagesOf, parseBody, writeKeyIn } from './body.ts'
import type { Fields } from './loose.ts'
import { type Call, type Mapped, toEvents } from './mapping.ts'

interface SegmentRoute {
  /** The second is what the SDKs of browsers use. */
  paths: readonly string[]
  /** null: a batch. */
  call: Call | null
  summary: string
}

const ROUTES: readonly SegmentRoute[] = [
  { paths: ['/v1/track', '/v1/t'], call: 'track', summary: 'What a user has done' },
  { paths: ['/v1/page', '/v1/p'], call: 'page', summary: 'A page that was viewed' },
  { paths: ['/v1/screen', '/v1/s'], call: 'screen', summary: 'A screen of an app that was viewed' },
  { paths: ['/v1/identify', '/v1/i'], call: 'identify', summary: 'What is known about a user' },
  { paths: ['/v1/group', '/v1/g'], call: 'group', summary: 'What a user belongs to' },
  { paths: ['/v1/alias', '/v1/a'], call: 'alias', summary: 'Another id of the same user' },
  // The third is that of older server SDKs.
  { paths: ['/v1/batch', '/v1/b', '/v1/import'], call: null, summary: 'Any of these, up to 2,500 at once' },
]
export const SEGMENT_PATHS = ROUTES.flatMap(({ paths }) => paths)

export interface SegmentDeps {
  intake: Pick<Intake, 'receive' | 'accept'>
  telemetry: Pick<Telemetry, 'ingested'>
  /** The id of a message that brings none. */
  newId: () => string
}

export function addSegmentRoutes(api: OpenAPIHono, deps: SegmentDeps): void {
  for (const route of ROUTES) {
    for (const path of route.paths) {
      api.openAPIRegistry.registerPath(documented(path, route))
      api.post(path, (c) => {
        let body: Fields | undefined
        const bodyOf = (text: string): Fields => (body ??= parseBody(text, c.req.header('content-type') ?? null))
        return deps.intake.receive(
          c,
          async (received) =>
            c.json({ success: true, ...(await take(bodyOf(received.text), route.call, received, deps)) }),
          (text) => writeKeyIn(bodyOf(text)),
        )
      })
    }
  }
}

interface Numbered {
  index: number
  events: Mapped
}

async function take(body: Fields, call: Call | null, received: Received, { intake, telemetry, newId }: SegmentDeps) {
  const { messages, envelope } = messagesOf(body, call)
  const rejected: Verdict[] = []
  const mapped: Numbered[] = []
  let withoutConsent = 0
  const { requiresConsent } = received.key
  for (const [index, message] of messages.entries()) {
    const mapping = toEvents(message, envelope, newId)
    // Of a message, not of its click and its order: so it is counted here, once.
    if (mapping.ok && isWithoutConsent(consentOf(mapping.events.click), requiresConsent)) withoutConsent++
    else if (mapping.ok) mapped.push({ index, events: mapping.events })
    else {
      const { id, code, message: why } = mapping.problem
      rejected.push({ index, event_id: id, code, message: why, retryable: false })
    }
  }
  const consent = withoutConsent > 0 && { without_consent: withoutConsent }
  const unmapped = { accepted: 0, duplicates: 0, rejected, ...consent }
  telemetry.ingested(CLICKSTREAM, unmapped)
  received.trace.ingested(unmapped)

  const orders = mapped.filter(({ events }) => events.order !== null)
  const refusedOrders = new Set<Numbered>()
  if (orders.length > 0) {
    const values = orders.map(({ events }) => events.order)
    for (const verdict of (await intake.accept(ORDERS, values, received)).rejected) {
      const numbered = orders[verdict.index]!
      refusedOrders.add(numbered)
      rejected.push(ofMessage(verdict, numbered))
    }
  }
  const clicks = mapped.filter((numbered) => !refusedOrders.has(numbered))
  const values = clicks.map(({ events }) => events.click)
  const result = await intake.accept(CLICKSTREAM, values, received)
  rejected.push(...result.rejected.map((verdict) => ofMessage(verdict, clicks[verdict.index]!)))
  // Every message is one click, so these are the messages'.
  return { ...result, ...consent, rejected: rejected.sort((a, b) => a.index - b.index) }
}

/** A verdict on an event as one on the message that it came from. */
const ofMessage = (verdict: Verdict, { index, events }: Numbered): Verdict => ({
  ...verdict,
  index,
  event_id: events.id.slice(0, 200),
})

const any = (description: string) => z.unknown().optional().describe(description)

// Nothing has a type: a field that is not what it should be costs its message a verdict, never the request.
const message = z
  .looseObject({
    messageId: any('Text: the id of the event, so that a retry is a duplicate; made by the server when missing'),
    type: any('Text: the call; needed in a batch only'),
    userId: any('Text, the one or'),
    anonymousId: any('the other is needed'),
    event: any('Text: the name, on track'),
    properties: any('Object, on track, page and screen'),
    traits: any('Object, on identify and group'),
    groupId: any('Text, on group'),
    previousId: any('Text, on alias'),
    context: any('Object: page, userAgent, device, location, campaign, locale, library …'),
    timestamp: any("ISO 8601, by the client's clock; now, when missing"),
    sentAt: any("ISO 8601: the client's clock when it sent the request; corrects the skew of timestamp"),
    writeKey: any('Text: the write key, where no header has it'),
  })
  .openapi('SegmentMessage')
const batch = z
  .looseObject({
    batch: z.array(z.unknown()).max(BATCH_MESSAGES_MAX).describe('Messages, each with its `type`'),
    context: any('Object: goes into the context of every message'),
    sentAt: any("ISO 8601: the client's clock when it sent the request"),
    writeKey: any('Text: the write key, where no header has it'),
  })
  .openapi('SegmentBatch')
const answer = ingestResult.extend({ success: z.literal(true) }).openapi('SegmentResult')

function documented(path: string, { paths, call, summary }: SegmentRoute) {
  const description =
    path === paths[0]
      ? "Segment's HTTP API, for its SDKs and whatever else speaks it. Answers 200 with a verdict on every message that was not taken. Every message is a clickstream event: page and " +
        'screen are page views; track is one of the funnel where its name is that of the e-commerce specification (Product Viewed, Product Added, Checkout Started, ' +
        'Order Completed), else a custom event; identify, group and alias are custom events that keep their traits and ids (nothing is merged by them). ' +
        'Order Completed and Order Refunded are orders as well. What has no field here is kept in properties. At most 500 KB in a request, 32 KB a message.'
      : `The same as ${paths[0]}.`
  return {
    method: 'post' as const,
    path,
    tags: ['Ingestion: Segment'],
    summary,
    description,
    security: [...BY_WRITE_KEY],
    request: {
      body: {
        required: true,
        content: {
          'application/json': { schema: call ? message : batch },
          'text/plain': { schema: z.string().describe("JSON, as Segment's browser SDK sends it") },
        },
      },
    },
    responses: {
      200: { description: 'What became of the messages', content: { 'application/json': { schema: answer } } },
      ...problems(400, 401, 413, 415, 429, 503),
    },
  }
}
