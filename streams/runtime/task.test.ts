/** A task: what it decodes, refuses, counts and passes on, and that it is a function of its records however they come. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createDecoder, createEncoder } from '../contract/codec.ts'
import { CONTROL_HEADER, erasureRecord } from '../contract/erasure.ts'
import { type InputTopic, ORDERS } from '../contract/topics.ts'
import { revenue } from '../jobs/revenue.ts'
import type { LogRecord } from '../log/event-log.ts'
import type { StateSection } from '../operators/operator.ts'
import { createMemoryRegistry } from '../testing/memory-registry.ts'
import { createRandom } from '../testing/random.ts'
import { createWorkload } from '../testing/workload.ts'
import { TOPOLOGY } from '../topology.ts'
import { encodeState, restoreState } from './checkpoint-file.ts'
import { type Drained, FUTURE_CAP_MS, Task, WATERMARK_DELAY_MS } from './task.ts'

const NOON = Date.UTC(2026, 0, 15, 12)
const MINUTE = 60_000
const ALL = Number.MAX_SAFE_INTEGER

const registry = createMemoryRegistry()
const newTask = (topology = [revenue] as readonly (typeof TOPOLOGY)[number][], topic: InputTopic = ORDERS): Task =>
  new Task<InputTopic>({
    topology,
    topic,
    partition: 2,
    decoder: createDecoder(topic, registry, 'TRY'),
    encodeAlert: (row) => Buffer.from(JSON.stringify(row)),
  })

/** Orders as JSON records, each at the next offset; one arrives when it happens, if nothing else is said. */
function createFeed(task: Task) {
  let offset = 0
  const put = (value: Buffer, appendedAtMs = NOON, headers?: Record<string, string>): LogRecord => {
    const record: LogRecord = { offset: offset++, appendedAtMs, key: 'ada', value, ...(headers ? { headers } : {}) }
    task.process([record])
    return record
  }
  const order = (
    order_id: string,
    event_time: number,
    more: object = {},
    appendedAtMs = Math.max(NOON, event_time),
  ): LogRecord =>
    put(Buffer.from(JSON.stringify({ order_id, user_id: 'ada', amount: 10, event_time, ...more })), appendedAtMs)
  return { put, order }
}
const drain = (task: Task): Drained => task.drain('everything', ALL).drained

/** A random world, with append times that go on as its events do. */
async function workloadOf(seed: number) {
  const random = createRandom(seed)
  let appendedAtMs = NOON
  return (await createWorkload(random, registry, 200, NOON)).map(({ topic, key, value }) => {
    appendedAtMs += random.int(60_000)
    return { topic, key, appendedAtMs, value: Buffer.from(value) }
  })
}

describe('the watermark of a task', () => {
  it('is ten seconds behind the highest event time, and never runs back', () => {
    const task = newTask()
    const { order } = createFeed(task)
    expect(task.watermarkMs).toBe(Number.NEGATIVE_INFINITY)
    order('a', NOON)
    expect(task.watermarkMs).toBe(NOON - WATERMARK_DELAY_MS)
    order('b', NOON - 3 * MINUTE)
    expect(task.watermarkMs).toBe(NOON - WATERMARK_DELAY_MS)
  })

  it('is moved by a clock from the future no further than the append time', () => {
    const task = newTask()
    const { order } = createFeed(task)
    order('a', NOON + 20 * 60 * MINUTE, {}, NOON)
    expect(task.streamTimeMs).toBe(NOON + FUTURE_CAP_MS)
    // So the present is not late.
    order('b', NOON)
    expect(task.counters.outcomes.late).toBe(0)
  })

  it('is moved by a duplicate too: windows close before it is found out', () => {
    const task = newTask()
    const { order } = createFeed(task)
    order('a', NOON)
    order('b', NOON)
    drain(task)
    const later = NOON + MINUTE + WATERMARK_DELAY_MS
    order('a', later, {}, later)
    expect(task.counters.outcomes.duplicate).toBe(1)
    expect(drain(task).rows.revenue_by_minute).toMatchObject([
      { window_start: NOON, orders: 2, final: true, position: 2 },
    ])
  })
})

