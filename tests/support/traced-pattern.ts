/** A fraud pattern that is completed by one request, and what its trace has to be: for the tests of both forms of the platform. */
import { expect } from 'vitest'
import { drawTrace, type JaegerSpan, type TestJaeger } from '../../cli/servers/testing/with-jaeger.ts'
import { ALERTS } from '../../streams/contract/topics.ts'
import type { EventLog } from '../../streams/log/event-log.ts'
import { type Answer, get } from './api.ts'
import { eventually } from './eventually.ts'

interface Target {
  url: string
  writeKey: string
}

const WAIT_MS = 90_000

/** Below the span that the order's record names. */
const CONSUMED = `
consume transactions.orders [consumer, streamforge-streams]
  fraud-detector [internal, streamforge-streams]
  publish alerts.fraud [producer, streamforge-streams]
  write features [client, streamforge-streams]
  write postgresql [client, streamforge-streams]`

const below = (depth: number): string => CONSUMED.replaceAll('\n', `\n${'  '.repeat(depth)}`)

/** Where the request was sampled. */
export const SAMPLED_TREE = `POST /orders [server, streamforge-edge]
  append transactions.orders [producer, streamforge-edge]${below(2)}`

/** Where it was not: the streams stand in for the edge. */
export const UNSAMPLED_TREE = `append transactions.orders [producer, streamforge-streams]${below(1)}`

export interface CompletedPattern {
  /** As the answers to the requests said, the last of which completed the pattern; null where one does not say. */
  traceIds: (string | null)[]
  alert: Answer
}

/**
 * Three requests of one order each, and waits for the alert.
 * @param traceparent of the client, with the last of them
 */
export async function completePattern(target: Target, user: string, traceparent?: string): Promise<CompletedPattern> {
  const traceIds: CompletedPattern['traceIds'] = []
  for (const n of [1, 2, 3]) {
    const response = await fetch(`${target.url}/api/v1/orders`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-write-key': target.writeKey,
        ...(n === 3 && traceparent !== undefined && { traceparent }),
      },
      body: JSON.stringify({
        order_id: `${user}-${n}`,
        user_id: user,
        product_id: 'p',
        category: 'c',
        amount: 6_000,
        currency: 'TRY',
      }),
    })
    expect(await response.json()).toMatchObject({ accepted: 1 })
    traceIds.push(/^00-(.{32})-/.exec(response.headers.get('traceparent') ?? '')?.[1] ?? null)
  }
  const alert = await eventually(`an alert of ${user}`, WAIT_MS, async () => {
    const { data } = await get(target.url, '/fraud-alerts', { user_id: user })
    return data[0]
  })
  return { traceIds, alert }
}

/** The request's trace once it is whole, which is to be that tree and nothing else. */
export async function wholeTrace(jaeger: TestJaeger, traceId: string, tree: string): Promise<Map<string, JaegerSpan>> {
  const spans = await eventually(`Jaeger has the trace ${traceId}`, WAIT_MS, async () => {
    const found = await jaeger.trace(traceId)
    return found.length >= tree.split('\n').length && found
  })
  expect(drawTrace(spans)).toBe(tree)
  return new Map(spans.map((span) => [span.name, span]))
}

/** Which requests for orders left a trace. */
export async function tracedOrders(jaeger: TestJaeger): Promise<string[]> {
  const traces = await jaeger.search({ service: 'streamforge-streams', operation: 'consume transactions.orders' })
  return traces.map(([span]) => span!.traceId).sort()
}

/** The flush is a trace of its own: linked with that of the request, both ways. */
export async function expectFlush(jaeger: TestJaeger, spans: ReadonlyMap<string, JaegerSpan>): Promise<void> {
  const consume = spans.get('consume transactions.orders')!
  expect(consume.links).toHaveLength(1)
  const [link] = consume.links
  const flush = await eventually('Jaeger has the flush', WAIT_MS, async () => {
    const found = await jaeger.trace(link!.traceId)
    return found.some(({ name }) => name === 'flush') && found
  })
  const root = flush.find(({ parentId }) => parentId === null)!
  expect(root).toMatchObject({ name: 'flush', spanId: link!.spanId, service: 'streamforge-streams', failed: false })
  expect(root.links).toContainEqual({ traceId: consume.traceId, spanId: consume.parentId })
  // Whether a checkpoint was due with it is a matter of time.
  const steps = flush.filter(({ parentId, name }) => parentId === root.spanId && name !== 'checkpoint')
  expect(steps.map(({ name }) => name).sort()).toEqual(['publish', 'write features', 'write postgresql'])
}

/** Whoever reads `alerts.fraud` goes on with the trace. */
export async function expectAnnouncement(log: EventLog, spans: ReadonlyMap<string, JaegerSpan>): Promise<void> {
  const { traceId, spanId } = spans.get('publish alerts.fraud')!
  const carried: unknown[] = []
  for (let partition = 0; partition < (await log.partitionCount(ALERTS)); partition++) {
    const at = { topic: ALERTS, partition }
    const { earliest, next } = await log.bounds(at)
    for (let offset = earliest; offset < next; ) {
      const records = await log.read(at, offset, 1_000)
      carried.push(...records.map(({ headers }) => headers))
      offset = (records.at(-1)?.offset ?? next) + 1
    }
  }
  expect(carried).toContainEqual(
    expect.objectContaining({ trace_id: traceId, traceparent: `00-${traceId}-${spanId}-01` }),
  )
}
