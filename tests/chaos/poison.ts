/**
 * What 1 % of poison costs the rest: the same backlog with and without records that nobody can read, worked off by one streams process, in turn, a few times.
 * Every poisonous record must be in the dead letters, with its reason and where it lay; the cost is a figure, not a verdict: the machine has its moods.
 */
import { treeCpuSeconds } from '../../bench/measure.ts'
import { connect } from '../../db/postgres/connect.ts'
import { CLICKSTREAM, deadLetterTopic, TOPICS } from '../../streams/contract/topics.ts'
import type { NewRecord } from '../../streams/log/event-log.ts'
import { withAdmin } from '../../streams/log/kafka/testing/admin.ts'
import { platformEnvironment, startStreams } from '../support/cluster-processes.ts'
import { eventually } from '../support/eventually.ts'
import { openSender, type Sender } from '../support/sender.ts'
import type { ChaosServers } from './servers.ts'

const ROUNDS = 3
const USERS = 20_000
const POISON_EVERY = 100
const APPEND_RECORDS = 5_000
const READ_RECORDS = 2_000
const DEADLINE_MS = 300_000
const POISON = [Buffer.from('not avro'), Buffer.from([0, 0, 0, 0, 99, 1]), Buffer.from('{"half":')]

interface Round {
  /** Readable events per second, from the first progress to the last. */
  perSecond: number
  /** CPU-seconds of the streams process per million readable events, its start included. */
  cpuPerMillion: number
}

/** @throws Error where a dead letter is missing or says too little */
export async function runPoison(servers: ChaosServers, events: number, say: (line: string) => void): Promise<void> {
  const clean: Round[] = []
  const poisoned: Round[] = []
  for (let round = 0; round < ROUNDS; round++) {
    clean.push(await workOff(servers, events, false))
    poisoned.push(await workOff(servers, events, true))
  }
  const best = (rounds: readonly Round[]): Round => ({
    perSecond: Math.max(...rounds.map((r) => r.perSecond)),
    cpuPerMillion: Math.min(...rounds.map((r) => r.cpuPerMillion)),
  })
  const [without, with_] = [best(clean), best(poisoned)]
  const change = (now: number, before: number): string => `${(100 * (now / before - 1)).toFixed(1)} %`
  say(
    `poison: without ${Math.round(without.perSecond)} events/s and ${without.cpuPerMillion.toFixed(1)} CPU-s per million, with 1 % ${Math.round(with_.perSecond)} and ${with_.cpuPerMillion.toFixed(1)}: throughput of the rest ${change(with_.perSecond, without.perSecond)}, CPU ${change(with_.cpuPerMillion, without.cpuPerMillion)} (best of ${ROUNDS}); all dead letters with their reason`,
  )
}

async function workOff(servers: ChaosServers, events: number, poisoned: boolean): Promise<Round> {
  await removeTopics(servers.brokers)
  const databaseUrl = await servers.emptyDatabase()
  const env = await platformEnvironment({ ...servers, databaseUrl })
  await servers.redis.admin.flushall()
  const sender = await openSender(env)
  try {
    const poison = await fill(sender, events, poisoned)
    const streams = startStreams(env)
    const { sql, close } = connect(databaseUrl, { max: 1 })
    try {
      const read = async (): Promise<number> => {
        if (streams.child.exitCode !== null) throw new Error(`The streams ended:\n${streams.err}`)
        const [row] = await sql<
          { read: number }[]
        >`SELECT coalesce(sum(next_offset), 0)::bigint AS read FROM tasks`.catch(
          () => [{ read: 0 }], // not migrated yet
        )
        return Number(row?.read ?? 0)
      }
      const first = await eventually('the first events are read', DEADLINE_MS, async () => (await read()) || undefined)
      const startedMs = performance.now()
      await eventually('the backlog is read', DEADLINE_MS, async () => (await read()) >= events + poison)
      const seconds = (performance.now() - startedMs) / 1000
      const cpuSeconds = treeCpuSeconds(streams.child.pid!)
      await eventually('the dead letters are published', DEADLINE_MS, async () => (await held(sender)) >= poison)
      await checkDeadLetters(sender, poison)
      return {
        perSecond: (events * (1 - first / (events + poison))) / seconds,
        cpuPerMillion: (cpuSeconds / events) * 1e6,
      }
    } finally {
      await close()
      streams.child.kill('SIGTERM')
      await streams.ended()
    }
  } finally {
    await sender.close()
  }
}

/** @returns how many of the records are poison */
async function fill(sender: Sender, events: number, poisoned: boolean): Promise<number> {
  let poison = 0
  let records: NewRecord[] = []
  for (let i = 0; i < events; i++) {
    records.push(sender.click(`e-${i}`, `user-${(i * 7919) % USERS}`))
    if (poisoned && i % POISON_EVERY === 0) {
      records.push({ topic: CLICKSTREAM, key: `poison-${i}`, value: POISON[poison++ % POISON.length]! })
    }
    if (records.length < APPEND_RECORDS && i < events - 1) continue
    await sender.append(records)
    records = []
  }
  return poison
}

const DEAD = { topic: deadLetterTopic(CLICKSTREAM), partition: 0 }

async function held({ log }: Sender): Promise<number> {
  const { earliest, next } = await log.bounds(DEAD)
  return next - earliest
}

async function checkDeadLetters({ log }: Sender, poison: number): Promise<void> {
  const places = new Set<string>()
  const { earliest, next } = await log.bounds(DEAD)
  for (let offset = earliest; offset < next; ) {
    const records = await log.read(DEAD, offset, READ_RECORDS)
    for (const { headers, key } of records) {
      const { error_class, error_message, topic, partition, offset: at } = headers ?? {}
      if (!error_class || !error_message || topic !== CLICKSTREAM || !key?.startsWith('poison-')) {
        throw new Error(`A dead letter says too little: ${JSON.stringify({ key, headers })}`)
      }
      places.add(`${partition}/${at}`)
    }
    offset = (records.at(-1)?.offset ?? next) + 1
  }
  if (places.size !== poison) throw new Error(`${places.size} dead letters of ${poison} poisonous records`)
}

/** So that every round begins with empty ones. */
async function removeTopics(brokers: readonly string[]): Promise<void> {
  const ours = new Set(TOPICS.map(({ name }) => name))
  const there = () =>
    withAdmin(brokers, (admin) => admin.listTopics()).then((names) => names.filter((n) => ours.has(n)))
  const topics = await there()
  if (topics.length === 0) return
  await withAdmin(brokers, (admin) => admin.deleteTopics({ topics }))
  await eventually('the topics are gone', 60_000, async () => (await there()).length === 0)
}