describe('an erasure record', () => {
  it('is no event: it counts for nothing and moves no time on', () => {
    const task = newTask()
    const { order, put } = createFeed(task)
    order('a', NOON)
    const before = structuredClone(task.counters)
    const { value, headers } = erasureRecord(ORDERS, { erasure_id: 'e', subject_id: 'ada', requested_at: 0 })
    const { offset } = put(value, NOON + 60 * MINUTE, headers)
    expect(task.counters).toEqual(before)
    expect(task.streamTimeMs).toBe(NOON)
    expect(task.nextOffset).toBe(offset + 1)
    expect(drain(task).forgotten).toEqual([{ topic: ORDERS, partition: 2, position: offset, subjectId: 'ada' }])
    expect(drain(task).forgotten).toEqual([])
  })

  it('that can’t be understood is a dead letter: whoever waits for it must learn of it', () => {
    const task = newTask()
    const { put } = createFeed(task)
    put(Buffer.from('{}'), NOON, { [CONTROL_HEADER]: 'erasure' })
    put(Buffer.from('{}'), NOON, { [CONTROL_HEADER]: 'of the future' })
    const { outbox, forgotten } = drain(task)
    expect(forgotten).toEqual([])
    expect(outbox.map(({ headers }) => headers?.error_message)).toEqual([
      expect.stringContaining('subject_id'),
      expect.stringContaining('of the future'),
    ])
  })
})

describe('what a task does not apply', () => {
  it('a duplicate is counted, by the minute of stream time', () => {
    const task = newTask()
    const { order } = createFeed(task)
    for (let i = 0; i < 3; i++) order('a', NOON)
    const { rows, outbox } = drain(task)
    expect(rows.revenue_by_minute).toMatchObject([{ orders: 1 }])
    expect(rows.outcomes_by_minute).toMatchObject([
      { job: '*', outcome: 'duplicate', reason: 'seen_before', events: 2, window_start: NOON },
    ])
    expect(outbox).toEqual([])
  })

  it('an order that changed its status is no duplicate', () => {
    const task = newTask()
    const { order } = createFeed(task)
    order('a', NOON, { status: 'failed' })
    order('a', NOON)
    order('a', NOON, { status: 'refunded' })
    expect(task.counters.outcomes.duplicate).toBe(0)
    expect(drain(task).rows.revenue_by_minute).toMatchObject([{ orders: 1, refunds: 1 }])
  })

  it('a late event goes to late.events as it came, with the job that refused it and by how much', () => {
    const task = newTask()
    const { order } = createFeed(task)
    order('a', NOON)
    const late = order('b', NOON - 2 * MINUTE)
    const { outbox, rows } = drain(task)
    expect(outbox).toEqual([
      {
        id: 'late/transactions.orders/2/1/revenue',
        topic: 'late.events',
        key: 'ada',
        value: late.value,
        headers: { topic: ORDERS, partition: '2', offset: '1', job: 'revenue', late_by_ms: '110000' },
      },
    ])
    expect(rows.outcomes_by_minute).toMatchObject([
      { job: 'revenue', outcome: 'late', reason: 'window_closed', events: 1 },
    ])
    expect(drain(task).outbox).toEqual([])
  })

  it('what nobody can read goes to the dead letters as it came, saying why, and moves no time', () => {
    const task = newTask()
    const { order, put } = createFeed(task)
    order('a', NOON)
    const poison: [Buffer, string][] = [
      [Buffer.from('not avro'), 'unknown_format'],
      [Buffer.alloc(0), 'unknown_format'],
      [Buffer.from('{"half":'), 'bad_json'],
      [Buffer.from('{"order_id":"x"}'), 'invalid_event'],
      [Buffer.from([0, 0, 0, 0, 9, 1]), 'unknown_schema'],
    ]
    for (const [value] of poison) put(value, NOON + 60 * MINUTE, { traceparent: 'kept' })
    const { outbox } = drain(task)
    expect(outbox.map((r) => [r.value, r.headers?.error_class])).toEqual(poison)
    expect(outbox[0]).toMatchObject({
      id: 'dead/transactions.orders/2/1',
      topic: 'dlq.transactions.orders',
      key: 'ada',
      headers: { traceparent: 'kept', topic: ORDERS, partition: '2', offset: '1', attempts: '1' },
    })
    expect(task.counters).toEqual({ events: 1, outcomes: { late: 0, duplicate: 0, dead_letter: 5 } })
    expect(task.streamTimeMs).toBe(NOON)
  })

  it('a dead letter before the first readable record is counted by its append time', () => {
    const task = newTask()
    createFeed(task).put(Buffer.from('?'), NOON + 90_000)
    expect(drain(task).rows.outcomes_by_minute).toMatchObject([{ window_start: NOON + MINUTE, outcome: 'dead_letter' }])
  })
})

