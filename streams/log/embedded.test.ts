/** The embedded log: passes the log's suite, and what is its own (reopening, limits, retention by time, batches of every shape). */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { Topic } from '../contract/topics.ts'
import { describeEventLog, readAll, until } from '../testing/event-log-suite.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import { BatchWriter, decodeBatch, KeyBytes } from './embedded/batch.ts'
import { type EmbeddedLog, type EmbeddedLogOptions, openEmbeddedLog } from './embedded.ts'
import { type LogRecord, LogUnavailable } from './event-log.ts'

const topics: Topic[] = [
  { name: 'four', partitions: 4, retentionMs: 60_000, key: 'any' },
  { name: 'one', partitions: 1, retentionMs: 60_000, key: 'any' },
  { name: 'long', partitions: 1, retentionMs: 600_000, key: 'any' },
]
const ONE = { topic: 'one', partition: 0 }
const LONG = { topic: 'long', partition: 0 }

/** The wall clock, shifted by hand. */
const shiftedClock = () => {
  const clock = { aheadMs: 0, now: () => Date.now() + clock.aheadMs, sleep: systemClock.sleep }
  return clock satisfies Clock & { aheadMs: number }
}
const temporary = () => mkdtemp(join(tmpdir(), 'streamforge-log-'))

describeEventLog(
  'embedded log',
  async () => {
    const folder = await temporary()
    const clock = shiftedClock()
    const log = await openEmbeddedLog({ folder, topics, clock })
    return {
      log,
      topic: 'four',
      single: 'one',
      reopen: () => openEmbeddedLog({ folder, topics, clock }),
      async expire() {
        clock.aheadMs += 120_000
        await log.trim()
      },
      async dispose() {
        await log.close()
        await rm(folder, { recursive: true })
      },
    }
  },
  { wakeUpMs: 500 },
)

