/** Members of a group on a real broker: they share partitions, hand them over drained, and inherit from those that die or freeze. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { kafkaTool } from '../../../cli/servers/index.ts'
import { withKafka } from '../../../cli/servers/testing/with-kafka.ts'
import { until } from '../../testing/event-log-suite.ts'
import { type EventLog, type LogSubscription, partitionKey } from '../event-log.ts'
import { type KafkaLogOptions, openKafkaLog } from '../kafka.ts'
import { makeTopics } from './testing/admin.ts'
import type { MemberTask } from './testing/member.ts'

const kafka = withKafka()
/** Of members that live: one that a busy machine keeps waiting is not to be taken for dead. */
const SESSION_MS = 60_000
const options = (): KafkaLogOptions => ({
  brokers: kafka.brokers,
  clientId: 'test',
  fetchWaitMs: 100,
  heartbeatMs: 200,
  sessionTimeoutMs: SESSION_MS,
  // More than a busy broker takes: nothing here is about one that is away.
  appendTimeoutMs: 60_000,
})
/** So soon a member that was killed or frozen is missed. */
const SOON_MS = 3_000
let made = 0
const names = () => {
  made++
  return { topics: [`a-${made}`, `b-${made}`], group: `group-${made}` }
}
const undo: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})
const openLog = async (): Promise<EventLog> => {
  const log = await openKafkaLog(options())
  undo.push(() => log.close())
  return log
}