describe('a task', () => {
  it('passes over records that it has read already', () => {
    const task = newTask()
    const record = createFeed(task).order('a', NOON)
    task.process([record])
    expect(task.counters).toMatchObject({ events: 1, outcomes: { duplicate: 0 } })
  })

  it('goes on over offsets that the log has skipped', () => {
    const task = newTask()
    task.process([{ offset: 17, appendedAtMs: NOON, key: null, value: Buffer.from('?') }])
    expect(task.nextOffset).toBe(18)
  })

  it('stays able to save its state when somebody sends a fortune again and again', () => {
    const task = newTask(TOPOLOGY)
    const { order } = createFeed(task)
    for (let i = 0; i < 1_000; i++) order(`o${i}`, NOON + i, { amount: 1e9, currency: 'CLF', product_id: 'p' })
    const { features } = drain(task)
    expect(features[0]?.value).toMatchObject({ total_minor: Number.MAX_SAFE_INTEGER - 1 })
    const again = newTask(TOPOLOGY)
    restoreState(again.state, [encodeState(task.state, true)])
    expect(again.counters.events).toBe(1_000)
  })

  it('stays able to save its state whatever the length of a key', async () => {
    const task = newTask(TOPOLOGY)
    const { put, order } = createFeed(task)
    const encode = await createEncoder(ORDERS, registry)
    order('a', NOON)
    const [record] = (await workloadOf(1)).filter((r) => r.topic === ORDERS)
    const decoder = createDecoder(ORDERS, registry, 'TRY')
    await decoder.prepare([record!])
    const event = decoder.decode(record!.value, { appendedAtMs: NOON, partition: 2, offset: 0 })
    const value = encode({ ...event, event_time: NOON, user_id: 'u'.repeat(100_000), category: 'ş'.repeat(50_000) })
    await task.prepare([{ offset: 9, appendedAtMs: NOON, key: null, value }])
    put(value)
    const again = newTask(TOPOLOGY)
    restoreState(again.state, [encodeState(task.state, true)])
    expect(encodeState(again.state, true).length).toBe(encodeState(task.state, true).length)
  })

  it('reads a checkpoint from before its progress had a feature generation', () => {
    const old: StateSection = {
      name: 'progress',
      schema: {
        type: 'record',
        name: 'Progress',
        fields: [
          { name: 'streamTimeMs', type: 'double' },
          ...['events', 'late', 'duplicate', 'dead_letter'].map((name) => ({ name, type: 'long' as const })),
        ],
      },
      changes: () => ({
        deletes: [],
        upserts: [['task', { streamTimeMs: NOON, events: 7, late: 1, duplicate: 2, dead_letter: 3 }]],
      }),
      restore() {},
    }
    const task = newTask()
    restoreState(task.state, [encodeState([old], true)])
    expect(task).toMatchObject({ streamTimeMs: NOON, featureGeneration: '' })
    expect(task.counters).toEqual({ events: 7, outcomes: { late: 1, duplicate: 2, dead_letter: 3 } })
  })

  it('takes the trace id of a record into the alert it completes, and none from a malformed traceparent', () => {
    const task = newTask(TOPOLOGY)
    const { put } = createFeed(task)
    const trace = 'a'.repeat(32)
    const send = (i: number, traceparent: string) =>
      put(
        Buffer.from(JSON.stringify({ order_id: `o${i}`, user_id: 'ada', amount: 9_000, event_time: NOON + i })),
        NOON,
        { traceparent },
      )
    for (let i = 0; i < 3; i++) send(i, `00-${trace}-${'b'.repeat(16)}-01`)
    for (let i = 3; i < 6; i++) send(i, 'garbage')
    const { rows, outbox } = drain(task)
    expect(rows.fraud_alerts?.map((a) => a.trace_id)).toEqual([trace, null])
    expect(outbox.map((r) => r.headers)).toEqual([{ trace_id: trace }, undefined])
  })
})