describe('embedded log, its own', () => {
  const opened: EmbeddedLog[] = []
  const folders: string[] = []
  const fresh = async () => {
    const folder = await temporary()
    folders.push(folder)
    return folder
  }
  const open = async (options: EmbeddedLogOptions) => {
    const log = await openEmbeddedLog({ topics, ...options })
    opened.push(log)
    return log
  }
  afterEach(async () => {
    for (const log of opened.splice(0)) await log.close()
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true })
  })
  const record = (value: string | Buffer, topic = 'one') => ({ topic, key: 'k', value: Buffer.from(value) })

  test('after closing and opening again everything is there, under the same identity', async () => {
    const folder = await fresh()
    const first = await open({ folder })
    await first.append([record('a'), record('b')])
    const identity = await first.identity()
    await first.close()
    const second = await open({ folder })
    expect(await second.identity()).toBe(identity)
    await second.append([record('c')])
    expect((await readAll(second, ONE)).map((r) => `${r.offset}${r.value}`)).toEqual(['0a', '1b', '2c'])
  })

  test('two folders are two logs', async () => {
    const a = await open({ folder: await fresh() })
    const b = await open({ folder: await fresh() })
    expect(await a.identity()).not.toBe(await b.identity())
  })

  test('a folder whose name has a dot in it is a folder', async () => {
    const folder = join(await fresh(), 'data.v1')
    const log = await open({ folder })
    await log.append([record('a')])
    expect((await log.bounds(ONE)).next).toBe(1)
  })

  test('the folder can be opened again while appends are under way', async () => {
    const folder = await fresh()
    const log = await open({ folder })
    const appends = Array.from({ length: 200 }, (_, i) => log.append([record(`${i}`)]))
    const other = await open({ folder })
    appends.push(other.append([record('other')]))
    await Promise.all(appends)
    expect((await readAll(other, ONE)).length).toBe(201)
    await other.close()
    await log.append([record('after')])
    expect((await log.bounds(ONE)).next).toBe(202)
  })

  test('a changed partition count is refused with what to do', async () => {
    const folder = await fresh()
    await (await open({ folder })).close()
    const grown = topics.map((t) => (t.name === 'four' ? { ...t, partitions: 8 } : t))
    await expect(openEmbeddedLog({ folder, topics: grown })).rejects.toThrow(/4 partitions of four; 8 are configured/)
  })

  test('a new topic can be added to an old folder', async () => {
    const folder = await fresh()
    const first = await open({ folder, topics: topics.slice(0, 2) })
    await first.append([record('a')])
    await first.close()
    const second = await open({ folder })
    await second.append([record('b', 'long')])
    expect((await readAll(second, ONE)).length + (await readAll(second, LONG)).length).toBe(2)
  })

  test('appends made at once share a transaction', async () => {
    // The clock is asked once per commit: each has its own time.
    let commits = 0
    const log = await open({ folder: await fresh(), clock: { now: () => ++commits, sleep: systemClock.sleep } })
    await Promise.all(Array.from({ length: 5_000 }, (_, i) => log.append([record(`${i}`)])))
    const records = await readAll(log, ONE)
    expect(records.map((r) => Number(r.value))).toEqual(Array.from({ length: 5_000 }, (_, i) => i))
    expect(new Set(records.map((r) => r.appendedAtMs)).size).toBe(commits)
    expect(commits).toBeLessThanOrEqual(3)
  })

  test('what waits for the disk is bounded, and what was refused is not kept', async () => {
    const log = await open({ folder: await fresh(), maxWaitingBytes: 100_000 })
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) => log.append([record(Buffer.alloc(30_000, `${i}`))])),
    )
    const refused = outcomes.filter((o) => o.status === 'rejected')
    expect(refused.length).toBe(7)
    for (const { reason } of refused) {
      expect(reason).toBeInstanceOf(LogUnavailable)
      expect(reason.message).toMatch(/faster than the disk/)
    }
    expect((await readAll(log, ONE)).length).toBe(3)
    await log.append([record('again')]) // and afterwards there is room
    expect((await log.bounds(ONE)).next).toBe(4)
  })

  test('a record over the limit is refused, with the rest of its append', async () => {
    const log = await open({ folder: await fresh(), maxRecordBytes: 1_000 })
    await expect(log.append([record('small'), record(Buffer.alloc(1_001))])).rejects.toThrow(
      /1001 bytes.*limit of 1000/,
    )
    expect((await log.bounds(ONE)).next).toBe(0)
  })

  test('when the disk does not answer in time, appends are refused, and the log recovers when it does', async () => {
    const folder = await fresh()
    // The clock's patience is over at once, so the first commit is late by definition.
    const impatient = { now: () => 0, sleep: async (ms: number) => void (ms > 1_000 || (await systemClock.sleep(ms))) }
    const log = await open({ folder, clock: impatient })
    await expect(log.append([record('a')])).rejects.toThrow(/not confirmed a commit for 30 s/)
    await expect(log.append([record('b')])).rejects.toThrow(LogUnavailable)
    const messages: string[] = []
    const deadline = performance.now() + 10_000
    while (!messages.some((m) => m.includes('not confirmed')) && performance.now() < deadline) {
      messages.push(String(await log.append([record('c')]).catch((e: unknown) => e)))
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(messages.at(-1)).toMatch(/not confirmed/) // it tries the disk again
  })

  test('after close an append is refused', async () => {
    const log = await open({ folder: await fresh() })
    await log.close()
    await expect(log.append([record('a')])).rejects.toThrow(LogUnavailable)
  })

  test('close waits for the appends under way', async () => {
    const folder = await fresh()
    const log = await open({ folder })
    const appends = Array.from({ length: 100 }, (_, i) => log.append([record(`${i}`)]))
    await log.close()
    await Promise.all(appends)
    expect((await readAll(await open({ folder }), ONE)).length).toBe(100)
  })

  test("trim removes what is older than the topic's retention, and never a younger batch", async () => {
    const clock = { nowMs: 0, now: () => clock.nowMs, sleep: systemClock.sleep }
    const log = await open({ folder: await fresh(), clock })
    for (let i = 0; i < 10; i++) {
      clock.nowMs = i * 20_000
      await log.append([record(`${i}a`), record(`${i}b`), record(`${i}`, 'long')])
    }
    clock.nowMs = 200_000 // `one` keeps 60 s: those of 140 s, 160 s and 180 s
    expect(await log.trim()).toBe(14)
    expect((await readAll(log, ONE, 14)).map((r) => `${r.value}`)).toEqual(['7a', '7b', '8a', '8b', '9a', '9b'])
    expect(await log.bounds(ONE)).toEqual({ earliest: 14, next: 20 })
    expect(await log.bounds(LONG)).toEqual({ earliest: 0, next: 10 })
    expect(await log.trim()).toBe(0)
    clock.nowMs = 200_001
    expect(await log.trim()).toBe(2)
  })

  test('trim removes thousands of batches, and gives their room to new ones', async () => {
    const clock = shiftedClock()
    const log = await open({ folder: await fresh(), clock, maxWaitingBytes: 1e9 })
    for (let i = 0; i < 1_200; i++) await log.append([record(`${i}`)])
    clock.aheadMs += 61_000
    await log.append([record('young')])
    expect(await log.trim()).toBe(1_200)
    expect(await log.bounds(ONE)).toEqual({ earliest: 1_200, next: 1_201 })
  })

  test('what a group has committed can be read, also after opening again', async () => {
    const folder = await fresh()
    const log = await open({ folder })
    expect(await log.committed('g', ONE)).toBe(null)
    await log.subscribe('g', ['one']).commit(ONE, 7)
    expect(await log.committed('g', ONE)).toBe(7)
    expect(await log.committed('h', ONE)).toBe(null)
    await log.close()
    expect(await (await open({ folder })).committed('g', ONE)).toBe(7)
  })

  test('batches delivered are bounded, and partitions take turns', async () => {
    const log = await open({ folder: await fresh(), maxBatchRecords: 50 })
    await log.append(Array.from({ length: 400 }, () => ({ topic: 'four', key: null, value: Buffer.from('v') })))
    const order: number[] = []
    let count = 0
    const subscription = log.subscribe('g', ['four'])
    const done = subscription.run({
      assigned: async () => new Map(),
      revoked: async () => {},
      async batch({ partition, records }) {
        expect(records.length).toBeLessThanOrEqual(50)
        order.push(partition)
        count += records.length
      },
    })
    await until(() => count === 400, 'all delivered')
    await subscription.stop()
    await done
    expect(order).toEqual([0, 1, 2, 3, 0, 1, 2, 3])
  })

  test('closing stops the subscriptions', async () => {
    const log = await open({ folder: await fresh() })
    let revoked = 0
    const done = log.subscribe('g', ['four']).run({
      assigned: async () => new Map(),
      async revoked(partitions) {
        revoked = partitions.length
      },
      batch: async () => {},
    })
    await log.close()
    await done
    expect(revoked).toBe(4)
  })

  test('a subscription that begins beyond the end is told that its position is from another log', async () => {
    const log = await open({ folder: await fresh() })
    const done = log.subscribe('g', ['one']).run({
      assigned: async () => new Map([['one-0', 5]]),
      revoked: async () => {},
      batch: async () => {},
    })
    await expect(done).rejects.toThrow(/belongs to another log/)
  })
})