/** Appends a few records to every partition until told to stop. @returns how many records each partition has then. */
function keepAppending(log: EventLog, topics: readonly string[]) {
  const counts = new Map<string, number>()
  let stopped = false
  const done = (async () => {
    for (let i = 0; !stopped; i++) {
      const records = topics.flatMap((topic) =>
        Array.from({ length: 8 }, (_, k) => ({ topic, key: `user-${k}`, value: Buffer.from(`${i}`) })),
      )
      for (const at of await log.append(records)) counts.set(partitionKey(at), at.offset + 1)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    return counts
  })()
  const stop = () => {
    stopped = true
    return done
  }
  undo.push(stop)
  return { counts, stop }
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

describe('members in one process', () => {
  test('a partition that another process writes for is let go without a drain, and begun anew where the group still gives it here', async () => {
    const { topics, group } = names()
    const [topic] = topics as [string]
    await makeTopics(kafka.brokers, { [topic]: 2 })
    const log = await openLog()
    const { counts, stop } = keepAppending(log, [topic])
    const assigned: string[] = []
    const revoked: string[] = []
    const delivered = new Map<string, number[]>()
    const subscription = log.subscribe(group, [topic])
    const done = subscription.run({
      async assigned(partitions) {
        assigned.push(...partitions.map(partitionKey))
        for (const key of partitions.map(partitionKey)) delivered.set(key, [])
        return new Map(partitions.map((at) => [partitionKey(at), 1]))
      },
      async revoked(partitions) {
        revoked.push(...partitions.map(partitionKey))
      },
      async batch(batch) {
        delivered.get(partitionKey(batch))?.push(...batch.records.map(({ offset }) => offset))
      },
    })
    const [kept, gone] = [`${topic}-0`, `${topic}-1`]
    await until(() => delivered.size === 2 && [...delivered.values()].every((d) => d.length > 20), 'both are read')
    subscription.lost!({ topic, partition: 1 })
    await until(() => assigned.length === 3, 'it is given here again')
    await stop()
    await until(
      () => [...counts].every(([key, count]) => delivered.get(key)?.at(-1) === count - 1),
      'everything is read',
    )
    expect(assigned.slice().sort()).toEqual([kept, gone, gone])
    expect(revoked).toEqual([])
    for (const [key, count] of counts) expect(delivered.get(key), key).toEqual(upTo(count).slice(1))
    await subscription.stop()
    await done
    expect(revoked.sort()).toEqual([kept, gone])
  })

  test('share the partitions; what moves is drained first, what stays is neither drained nor restored; nothing is lost or repeated', async () => {
    const { topics, group } = names()
    await makeTopics(kafka.brokers, { [topics[0]!]: 4, [topics[1]!]: 4 })
    const log = await openLog()
    const { stop } = keepAppending(log, topics)

    /** What checkpoints would hold, and who has what. */
    const next = new Map<string, number>()
    const owners = new Map<string, string>()
    const delivered = new Map<string, number[]>()
    const violations: string[] = []
    const join = (name: string) => {
      const subscription = log.subscribe(group, topics)
      const seen = { assigned: [] as string[], revoked: [] as string[] }
      const pending = new Map<string, number>()
      const done = subscription.run({
        async assigned(partitions) {
          for (const key of partitions.map(partitionKey)) {
            if (owners.has(key)) violations.push(`${key} given to ${name} while ${owners.get(key)} has it`)
            owners.set(key, name)
            seen.assigned.push(key)
          }
          return next
        },
        async revoked(partitions) {
          // A drain takes a while, and must be over before anybody else begins.
          await new Promise((resolve) => setTimeout(resolve, 150))
          for (const key of partitions.map(partitionKey)) {
            if (pending.has(key)) next.set(key, pending.get(key)!)
            pending.delete(key)
            owners.delete(key)
            seen.revoked.push(key)
          }
        },
        async batch(batch) {
          const key = partitionKey(batch)
          if (owners.get(key) !== name) violations.push(`${name} reads ${key} of ${owners.get(key)}`)
          const offsets = batch.records.map(({ offset }) => offset)
          delivered.set(key, [...(delivered.get(key) ?? []), ...offsets])
          pending.set(key, offsets.at(-1)! + 1)
        },
      })
      const held = () => [...owners.values()].filter((owner) => owner === name).length
      return { subscription, seen, done, held }
    }

    const one = join('one')
    await until(() => one.held() === 8, 'the first has all')
    const two = join('two')
    await until(() => one.held() === 4 && two.held() === 4, 'two have four each')
    expect(one.seen.revoked.length).toBe(4)
    expect(one.seen.assigned.length).toBe(8)
    const three = join('three')
    await until(
      () =>
        [one, two, three]
          .map((m) => m.held())
          .sort()
          .join() === '2,3,3',
      'three share',
    )
    expect([one, two, three].flatMap((m) => m.seen.revoked).length).toBe(6)
    await two.subscription.stop()
    await until(() => one.held() === 4 && three.held() === 4, 'the others inherit')
    const counts = await stop()
    await until(() => [...counts].every(([key, count]) => delivered.get(key)?.at(-1) === count - 1), 'everything read')
    await Promise.all([one.subscription.stop(), three.subscription.stop()])
    await Promise.all([one.done, two.done, three.done])
    expect(violations).toEqual([])
    for (const [key, count] of counts) expect(delivered.get(key), key).toEqual(upTo(count))
    expect(owners.size).toBe(0)
  })

  test('a member whose handler fails leaves at once: the others need not wait for its session to end', async () => {
    const { topics, group } = names()
    await makeTopics(kafka.brokers, { [topics[0]!]: 2 })
    const log = await openLog()
    const held = [new Set<string>(), new Set<string>()]
    const run = (mine: Set<string>, fails: boolean): { subscription: LogSubscription; done: Promise<void> } => {
      const subscription = log.subscribe(group, [topics[0]!])
      const done = subscription.run({
        async assigned(partitions) {
          for (const at of partitions) mine.add(partitionKey(at))
          return new Map()
        },
        async revoked(partitions) {
          for (const at of partitions) mine.delete(partitionKey(at))
        },
        batch: async () => {
          if (fails) throw new Error('a bug')
        },
      })
      done.catch(() => {})
      return { subscription, done }
    }
    const failing = run(held[0]!, true)
    await until(() => held[0]!.size === 2, 'the first has both')
    const healthy = run(held[1]!, false)
    await until(() => held[1]!.size === 1, 'they share')
    await log.append(Array.from({ length: 20 }, () => ({ topic: topics[0]!, key: null, value: Buffer.from('v') })))
    await expect(failing.done).rejects.toThrow('a bug')
    // Long before the session of the one that failed would have run out.
    await until(() => held[1]!.size === 2, 'the other inherits', SESSION_MS / 2)
    await healthy.subscription.stop()
    await healthy.done
  })
})

describe('members as processes', () => {
  const NODE = ['--import', fileURLToPath(new URL('../../../cli/typescript.mjs', import.meta.url))]
  const MEMBER = fileURLToPath(new URL('./testing/member.ts', import.meta.url))

  async function startMember(task: MemberTask) {
    const child: ChildProcess = spawn(process.execPath, [...NODE, MEMBER, JSON.stringify(task)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = once(child, 'close')
    undo.push(async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
    })
    const lines: string[] = []
    const holds = new Set<string>()
    let stderr = ''
    child.stderr!.on('data', (chunk) => {
      stderr += chunk
    })
    createInterface({ input: child.stdout! }).on('line', (line) => {
      lines.push(line)
      const [word, list] = line.split(' ')
      if (word === 'assigned') for (const key of list!.split(',')) holds.add(key)
      if (word === 'revoked') for (const key of list!.split(',')) holds.delete(key)
    })
    const held = (): ReadonlySet<string> => {
      if (child.exitCode) throw new Error(`A member has ended: ${stderr}`)
      return holds
    }
    return { child, lines, held, ended, stderr: () => stderr }
  }
  /** Offsets by partition, in the order in which this member read them. */
  const offsets = (lines: readonly string[], key: string): number[] =>
    lines.filter((line) => line.startsWith(`${key} `)).map((line) => Number(line.slice(key.length + 1)))

  test('kill -9, a freeze and an orderly end: everything is read, and only what a kill interrupted is read twice', async () => {
    const { topics, group } = names()
    await makeTopics(kafka.brokers, { [topics[0]!]: 4, [topics[1]!]: 4 })
    const folder = await mkdtemp(join(tmpdir(), 'streamforge-group-'))
    undo.push(() => rm(folder, { recursive: true, force: true }))
    const log = await openLog()
    const { stop } = keepAppending(log, topics)
    const task: MemberTask = { folder, group, topics, log: { ...options(), sessionTimeoutMs: SOON_MS } }
    const members = await Promise.all([1, 2, 3].map(() => startMember(task)))
    const [killed, frozen, lasting] = members as [(typeof members)[0], (typeof members)[0], (typeof members)[0]]
    const sizes = (...some: typeof members) =>
      some
        .map((m) => m.held().size)
        .sort()
        .join()
    await until(() => sizes(...members) === '2,3,3', 'three share', 30_000)

    killed.child.kill('SIGKILL')
    await until(() => sizes(frozen, lasting) === '4,4', 'two inherit', 30_000)
    frozen.child.kill('SIGSTOP')
    await until(() => lasting.held().size === 8, 'one inherits from the frozen one', 30_000)
    frozen.child.kill('SIGCONT')
    // It learns that it was thrown out, gives up what it held, and gets its share again.
    const givenUp = () => frozen.lines.filter((line) => line.startsWith('revoked')).length
    await until(() => givenUp() > 0 && sizes(frozen, lasting) === '4,4', 'the frozen one is back', 30_000)
    frozen.child.kill('SIGTERM')
    expect(await frozen.ended).toEqual([0, null])
    await until(() => lasting.held().size === 8, 'one has all')

    const counts = await stop()
    const last = (key: string) => offsets(lasting.lines, key).at(-1)
    await until(() => [...counts].every(([key, count]) => last(key) === count - 1), 'everything read', 30_000)
    for (const [key, count] of counts) {
      const all = members.flatMap((m) => offsets(m.lines, key))
      expect(new Set(all).size, `${key} is read whole`).toBe(count)
      for (const { lines } of members) {
        const mine = offsets(lines, key)
        for (let i = 1; i < mine.length; i++) expect(mine[i], `${key} in order`).toBeGreaterThan(mine[i - 1]!)
      }
    }
    lasting.child.kill('SIGTERM')
    expect(await lasting.ended, lasting.stderr()).toEqual([0, null])
  })

  test("the group's lag can be seen with kafka-consumer-groups", async () => {
    const { topics, group } = names()
    await makeTopics(kafka.brokers, { [topics[0]!]: 1 })
    const log = await openLog()
    await log.append(Array.from({ length: 10 }, () => ({ topic: topics[0]!, key: 'k', value: Buffer.from('v') })))
    const subscription = log.subscribe(group, [topics[0]!])
    let read = 0
    const done = subscription.run({
      assigned: async () => new Map(),
      revoked: async () => {},
      async batch({ records }) {
        read += records.length
      },
    })
    await until(() => read === 10, 'all read')
    await subscription.commit({ topic: topics[0]!, partition: 0 }, 7)
    const { stdout, stderr } = await kafkaTool(
      'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
      ['--bootstrap-server', kafka.brokers[0]!, '--describe', '--group', group],
      kafka.config,
    )
    // GROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG …
    expect(stdout, stderr).toMatch(new RegExp(`${group}\\s+${topics[0]}\\s+0\\s+7\\s+10\\s+3\\s+test-`))
    await subscription.stop()
    await done
  })
})