describe('however its records come', () => {
  /** One partition's worth of a random world. */
  async function records(seed: number, topic: InputTopic): Promise<LogRecord[]> {
    const of = (await workloadOf(seed)).filter((r) => r.topic === topic)
    return of.map(({ key, value, appendedAtMs }, offset) => ({ offset, appendedAtMs, key, value }))
  }
  /** Everything that the run wrote, newest position per row, as text. */
  function outcome(drains: readonly Drained[], task: Task): string {
    const rows = new Map<string, { position: number; final: boolean; text: string }>()
    const outbox = new Map<string, string>()
    const features = new Map<string, string>()
    for (const drained of drains) {
      for (const [table, written] of Object.entries(drained.rows)) {
        for (const row of written as { position: number; final?: boolean }[]) {
          const { position, final = false, ...rest } = row as typeof row & Record<string, unknown>
          const key = JSON.stringify([
            table,
            ...[
              'session_id',
              'alert_id',
              'window_start',
              'event_type',
              'category',
              'currency',
              'product_id',
              'job',
              'outcome',
              'reason',
              'region_id',
              'window',
            ].map((c) => rest[c]),
          ])
          const known = rows.get(key)
          if (!known || position > known.position || (position === known.position && final))
            rows.set(key, { position, final, text: JSON.stringify(row) })
        }
      }
      for (const { id, value } of drained.outbox) outbox.set(id, Buffer.from(value).toString('hex'))
      for (const { userId, ...rest } of drained.features) features.set(userId, JSON.stringify(rest))
    }
    const sort = (m: ReadonlyMap<string, unknown>) => [...m].sort(([a], [b]) => (a < b ? -1 : 1))
    return JSON.stringify([sort(rows), sort(outbox), sort(features), task.counters, task.nextOffset], null, 1)
  }

  it('whole or in pieces, drained or not, saved and restored in between: the same rows, features and announcements', async () => {
    const piece = fc.record({
      size: fc.integer({ min: 1, max: 40 }),
      after: fc.constantFrom('nothing', 'drain', 'catch up', 'save', 'crash', 'crash'),
    })
    const topic = fc.constantFrom<InputTopic>('clickstream.events', ORDERS, 'trips.completed')
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1_000),
        topic,
        fc.array(piece, { minLength: 3, maxLength: 12 }),
        async (seed, topic, pieces) => {
          const all = await records(seed, topic)
          const whole = newTask(TOPOLOGY, topic)
          await whole.prepare(all)
          whole.process(all)
          const truth = outcome([drain(whole)], whole)

          let task = newTask(TOPOLOGY, topic)
          await task.prepare(all)
          let files: Buffer[] = []
          let savedOffset = 0
          const drains: Drained[] = []
          for (const { size, after } of [...pieces, { size: all.length, after: 'drain' }]) {
            task.process(all.slice(task.nextOffset, task.nextOffset + size))
            if (after === 'drain') drains.push(task.drain('everything', 3).drained)
            if (after === 'catch up') drains.push(task.drain('final-only', 3).drained)
            if (after === 'save') {
              drains.push(task.drain('final-only', 2).drained)
              files = [...files, encodeState(task.state, files.length === 0)]
              savedOffset = task.nextOffset
            }
            if (after === 'crash') {
              task = newTask(TOPOLOGY, topic)
              await task.prepare(all)
              restoreState(task.state, files)
              task.nextOffset = savedOffset
            }
          }
          for (let more = true; more; ) {
            task.process(all.slice(task.nextOffset))
            const rest = task.drain('everything', 3)
            drains.push(rest.drained)
            more = rest.more
          }
          expect(outcome(drains, task)).toBe(truth)
        },
      ),
      { numRuns: 20 },
    )
  })
})