describe('the batch format', () => {
  const anyRecord = fc.record({
    key: fc.option(
      fc.oneof(fc.string({ unit: 'binary-ascii', maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 300 })),
    ),
    value: fc.uint8Array({ maxLength: 400 }),
    headers: fc.option(
      fc.oneof(
        // Neighbours with the same headers, and such that begin alike.
        fc.constantFrom({ traceparent: '00' }, { traceparent: '00', id: '' }, { traceparent: '0' }),
        fc.dictionary(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme' })),
      ),
    ),
  })
  const write = (records: { key: string | null; value: Uint8Array; headers: Record<string, string> | null }[]) => {
    const writer = new BatchWriter()
    const key = new KeyBytes()
    for (const r of records) {
      if (r.key !== null) key.set(r.key)
      writer.add(r.key === null ? null : key, { value: r.value, ...(r.headers && { headers: r.headers }) })
    }
    return Buffer.from(writer.finish(1_700_000_000_123))
  }

  test('gives back what was put in, from any offset on, up to any number', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 20 }), fc.nat(25), fc.nat(25), (records, from, max) => {
        const read: LogRecord[] = []
        decodeBatch(write(records), 1_000, 1_000 + from, max, read)
        expect(
          read.map(({ offset, appendedAtMs, key, value, headers }) => ({
            offset,
            appendedAtMs,
            key,
            value: [...value],
            headers: Object.entries(headers ?? {}),
          })),
        ).toEqual(
          records
            .map(({ key, value, headers }, i) => ({
              offset: 1_000 + i,
              appendedAtMs: 1_700_000_000_123,
              key,
              value: [...value],
              headers: Object.entries(headers ?? {}),
            }))
            .slice(from, from + max),
        )
      }),
    )
  })

  test('a header named __proto__ is a header', () => {
    const headers = Object.fromEntries([['__proto__', 'x']])
    const read: LogRecord[] = []
    decodeBatch(write([{ key: null, value: Buffer.alloc(1), headers }]), 0, 0, 9, read)
    expect(Object.keys(read[0]!.headers!)).toEqual(['__proto__'])
  })

  test('bytes of another version are refused', () => {
    expect(() => decodeBatch(Buffer.alloc(20, 9), 3, 3, 9, [])).toThrow(/format 9 at offset 3/)
  })
})
