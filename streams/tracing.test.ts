/** The spans of the streams: the real runtime over memory stores, with the sampler and the ids of a traced process. */
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { afterEach, describe, expect, it } from 'vitest'
import { KEEP, SpanKind, traceparentOf } from '../observability/spans.ts'
import { type RecordedSpans, recordSpans } from '../observability/testing/recorded-spans.ts'
import { createEncoder } from './contract/codec.ts'
import { parseEvent } from './contract/input.ts'
import { ALERTS, ORDERS } from './contract/topics.ts'
import { REPLAYED_FROM } from './dead-letters/revived-record.ts'
import { FOREIGN } from './foreign/bridge.ts'
import { createWorld, finish, SIM_START_MS, startProcess, type World, workOff } from './testing/sim.ts'
import { createRuntimeTracer } from './tracing.ts'

let recorded: RecordedSpans
afterEach(() => recorded.stop())

const traceIdOf = (i: number): string => i.toString(16).padStart(32, '0')
const spanIdOf = (i: number): string => i.toString(16).padStart(16, '0')
const context = (i: number, flags: '00' | '01') => `00-${traceIdOf(i)}-${spanIdOf(i)}-${flags}`

/** Appends orders of one user, 9,000.00 each and a second apart: every third completes the pattern. The n-th, from 1, belongs to trace n. */
async function tracedWorld(
  ratio: number,
): Promise<World & { order(n: number, headers: Record<string, string>, atMs?: number): Promise<void> }> {
  recorded = recordSpans({ ratio })
  const world = await createWorld(1, 0)
  const { clock, registry, log } = world
  const encode = await createEncoder(ORDERS, registry)
  return {
    ...world,
    tracer: createRuntimeTracer({ clock, logSystem: 'streamforge', featuresIn: 'lmdb' }),
    async order(n, headers, atMs = SIM_START_MS + n * 1_000) {
      const raw = { order_id: `o-${n}`, user_id: 'ada', amount: 9_000, event_time: atMs }
      const parsed = parseEvent(ORDERS, raw, { receivedAt: clock.now(), currency: 'TRY', newId: () => '' })
      if (!parsed.ok) throw new Error(parsed.problem.message)
      // The edge takes it some milliseconds before the log has it.
      await clock.advance(5)
      await log.append([{ topic: ORDERS, key: 'ada', value: encode(parsed.event), headers }])
    },
  }
}

async function workOffAll(world: World): Promise<void> {
  const process = startProcess(world, 'only', () => 'none')
  await workOff(world, process)
  await world.clock.advance(1_000)
  expect(await finish(world, process)).toBe('stopped')
}

const inTrace = (n: number): ReadableSpan[] =>
  recorded.spans().filter((span) => span.spanContext().traceId === traceIdOf(n))

/** The tree of a trace, siblings by name: what is below the span that its record names, or from its root on. */
function treeOf(n: number, parentId: string | null = spanIdOf(n)): string[] {
  return inTrace(n)
    .filter(({ parentSpanContext }) => (parentSpanContext?.spanId ?? null) === parentId)
    .map((span): [string, string] => [`${span.name} [${SpanKind[span.kind]}]`, span.spanContext().spanId])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([line, id]) => [line, ...treeOf(n, id).map((below) => `  ${below}`)])
}

const alerts = (world: World) => world.log.records({ topic: ALERTS, partition: 0 })

const ALERT_TREE = [
  `consume ${ORDERS} [CONSUMER]`,
  '  fraud-detector [INTERNAL]',
  `  publish ${ALERTS} [PRODUCER]`,
  '  write features [CLIENT]',
  '  write postgresql [CLIENT]',
]

