/**
 * The platform's processes on the servers of a cluster, and the load on them: what a test file and the chaos run have in common.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { RuntimeCommand } from '../../cli/servers/runtimes.ts'
import type { TestRedis } from '../../cli/servers/testing/with-redis.ts'
import { TOPICS } from '../../streams/contract/topics.ts'
import { createTopics, withKafkaAdmin } from '../../streams/log/kafka/topics.ts'
import { eventually } from './eventually.ts'
import { eventsByPartition, type Ledger, runClient, type Target } from './ledger.ts'
import { type CliProcess, newDataDir, spawnCli } from './processes.ts'

export const WRITE_KEY = 'wk_of_the_cluster_tests'

export interface Places {
  brokers: readonly string[]
  redis: Pick<TestRedis, 'url'>
  databaseUrl: string
}

/** The dead are noticed in seconds, so that many can be killed. The broker must allow it. */
export const SESSION_TIMEOUT_MS = 2_000
export const BROKER_PROPERTIES = { 'group.min.session.timeout.ms': 1_000 }

/** Topics, and a data folder: the environment of the processes of one platform. */
export async function platformEnvironment({ brokers, redis, databaseUrl }: Places): Promise<Record<string, string>> {
  await withKafkaAdmin({ brokers, clientId: 'topics' }, (admin) => createTopics(admin, TOPICS))
  return {
    KAFKA_BROKERS: brokers.join(','),
    KAFKA_SESSION_TIMEOUT_MS: String(SESSION_TIMEOUT_MS),
    REDIS_URL: redis.url,
    DATABASE_URL: databaseUrl,
    STREAMFORGE_WRITE_KEY: WRITE_KEY,
    STREAMFORGE_DATA_DIR: await newDataDir(),
  }
}

export const startStreams = (env: Record<string, string>): CliProcess => spawnCli(['streams'], { env })

/** @returns also its process, once it listens */
export async function startEdge(
  env: Record<string, string>,
  runtime?: RuntimeCommand,
): Promise<Target & { process: CliProcess }> {
  const process = spawnCli(['edge', '--port', '0'], { env, runtime })
  const url = await eventually('the edge listens', 60_000, () => {
    if (process.child.exitCode !== null) throw new Error(`The edge ended:\n${process.out}${process.err}`)
    return /listens on (\S+)\./.exec(process.out)?.[1]
  })
  return { url, writeKey: WRITE_KEY, process }
}

/** Clients that send until the signal aborts. */
export const load = (
  target: Target,
  ledger: Ledger,
  signal: AbortSignal,
  { clients = 3, pauseMs }: { clients?: number; pauseMs?: number } = {},
): Promise<unknown> =>
  Promise.all(Array.from({ length: clients }, (_, i) => runClient(i, () => target, ledger, signal, pauseMs)))

/** How old what the edge answers may be: its cache, and a little. */
const EDGE_CACHE_MS = 1_100

/** Resolves when every partition that the load reaches has been read on, whatever happened before: the edge may be away for a while as well. */
export async function flowing(target: Target, timeoutMs = 60_000): Promise<void> {
  const progress = () => eventsByPartition(target).catch(() => new Map<string, number>())
  // An answer as old as this may tell of the time before.
  await delay(EDGE_CACHE_MS)
  const before = await eventually('the pipelines answer', timeoutMs, async () => {
    const now = await progress()
    return now.size > 0 && now
  })
  let behind = [...before].filter(([, events]) => events > 0)
  await eventually('every partition is read on', timeoutMs, async () => {
    const now = await progress()
    behind = behind.filter(([partition, events]) => (now.get(partition) ?? 0) <= events)
    return behind.length === 0
  }).catch((error: Error) => {
    throw new Error(`${error.message}; not read on: ${behind.map(([partition]) => partition).join(', ')}`)
  })
}

/** For the search after a failure: what a process said last, and how it says its tasks are. */
export async function described({ child, out, err }: CliProcess): Promise<string> {
  const monitor = /health at (\S+)\./.exec(out)?.[1]
  const health = monitor
    ? await fetch(`${monitor}/health`, { signal: AbortSignal.timeout(5_000) }).then(
        (response) => response.text(),
        (error: Error) => error.message,
      )
    : ''
  return `— process ${child.pid}, exit code ${child.exitCode ?? child.signalCode}\n${err.slice(-3_000)}\n${health}`
}
