/**
 * What every form of the event log must do, as tests: the embedded one, Kafka and the memory log each call {@link describeEventLog}.
 * Each test gets topics that nothing was appended to before.
 */
import { afterEach, describe, expect, test } from 'vitest'
import { partitionOf } from '../contract/partition.ts'
import type { EventLog, LogRecord, NewRecord, RecordBatch, TopicPartition } from '../log/event-log.ts'
import { OffsetOutOfRange, partitionKey } from '../log/event-log.ts'

export interface LogUnderTest {
  log: EventLog
  /** An empty topic of four partitions. */
  topic: string
  /** An empty topic of one partition. */
  single: string
  /** Another handle on the same log, as another process would have it. */
  reopen(): Promise<EventLog>
  /** Makes retention remove everything appended so far. */
  expire(): Promise<void>
  dispose(): Promise<void>
}

export interface EventLogSuiteOptions {
  /** A record appended while a subscription sleeps must arrive within this. */
  wakeUpMs?: number
}

const PARTITIONS = 4
const DEADLINE_MS = 60_000
const text = (records: readonly LogRecord[]): string[] => records.map((r) => r.value.toString())
let groups = 0
const newGroup = (): string => `suite-${process.pid}-${Date.now()}-${groups++}`

export async function until(condition: () => boolean, what: string, deadlineMs = DEADLINE_MS): Promise<void> {
  const end = performance.now() + deadlineMs
  while (!condition()) {
    if (performance.now() > end) throw new Error(`Not within ${deadlineMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** Reads a partition to its end, in pages. */
export async function readAll(log: EventLog, at: TopicPartition, from = 0, page = 1_000): Promise<LogRecord[]> {
  const all: LogRecord[] = []
  for (let offset = from; ; ) {
    const records = await log.read(at, offset, page)
    if (records.length === 0) return all
    all.push(...records)
    offset = records[records.length - 1]!.offset + 1
  }
}

export function describeEventLog(
  name: string,
  open: () => Promise<LogUnderTest>,
  options: EventLogSuiteOptions = {},
): void {
  const { wakeUpMs = 2_000 } = options

  describe(name, () => {
    let current: LogUnderTest | null = null
    const others: EventLog[] = []
    const fresh = async (): Promise<LogUnderTest> => {
      current = await open()
      return current
    }
    afterEach(async () => {
      for (const other of others.splice(0)) await other.close()
      await current?.dispose()
      current = null
    })

    const records = (topic: string, count: number, key: string | null = 'k'): NewRecord[] =>
      Array.from({ length: count }, (_, i) => ({ topic, key, value: Buffer.from(`v${i}`) }))
    const all = (topic: string): TopicPartition[] =>
      Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))

    /** Subscribes from the offsets given (else 0) and collects what is delivered. */
    function collect(log: EventLog, topics: string[], starts: Record<string, number> = {}) {
      const subscription = log.subscribe(newGroup(), topics)
      const seen = { batches: [] as RecordBatch[], assigned: [] as TopicPartition[], revoked: [] as TopicPartition[] }
      const values = (): string[] => seen.batches.flatMap((b) => text(b.records))
      let failed: unknown
      const done = subscription
        .run({
          async assigned(partitions) {
            seen.assigned.push(...partitions)
            return new Map(partitions.map((at) => [partitionKey(at), starts[partitionKey(at)] ?? 0]))
          },
          async revoked(partitions) {
            seen.revoked.push(...partitions)
          },
          async batch(batch) {
            seen.batches.push(batch)
          },
        })
        .catch((error: unknown) => {
          failed = error
          throw error
        })
      done.catch(() => {}) // the test awaits `done` where it matters
      const arrived = (count: number, deadlineMs?: number) =>
        until(
          () => {
            if (failed) throw failed
            return values().length >= count
          },
          `${count} records delivered`,
          deadlineMs,
        )
      return { subscription, seen, values, done, arrived }
    }

    describe('append and read', () => {
      test('a topic says how many partitions it has', async () => {
        const { log, topic, single } = await fresh()
        expect([await log.partitionCount(topic), await log.partitionCount(single)]).toEqual([PARTITIONS, 1])
      })

      test('offsets begin at 0, rise by one, and are answered in the order given', async () => {
        const { log, single } = await fresh()
        const first = await log.append(records(single, 3))
        const second = await log.append(records(single, 2))
        expect([...first, ...second]).toEqual(
          [0, 1, 2, 3, 4].map((offset) => ({ topic: single, partition: 0, offset })),
        )
      })

      test('an append that has resolved is there to read, in order', async () => {
        const { log, single } = await fresh()
        await log.append(records(single, 5))
        const got = await log.read({ topic: single, partition: 0 }, 0, 100)
        expect(text(got)).toEqual(['v0', 'v1', 'v2', 'v3', 'v4'])
        expect(got.map((r) => r.offset)).toEqual([0, 1, 2, 3, 4])
        expect(got.every((r) => r.key === 'k')).toBe(true)
      })

      test('appending nothing is answered with nothing', async () => {
        const { log } = await fresh()
        expect(await log.append([])).toEqual([])
      })

      test('a topic that does not exist is an error, and nothing of that append is kept', async () => {
        const { log, single } = await fresh()
        await expect(log.append([...records(single, 1), ...records('no.such.topic', 1)])).rejects.toThrow(
          /no\.such\.topic/,
        )
        expect(await log.bounds({ topic: single, partition: 0 })).toEqual({ earliest: 0, next: 0 })
      })

      test("a key goes to the partition that Kafka's partitioner chooses", async () => {
        const { log, topic } = await fresh()
        const keys = [
          ...Array.from({ length: 40 }, (_, i) => `user-${i}`),
          'kullanıcı-ğüşö',
          '用户',
          '🛒',
          'a'.repeat(500),
        ]
        const positions = await log.append(keys.map((key) => ({ topic, key, value: Buffer.from(key) })))
        expect(positions.map((p) => p.partition)).toEqual(keys.map((key) => partitionOf(key, PARTITIONS)))
        for (const at of all(topic)) {
          for (const record of await readAll(log, at)) {
            expect(record.key).toBe(record.value.toString())
            expect(partitionOf(record.key!, PARTITIONS)).toBe(at.partition)
          }
        }
      })

      test('records without a key reach every partition and have none when read', async () => {
        const { log, topic } = await fresh()
        // In many appends: a log may keep the records of one together.
        const positions = []
        for (let i = 0; i < 200; i++) positions.push(...(await log.append(records(topic, 1, null))))
        expect(new Set(positions.map((p) => p.partition)).size).toBe(PARTITIONS)
        for (const at of all(topic)) expect((await readAll(log, at)).every((r) => r.key === null)).toBe(true)
      })

      test('one append may go to several topics and partitions', async () => {
        const { log, topic, single } = await fresh()
        const mixed = Array.from({ length: 50 }, (_, i) => ({
          topic: i % 5 === 0 ? single : topic,
          key: `k${i}`,
          value: Buffer.from(`${i}`),
        }))
        const positions = await log.append(mixed)
        for (const [i, { topic: name, partition, offset }] of positions.entries()) {
          const [record] = await log.read({ topic: name, partition }, offset, 1)
          expect(record).toMatchObject({ offset, key: `k${i}` })
          expect(record!.value.toString()).toBe(`${i}`)
        }
      })

      test('headers, bytes and empty values come back as they were', async () => {
        const { log, single } = await fresh()
        const at = { topic: single, partition: 0 }
        const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
        const headers = {
          traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
          ünï: 'çödé',
          empty: '',
        }
        await log.append([
          { topic: single, key: 'k', value: bytes, headers },
          { topic: single, key: 'k', value: Buffer.alloc(0) },
          { topic: single, key: null, value: new Uint8Array([7]), headers: { a: 'b' } },
        ])
        const [first, second, third] = await readAll(log, at)
        expect(first!.value.equals(bytes)).toBe(true)
        expect({ ...first!.headers }).toEqual(headers)
        expect(second!.value.length).toBe(0)
        expect(second!.headers ?? {}).toEqual({})
        expect([...third!.value]).toEqual([7])
        expect({ ...third!.headers }).toEqual({ a: 'b' })
      })

      test('a tombstone is told from an empty value', async () => {
        const { log, single } = await fresh()
        const at = { topic: single, partition: 0 }
        const value = Buffer.alloc(0)
        await log.append([
          { topic: single, key: 'k', value },
          { topic: single, key: 'k', value, tombstone: true, headers: { a: 'b' } },
          { topic: single, key: 'k', value: Buffer.from('v') },
        ])
        const { seen, arrived, subscription } = collect(log, [single])
        await arrived(3)
        await subscription.stop()
        for (const got of [await readAll(log, at), seen.batches.flatMap((batch) => batch.records)]) {
          expect(got.map((record) => record.tombstone === true)).toEqual([false, true, false])
          expect(got[1]).toMatchObject({ key: 'k', headers: { a: 'b' } })
          expect(text(got)).toEqual(['', '', 'v'])
        }
      })

      test('a partition that is named goes before the key, and has to exist', async () => {
        const { log, topic } = await fresh()
        const value = Buffer.from('to all')
        for (const key of [null, 'k']) {
          const positions = await log.append(all(topic).map((at) => ({ ...at, key, value })))
          expect(positions.map(({ partition }) => partition)).toEqual([0, 1, 2, 3])
        }
        await expect(log.append([{ topic, partition: PARTITIONS, key: null, value }])).rejects.toThrow(/no partition/)
      })

      test('a value may be changed by its owner once the append has resolved', async () => {
        const { log, single } = await fresh()
        const value = Buffer.from('before')
        await log.append([{ topic: single, key: 'k', value }])
        value.write('AFTER!')
        expect(text(await readAll(log, { topic: single, partition: 0 }))).toEqual(['before'])
      })

      test('what was read stays as it was read', async () => {
        const { log, single } = await fresh()
        const at = { topic: single, partition: 0 }
        await log.append(records(single, 3))
        const got = await log.read(at, 0, 10)
        for (let i = 0; i < 20; i++) {
          await log.append([{ topic: single, key: 'other', value: Buffer.alloc(5_000, 'x') }])
          await log.read(at, i, 100)
        }
        expect(text(got)).toEqual(['v0', 'v1', 'v2'])
      })

      test('values of a megabyte, between small ones', async () => {
        const { log, single } = await fresh()
        const large = (fill: string) => Buffer.alloc(1_000_000, fill)
        const values = [Buffer.from('s'), large('a'), Buffer.from('t'), large('b'), large('c'), Buffer.from('u')]
        await log.append(values.slice(0, 3).map((value) => ({ topic: single, key: 'k', value })))
        for (const value of values.slice(3)) await log.append([{ topic: single, key: 'k', value }])
        const got = await readAll(log, { topic: single, partition: 0 })
        expect(got.length).toBe(values.length)
        for (const [i, value] of values.entries()) expect(got[i]!.value.equals(value)).toBe(true)
      })

      test('append times are those of the append', async () => {
        const { log, single } = await fresh()
        const before = Date.now()
        await log.append(records(single, 1))
        const after = Date.now()
        const [record] = await readAll(log, { topic: single, partition: 0 })
        expect(record!.appendedAtMs).toBeGreaterThanOrEqual(before)
        expect(record!.appendedAtMs).toBeLessThanOrEqual(after)
      })

      test('reading can begin at any offset and in pages of any size', async () => {
        const { log, single } = await fresh()
        const at = { topic: single, partition: 0 }
        for (const count of [1, 7, 30, 2, 60]) await log.append(records(single, count))
        const offsets = (from: number) => Array.from({ length: 100 - from }, (_, i) => from + i)
        for (const page of [1, 3, 64, 1_000]) {
          expect((await readAll(log, at, 0, page)).map((r) => r.offset)).toEqual(offsets(0))
        }
        for (const from of [1, 8, 37, 38, 39, 99]) {
          expect((await readAll(log, at, from, 10)).map((r) => r.offset)).toEqual(offsets(from))
        }
        expect((await log.read(at, 35, 4)).length).toBeLessThanOrEqual(4)
      })

      test('at the end there is nothing to read, and beyond it is an error', async () => {
        const { log, single } = await fresh()
        const at = { topic: single, partition: 0 }
        expect(await log.read(at, 0, 10)).toEqual([])
        await expect(log.read(at, 1, 10)).rejects.toThrow()
        await log.append(records(single, 3))
        expect(await log.read(at, 3, 10)).toEqual([])
        await expect(log.read(at, 4, 10)).rejects.toThrow()
      })

      test('bounds tell the first offset and the next', async () => {
        const { log, single } = await fresh()
        const at = { topic: single, partition: 0 }
        expect(await log.bounds(at)).toEqual({ earliest: 0, next: 0 })
        await log.append(records(single, 3))
        expect(await log.bounds(at)).toEqual({ earliest: 0, next: 3 })
      })

      test('fifty callers at once: every record has a place of its own, and each caller finds its own in order', async () => {
        const { log, topic } = await fresh()
        const appends = await Promise.all(
          Array.from({ length: 50 }, async (_, caller) => {
            const positions = []
            for (let turn = 0; turn < 10; turn++) {
              const batch = Array.from({ length: 5 }, (_, i) => ({
                topic,
                key: `caller-${caller}`,
                value: Buffer.from(`${turn * 5 + i}`),
              }))
              positions.push(...(await log.append(batch)))
            }
            return positions
          }),
        )
        expect(new Set(appends.flat().map((p) => `${p.partition}/${p.offset}`)).size).toBe(2_500)
        const found = new Map<string, number[]>()
        for (const at of all(topic)) {
          const got = await readAll(log, at)
          expect(got.map((r) => r.offset)).toEqual(got.map((_, i) => i))
          for (const { key, value } of got) found.set(key!, [...(found.get(key!) ?? []), Number(value.toString())])
        }
        expect(found.size).toBe(50)
        for (const numbers of found.values()) expect(numbers).toEqual(Array.from({ length: 50 }, (_, i) => i))
      })

      test('identity names this log, to whoever opens it', async () => {
        const { log, reopen } = await fresh()
        expect(await log.identity()).toMatch(/./)
        const other = await reopen()
        others.push(other)
        expect(await other.identity()).toBe(await log.identity())
      })

      test('two openings of one log append side by side and read the same', async () => {
        const { log, single, reopen } = await fresh()
        const other = await reopen()
        others.push(other)
        const tell = async (mine: EventLog, key: string) => {
          for (let i = 0; i < 20; i++) await mine.append([{ topic: single, key, value: Buffer.from(`${i}`) }])
        }
        await Promise.all([tell(log, 'a'), tell(other, 'b')])
        const at = { topic: single, partition: 0 }
        const got = await readAll(log, at)
        expect(got.map((r) => r.offset)).toEqual(Array.from({ length: 40 }, (_, i) => i))
        for (const key of ['a', 'b']) {
          expect(text(got.filter((r) => r.key === key))).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`))
        }
        expect(text(await readAll(other, at))).toEqual(text(got))
      })
    })

    describe('retention', () => {
      test('what is gone is out of range, offsets go on, and new records are kept', async () => {
        const { log, single, expire } = await fresh()
        const at = { topic: single, partition: 0 }
        await log.append(records(single, 5))
        await expire()
        expect(await log.bounds(at)).toEqual({ earliest: 5, next: 5 })
        expect(await log.read(at, 5, 10)).toEqual([])
        const [position] = await log.append(records(single, 1))
        expect(position!.offset).toBe(5)
        expect(await log.bounds(at)).toEqual({ earliest: 5, next: 6 })
        expect(text(await readAll(log, at, 5))).toEqual(['v0'])
        const error = await log.read(at, 4, 10).then(
          () => null,
          (e: unknown) => e,
        )
        expect(error).toBeInstanceOf(OffsetOutOfRange)
        expect(error).toMatchObject({ offset: 4, earliest: 5, at: { topic: single, partition: 0 } })
      })

      test('a subscription that would begin before it fails', async () => {
        const { log, single, expire } = await fresh()
        await log.append(records(single, 5))
        await expire()
        await log.append(records(single, 1))
        const { done, seen } = collect(log, [single], { [`${single}-0`]: 2 })
        await expect(done).rejects.toThrow(OffsetOutOfRange)
        expect(seen.batches).toEqual([])
      })
    })

    describe('subscribe', () => {
      test('all partitions are assigned before anything is delivered, and everything is delivered once and in order', async () => {
        const { log, topic, single } = await fresh()
        const keys = Array.from({ length: 30 }, (_, i) => `user-${i}`)
        for (let i = 0; i < 20; i++) {
          await log.append(keys.map((key) => ({ topic, key, value: Buffer.from(`${key}/${i}`) })))
        }
        await log.append(records(single, 3))
        const { subscription, seen, values, arrived, done } = collect(log, [topic, single])
        await arrived(603)
        await subscription.stop()
        await done
        const expected = [...all(topic), { topic: single, partition: 0 }].map(partitionKey).sort()
        expect(seen.assigned.map(partitionKey).sort()).toEqual(expected)
        expect(seen.revoked.map(partitionKey).sort()).toEqual(expected)
        expect(values().length).toBe(603)
        const positions = new Map<string, number>()
        for (const batch of seen.batches) {
          for (const record of batch.records) {
            expect(record.offset).toBe(positions.get(partitionKey(batch)) ?? 0)
            positions.set(partitionKey(batch), record.offset + 1)
          }
          expect(batch.nextOffset).toBe((await log.bounds(batch)).next)
        }
      })

      test('delivery begins at the offset that assigned answers', async () => {
        const { log, single } = await fresh()
        await log.append(records(single, 10))
        const { subscription, values, arrived, done } = collect(log, [single], { [`${single}-0`]: 7 })
        await arrived(3)
        await subscription.stop()
        await done
        expect(values()).toEqual(['v7', 'v8', 'v9'])
      })

      test('a sleeping subscription is woken by an append', async () => {
        const { log, single } = await fresh()
        await log.append([{ topic: single, key: 'k', value: Buffer.from('first') }])
        const { subscription, values, arrived, done } = collect(log, [single])
        await arrived(1)
        await new Promise((resolve) => setTimeout(resolve, 100)) // long enough to have gone to sleep
        await log.append([{ topic: single, key: 'k', value: Buffer.from('second') }])
        await arrived(2, wakeUpMs)
        await subscription.stop()
        await done
        expect(values()).toEqual(['first', 'second'])
      })

      test('the next batch comes only when the handler is done with this one', async () => {
        const { log, topic } = await fresh()
        for (let i = 0; i < 5; i++) await log.append(all(topic).flatMap((_, k) => records(topic, 4, `k${k}-${i}`)))
        let inside = 0
        let most = 0
        let count = 0
        const subscription = log.subscribe(newGroup(), [topic])
        const done = subscription.run({
          assigned: async (partitions) => new Map(partitions.map((at) => [partitionKey(at), 0])),
          revoked: async () => {},
          async batch(batch) {
            most = Math.max(most, ++inside)
            await new Promise((resolve) => setTimeout(resolve, 10))
            count += batch.records.length
            inside--
          },
        })
        await until(() => count === 80, '80 records handled')
        await subscription.stop()
        await done
        expect(most).toBe(1)
      })

      test('stop waits for the batch under way, hands the partitions back, and run resolves', async () => {
        const { log, single } = await fresh()
        await log.append(records(single, 3))
        const steps: string[] = []
        let finish = (): void => {}
        const subscription = log.subscribe(newGroup(), [single])
        const done = subscription.run({
          assigned: async () => new Map([[`${single}-0`, 0]]),
          async revoked() {
            steps.push('revoked')
          },
          async batch() {
            steps.push('batch')
            await new Promise<void>((resolve) => {
              finish = resolve
            })
            steps.push('handled')
          },
        })
        await until(() => steps.length === 1, 'the first batch')
        const stopped = subscription.stop()
        finish()
        await Promise.all([stopped, done])
        await log.append(records(single, 1))
        expect(steps).toEqual(['batch', 'handled', 'revoked'])
      })

      test('run rejects with what the handler throws', async () => {
        const { log, single } = await fresh()
        await log.append(records(single, 1))
        const subscription = log.subscribe(newGroup(), [single])
        const done = subscription.run({
          assigned: async () => new Map([[`${single}-0`, 0]]),
          revoked: async () => {},
          batch: () => Promise.reject(new Error('the disk of the results is full')),
        })
        await expect(done).rejects.toThrow('the disk of the results is full')
        await subscription.stop()
      })

      test('a commit is accepted, and does not change where the next reader starts', async () => {
        const { log, single } = await fresh()
        await log.append(records(single, 4))
        const first = collect(log, [single])
        await first.arrived(4)
        await first.subscription.commit({ topic: single, partition: 0 }, 4)
        await first.subscription.stop()
        const second = collect(log, [single], { [`${single}-0`]: 2 })
        await second.arrived(2)
        await second.subscription.stop()
        expect(second.values()).toEqual(['v2', 'v3'])
      })

      test('a commit is read back by other handles of the log, and is of its group alone', async () => {
        const { log, single, reopen } = await fresh()
        await log.append(records(single, 4))
        const [group, at] = [newGroup(), { topic: single, partition: 0 }]
        expect(await log.committed(group, at)).toBe(null)
        const subscription = log.subscribe(group, [single])
        const done = subscription.run({
          assigned: async () => new Map([[`${single}-0`, 0]]),
          revoked: async () => {},
          batch: ({ records: [last] }) => subscription.commit(at, last!.offset + 3),
        })
        const deadline = performance.now() + DEADLINE_MS
        while ((await log.committed(group, at)) === null && performance.now() < deadline)
          await new Promise((resolve) => setTimeout(resolve, 5))
        await subscription.stop()
        await done
        expect([await log.committed(group, at), await (await reopen()).committed(group, at)]).toEqual([3, 3])
        expect(await log.committed(newGroup(), at)).toBe(null)
      })

      test('two groups get everything, each for itself', async () => {
        const { log, topic } = await fresh()
        const one = collect(log, [topic])
        const two = collect(log, [topic])
        await log.append(Array.from({ length: 100 }, (_, i) => ({ topic, key: `k${i}`, value: Buffer.from(`${i}`) })))
        await Promise.all([one.arrived(100), two.arrived(100)])
        await Promise.all([one.subscription.stop(), two.subscription.stop()])
        expect(one.values().sort()).toEqual(two.values().sort())
        expect(new Set(one.values()).size).toBe(100)
      })
    })
  })
}