describe('an order that completes a fraud pattern', () => {
  it('has in its trace what became of it, up to the alert, whose record carries the trace on', async () => {
    const world = await tracedWorld(1)
    for (const n of [1, 2, 3]) await world.order(n, { traceparent: context(n, '01') })
    await workOffAll(world)
    expect(treeOf(3)).toEqual(ALERT_TREE)
    // What completed nothing ends with being consumed.
    expect(treeOf(1)).toEqual([`consume ${ORDERS} [CONSUMER]`])

    const spans = Object.fromEntries(inTrace(3).map((span) => [span.name, span]))
    const publish = spans[`publish ${ALERTS}`]!
    const [alert] = alerts(world)
    expect(alert?.headers).toMatchObject({
      trace_id: traceIdOf(3),
      traceparent: traceparentOf(publish.spanContext()),
    })
    const row = world.memory.rows('fraud_alerts')[0]!
    expect(row.trace_id).toBe(traceIdOf(3))
    expect(spans['fraud-detector']!.attributes).toEqual({
      'streamforge.alert.id': row.alert_id,
      'streamforge.rule.id': row.rule_id,
    })
    expect(spans[`consume ${ORDERS}`]!.attributes).toEqual({
      'messaging.system': 'streamforge',
      'messaging.operation.type': 'process',
      'messaging.destination.name': ORDERS,
      'messaging.destination.partition.id': String(row.partition),
      'messaging.kafka.offset': 2,
      [KEEP]: true,
    })
    expect(spans['write postgresql']!.attributes['db.system.name']).toBe('postgresql')
    expect(spans['write features']!.attributes['db.system.name']).toBe('lmdb')
  })

  it('is linked with the flush that wrote what it did, whose steps are a trace of their own', async () => {
    const world = await tracedWorld(1)
    for (const n of [1, 2, 3]) await world.order(n, { traceparent: context(n, '01') })
    await workOffAll(world)
    const consume = inTrace(3).find(({ name }) => name.startsWith('consume'))!
    const flush = recorded.spans().find((span) => span.spanContext().spanId === consume.links[0]!.context.spanId)!
    expect(flush).toMatchObject({ name: 'flush', parentSpanContext: undefined })
    expect(flush.attributes).toMatchObject({ 'streamforge.events': 3, 'streamforge.alerts': 1 })
    // Of the append, which is what the record knows; that with the alert first.
    expect(flush.links.map((link) => traceparentOf(link.context))).toEqual([3, 1, 2].map((n) => context(n, '01')))
    const steps = recorded.spans().filter((span) => span.parentSpanContext?.spanId === flush.spanContext().spanId)
    expect(steps.map(({ name }) => name)).toEqual(['write postgresql', 'write features', 'publish'])
    expect(recorded.spans().map(({ name }) => name)).toContain('checkpoint')
  })

  it('has its trace also where nothing is sampled: the span of its append is written afterwards, under its own id', async () => {
    const world = await tracedWorld(0)
    for (const n of [1, 2, 3]) await world.order(n, { traceparent: context(n, '00') })
    await workOffAll(world)
    expect(treeOf(3, null)).toEqual([`append ${ORDERS} [PRODUCER]`, ...ALERT_TREE.map((line) => `  ${line}`)])
    expect([inTrace(1), inTrace(2)]).toEqual([[], []])

    const append = recorded.named(`append ${ORDERS}`)
    expect(append.spanContext()).toMatchObject({ spanId: spanIdOf(3) })
    expect(append.attributes).toMatchObject({ 'streamforge.stand_in': true, 'messaging.destination.name': ORDERS })
    expect(append.duration).toEqual([0, 5_000_000])
    expect(traceparentOf(recorded.named(`publish ${ALERTS}`).spanContext())).toBe(
      alerts(world)[0]?.headers?.traceparent,
    )
    // The flush is kept for it; those without are not.
    const consume = recorded.named(`consume ${ORDERS}`)
    expect(recorded.named('flush').spanContext()).toEqual(consume.links[0]!.context)
  })

  it('has one such span also where the orders that were sent with it completed another', async () => {
    const world = await tracedWorld(0)
    for (let n = 1; n <= 6; n++) await world.order(n, { traceparent: context(1, '00') })
    await workOffAll(world)
    const names = inTrace(1).map(({ name }) => name)
    expect(names.filter((name) => name === `append ${ORDERS}`)).toHaveLength(1)
    expect(names.filter((name) => name === `consume ${ORDERS}`)).toHaveLength(2)
  })

  it.each([
    ['the bridge', { [FOREIGN]: 'shop.orders:0:17' }],
    ['a replay', { [REPLAYED_FROM]: `dlq.${ORDERS}:0:3` }],
  ])('of %s: the span that it names is none of ours to write', async (_by, headers) => {
    const world = await tracedWorld(0)
    for (const n of [1, 2, 3]) await world.order(n, { ...headers, traceparent: context(n, '00') })
    await workOffAll(world)
    expect(treeOf(3)).toEqual(ALERT_TREE)
    expect(treeOf(3, null)).toEqual([])
  })

  it('amends an alert openly: both announcements are in the trace of the order that caused them', async () => {
    const world = await tracedWorld(1)
    for (const n of [1, 2, 3]) await world.order(n, { traceparent: context(n, '01') })
    const process = startProcess(world, 'only', () => 'none')
    await workOff(world, process)
    await world.clock.advance(1_000)
    recorded.reset()
    // Out of order: it is one of the first three now.
    await world.order(4, { traceparent: context(4, '01') }, SIM_START_MS + 500)
    await world.clock.advance(1_000)
    await finish(world, process)
    const published = inTrace(4).filter(({ name }) => name === `publish ${ALERTS}`)
    expect(published.map((span) => traceparentOf(span.spanContext())).sort()).toEqual(
      alerts(world)
        .slice(1)
        .map(({ headers }) => headers?.traceparent)
        .sort(),
    )
    expect(published).toHaveLength(2)
  })

  it('may be in its trace twice where it was read again after a crash; it is announced once', async () => {
    const world = await tracedWorld(1)
    const process = startProcess(world, 'first', (call) => (call === 'objects.put' ? 'crash-before' : 'none'))
    for (const n of [1, 2, 3]) await world.order(n, { traceparent: context(n, '01') })
    await workOff(world, process)
    await world.clock.advance(10_000)
    expect(process.dead).toBe(true)
    await workOffAll(world)
    const names = inTrace(3).map(({ name }) => name)
    expect(names.filter((name) => name === `consume ${ORDERS}`)).toHaveLength(2)
    expect(names.filter((name) => name === `publish ${ALERTS}`)).toHaveLength(1)
    expect(alerts(world)).toHaveLength(1)
  })
})

