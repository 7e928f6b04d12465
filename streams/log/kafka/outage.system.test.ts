/** What the Kafka log does when Kafka is away, frozen, restarted, or holds less than it should. The broker is real and is killed for real. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { withKafka } from '../../../cli/servers/testing/with-kafka.ts'
import { readAll, until } from '../../testing/event-log-suite.ts'
import { type EventLog, LogUnavailable, OffsetOutOfRange, type RecordBatch } from '../event-log.ts'
import { type KafkaLogOptions, openKafkaLog } from '../kafka.ts'
import { expire, makeTopics } from './testing/admin.ts'

const kafka = withKafka()
let made = 0
let log: EventLog | undefined
const warnings: string[] = []
const noteWarning = (warning: Error): void => void warnings.push(`${warning.name}: ${warning.message}`)
beforeEach(() => void process.on('warning', noteWarning))
afterEach(async () => {
  await log?.close()
  log = undefined
  process.off('warning', noteWarning)
  expect(warnings.splice(0)).toEqual([])
})
const fresh = async (partitions = 1, more: Partial<KafkaLogOptions> = {}) => {
  const topic = `t-${++made}`
  await makeTopics(kafka.brokers, { [topic]: partitions })
  log = await openKafkaLog({ brokers: kafka.brokers, clientId: 'test', fetchWaitMs: 100, heartbeatMs: 200, ...more })
  return { log, topic, at: { topic, partition: 0 } }
}
const record = (topic: string, value = 'v') => ({ topic, key: 'k', value: Buffer.from(value) })

/** Of an append that gets no answer: the log gives up after 5 s (`appendTimeoutMs`), a request by itself after 30; the rest is room for a busy machine. */
const BOUND_MS = 15_000
/** One that need not ask again: less than those 5 s. */
const AT_ONCE_MS = 2_500

/** How an append ends, and after how long. */
async function timed(append: Promise<unknown>): Promise<{ error: unknown; ms: number }> {
  const begun = performance.now()
  const error = await append.then(
    () => null,
    (reason: unknown) => reason,
  )
  return { error, ms: performance.now() - begun }
}

function reader(from: EventLog, topic: string, group: string) {
  const subscription = from.subscribe(group, [topic])
  const seen = { values: [] as string[], assigned: 0, revoked: 0 }
  const done = subscription.run({
    async assigned() {
      seen.assigned++
      return new Map()
    },
    async revoked() {
      seen.revoked++
    },
    async batch({ records }: RecordBatch) {
      seen.values.push(...records.map(({ value }) => value.toString()))
    },
  })
  done.catch(() => {})
  return { subscription, seen, done }
}

