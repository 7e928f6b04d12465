/** The memory log passes the log's suite, and moves partitions between the members of a group. */
import { describe, expect, test } from 'vitest'
import type { Topic } from '../contract/topics.ts'
import { type LogSubscription, partitionKey, type SubscriptionHandler } from '../log/event-log.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import { describeEventLog, until } from './event-log-suite.ts'
import { createMemoryLog } from './memory-log.ts'

const topics: Topic[] = [
  { name: 'four', partitions: 4, retentionMs: 1_000, key: 'any' },
  { name: 'one', partitions: 1, retentionMs: 1_000, key: 'any' },
]

describeEventLog('memory log', async () => {
  let ahead = 0
  const clock: Clock = { now: () => Date.now() + ahead, sleep: systemClock.sleep }
  const log = createMemoryLog({ clock, topics })
  return {
    log,
    topic: 'four',
    single: 'one',
    reopen: async () => ({ ...log, close: async () => {} }),
    async expire() {
      ahead += 10_000
      await log.trim()
    },
    dispose: () => log.close(),
  }
})

describe('members of a group', () => {
  const join = (log: ReturnType<typeof createMemoryLog>) => {
    const subscription: LogSubscription = log.subscribe('g', ['four'])
    const held = new Set<string>()
    const seen: string[] = []
    const handler: SubscriptionHandler = {
      async assigned(partitions) {
        for (const at of partitions) held.add(partitionKey(at))
        return new Map(partitions.map((at) => [partitionKey(at), log.records(at).length]))
      },
      async revoked(partitions) {
        for (const at of partitions) held.delete(partitionKey(at))
      },
      async batch({ records }) {
        for (const record of records) {
          const value = record.value.toString()
          if (value === `poison`) throw new Error('poisoned')
          seen.push(value)
        }
      },
    }
    const done = subscription.run(handler)
    done.catch(() => {})
    return { subscription, held, seen, done }
  }
  const open = () => createMemoryLog({ clock: { now: () => 0, sleep: async () => {} }, topics })
  const say = (log: ReturnType<typeof createMemoryLog>, value: string) =>
    log.append(Array.from({ length: 8 }, () => ({ topic: 'four', key: null, value: Buffer.from(value) })))

  test('share the partitions, each with one member at a time', async () => {
    const log = open()
    const a = join(log)
    await until(() => a.held.size === 4, 'a has all')
    const b = join(log)
    await until(() => a.held.size === 2 && b.held.size === 2, 'two each')
    expect([...a.held].filter((p) => b.held.has(p))).toEqual([])
    await say(log, 'x')
    await until(() => a.seen.length + b.seen.length === 8, 'all delivered once')
    await a.subscription.stop()
    await until(() => b.held.size === 4, 'b has all')
    await log.close()
    await Promise.all([a.done, b.done])
  })

  test('inherit from a member whose handler fails, without it being asked to hand back', async () => {
    const log = open()
    const a = join(log)
    const b = join(log)
    await until(() => a.held.size === 2 && b.held.size === 2, 'two each')
    await log.append([{ topic: 'four', key: null, value: Buffer.from('poison') }])
    const [died, other] = (await Promise.race([
      a.done.catch(() => [a, b] as const),
      b.done.catch(() => [b, a] as const),
    ])) as [typeof a, typeof a]
    await until(() => other.held.size === 4, 'the other has all')
    expect(died.held.size).toBe(2)
    await log.close()
  })

  test('the same appends give the same log', async () => {
    const run = async () => {
      const log = open()
      for (let i = 0; i < 20; i++) await say(log, `${i}`)
      return [0, 1, 2, 3].map((partition) => log.records({ topic: 'four', partition }))
    }
    expect(await run()).toEqual(await run())
  })
})