describe('a flush', () => {
  it('has few links and spans, however many of its records are sampled', async () => {
    const world = await tracedWorld(1)
    for (let n = 1; n <= 200; n++) await world.order(n, { traceparent: context(n, '01') }, SIM_START_MS + n * 400_000)
    await workOffAll(world)
    const flush = recorded.spans().find(({ attributes }) => attributes['streamforge.events'] === 200)!
    expect(flush.links).toHaveLength(32)
    expect(recorded.spans().filter(({ name }) => name.startsWith('consume'))).toHaveLength(32)
  })

  it('that is but a sign of life leaves no trace, and one that nobody follows is recorded by the ratio', async () => {
    const world = await tracedWorld(0)
    await world.order(1, {})
    await workOffAll(world)
    expect(recorded.spans()).toEqual([])
    recorded.stop()

    const sampled = await tracedWorld(1)
    await sampled.order(1, {})
    const process = startProcess(sampled, 'only', () => 'none')
    await sampled.clock.advance(60_000)
    await finish(sampled, process)
    // Of a minute's sixty: that with the order, and that with its checkpoint.
    const flushes = recorded.spans().filter(({ name }) => name === 'flush')
    expect(flushes.map(({ attributes }) => attributes['streamforge.events'])).toEqual([1, 0])
    expect(recorded.named('checkpoint').parentSpanContext?.spanId).toBe(flushes[1]?.spanContext().spanId)
  })

  it('that fails is kept, whatever the ratio, and one that was waiting for a store at the end has not failed', async () => {
    const world = await tracedWorld(0)
    await world.order(1, {})
    const stopped = startProcess(world, 'first', (call) => (call === 'results.apply' ? 'fail-before' : 'none'))
    await world.clock.advance(1_000)
    await finish(world, stopped)
    expect(recorded.spans()).toEqual([])

    const fenced = startProcess(world, 'second', () => 'none')
    await workOff(world, fenced)
    startProcess(world, 'third', () => 'none')
    await world.order(2, {})
    await world.clock.advance(10_000)
    expect(await fenced.ended).toBe('fenced')
    const flush = recorded.named('flush')
    expect(flush.status.message).toContain('epoch')
    expect(flush.attributes).toMatchObject({ 'streamforge.stand_in': true })
    expect(flush.events.map(({ name }) => name)).toEqual(['exception'])
  })
})