describe('the broker', () => {
  test.each(['kill', 'stop'] as const)(
    'restarted (%s): appends are refused soon and succeed again by themselves; what was acknowledged is there once; the reader goes on as the member it was',
    async (how) => {
      const { log, topic, at } = await fresh()
      const { subscription, seen, done } = reader(log, topic, `outage-${made}`)
      await log.append([record(topic, 'before')])
      await until(() => seen.values.length === 1, 'the first record')
      const acknowledged = ['before']
      let refused = 0
      await kafka.restart(how, async () => {
        const first = await timed(log.append([record(topic, 'lost')]))
        expect(first.error).toBeInstanceOf(LogUnavailable)
        expect(String(first.error)).toMatch(/Kafka at 127\.0\.0\.1:\d+ does not answer/)
        expect(first.ms).toBeLessThan(BOUND_MS)
        const second = await timed(log.append([record(topic, 'lost')]))
        expect(second.error).toBeInstanceOf(LogUnavailable)
        expect(second.ms).toBeLessThan(AT_ONCE_MS)
      })
      for (let i = 0; acknowledged.length < 20; i++) {
        const { error } = await timed(log.append([record(topic, `${i}`)]))
        if (error === null) acknowledged.push(`${i}`)
        else {
          expect(error).toBeInstanceOf(LogUnavailable)
          expect(++refused).toBeLessThan(2_000)
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
      }
      // Refused is not the same as not written: of what was refused some may be there, of what was acknowledged each is there once.
      const there = (await readAll(log, at)).map(({ value }) => value.toString())
      expect(there.filter((value) => acknowledged.includes(value))).toEqual(acknowledged)
      await until(() => seen.values.length === there.length, 'everything read', 40_000)
      expect(seen.values).toEqual(there)
      expect([seen.assigned, seen.revoked]).toEqual([1, 0])
      await subscription.stop()
      await done
    },
  )

  test('frozen: an append is refused in bounded time, and the log recovers when the broker goes on', async () => {
    const { log, topic, at } = await fresh()
    await log.append([record(topic, 'before')])
    process.kill(kafka.server.pid, 'SIGSTOP')
    try {
      const waiting = await Promise.all([1, 2, 3].map((i) => timed(log.append([record(topic, `${i}`)]))))
      for (const { error, ms } of waiting) {
        expect(error).toBeInstanceOf(LogUnavailable)
        expect(ms).toBeLessThan(BOUND_MS)
      }
    } finally {
      process.kill(kafka.server.pid, 'SIGCONT')
    }
    const goneOnMs = performance.now()
    let tries = 1
    // Each with a value of its own: one that was refused may be there all the same.
    for (; (await timed(log.append([record(topic, `after ${tries}`)]))).error !== null; tries++) {
      expect(performance.now() - goneOnMs).toBeLessThan(60_000)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const values = (await readAll(log, at)).map(({ value }) => value.toString())
    expect(values[0]).toBe('before')
    expect(values.at(-1)).toBe(`after ${tries}`)
    // The request under way may have been written when the broker went on; the idempotent producer sees to it that it is there once.
    expect(new Set(values).size).toBe(values.length)
  })

  test('away: a reader can be stopped all the same, and hands back what it has', async () => {
    const { log, topic } = await fresh()
    const { subscription, seen, done } = reader(log, topic, `stopped-${made}`)
    await log.append([record(topic)])
    await until(() => seen.values.length === 1, 'the first record')
    await kafka.restart('kill', async () => {
      const { error, ms } = await timed(Promise.all([subscription.stop(), done]))
      expect(error).toBe(null)
      expect(ms).toBeLessThan(BOUND_MS)
      expect(seen.revoked).toBe(1)
    })
  })

  test('away at the start: opening fails soon, with the brokers in the sentence', async () => {
    const begun = performance.now()
    const opening = openKafkaLog({ brokers: ['127.0.0.1:1'], clientId: 'test' })
    await expect(opening).rejects.toThrow(/Kafka at 127\.0\.0\.1:1 does not answer: .*KAFKA_BROKERS/)
    await expect(opening).rejects.toBeInstanceOf(LogUnavailable)
    expect(performance.now() - begun).toBeLessThan(BOUND_MS)
  })
})

describe('reading', () => {
  test('a topic that is missing is a sentence that names the command', async () => {
    const { log } = await fresh()
    await expect(reader(log, 'no.such.topic', 'missing').done).rejects.toThrow(
      'The log has no topic "no.such.topic". "streamforge topics" makes what is missing.',
    )
  })

  test('a reader that retention has overtaken fails, and does not go on behind the gap', async () => {
    const { log, topic } = await fresh(1, { maxPartitionBytes: 2_000, maxBatchRecords: 5 })
    for (let i = 0; i < 20; i++) await log.append([record(topic, 'x'.repeat(1_000))])
    let goOn: () => void = () => {}
    const blocked = new Promise<void>((resolve) => {
      goOn = resolve
    })
    let batches = 0
    const done = log.subscribe(`gap-${made}`, [topic]).run({
      assigned: async () => new Map(),
      revoked: async () => {},
      async batch() {
        batches++
        await blocked
      },
    })
    done.catch(() => {})
    await until(() => batches === 1, 'the first batch')
    await expire(kafka.brokers, topic)
    await log.append([record(topic)])
    goOn()
    await expect(done).rejects.toBeInstanceOf(OffsetOutOfRange)
    expect(batches).toBeLessThan(4)
  })

  test('a subscription that begins beyond the end is told that its position is of another log', async () => {
    const { log, topic } = await fresh()
    const done = log.subscribe(`beyond-${made}`, [topic]).run({
      assigned: async () => new Map([[`${topic}-0`, 5]]),
      revoked: async () => {},
      batch: async () => {},
    })
    await expect(done).rejects.toThrow(
      /has come to offset 0 only; 5 was asked for\. That position belongs to another log/,
    )
  })

  test('batches are bounded', async () => {
    const { log, topic } = await fresh(1, { maxBatchRecords: 50 })
    await log.append(Array.from({ length: 400 }, (_, i) => record(topic, `${i}`)))
    const sizes: number[] = []
    const subscription = log.subscribe(`bounded-${made}`, [topic])
    const done = subscription.run({
      assigned: async () => new Map(),
      revoked: async () => {},
      async batch({ records }) {
        sizes.push(records.length)
      },
    })
    await until(() => sizes.reduce((sum, n) => sum + n, 0) === 400, 'all delivered')
    expect(Math.max(...sizes)).toBe(50)
    await subscription.stop()
    await done
  })
})

describe('appending', () => {
  test('thousands of records at once keep their order, in batches that the broker takes', async () => {
    const { log, topic, at } = await fresh(1, { appendTimeoutMs: 60_000 })
    const values = Array.from({ length: 7_000 }, (_, i) => `${i}-${'x'.repeat(500)}`)
    const calls = [values.slice(0, 6_000), values.slice(6_000)]
    const positions = await Promise.all(calls.map((some) => log.append(some.map((value) => record(topic, value)))))
    expect(positions.flat().map(({ offset }) => offset)).toEqual(values.map((_, i) => i))
    expect((await readAll(log, at)).map(({ value }) => value.toString())).toEqual(values)
  })

  test('more than may wait is refused, and a record over the limit is an error of its sender', async () => {
    const { log, topic } = await fresh(1, { maxWaitingBytes: 10_000, maxRecordBytes: 8_000 })
    const waiting = Array.from({ length: 5 }, () => log.append([record(topic, 'x'.repeat(4_000))]))
    const ends = await Promise.allSettled(waiting)
    expect(ends.filter(({ status }) => status === 'fulfilled').length).toBe(2)
    const refused = ends.find((end) => end.status === 'rejected')
    expect(refused?.reason).toBeInstanceOf(LogUnavailable)
    await expect(log.append([record(topic, 'x'.repeat(8_000))])).rejects.toThrow(RangeError)
    await log.append([record(topic)])
  })
})
