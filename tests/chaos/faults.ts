/**
 * The faults of a chaos run, as data: how often each comes, and what it does to the running cluster. When one resolves, whatever it took away is being
 * started again; that the platform has recovered is for the run to see.
 */
import type { Random } from '../../streams/testing/random.ts'
import { flowing, startEdge, startStreams } from '../support/cluster-processes.ts'
import { eventually } from '../support/eventually.ts'
import type { Target } from '../support/ledger.ts'
import type { CliProcess } from '../support/processes.ts'
import type { ChaosServers } from './servers.ts'

/** What there is to break. */
export interface Cluster {
  readonly servers: ChaosServers
  readonly env: Record<string, string>
  readonly random: Random
  readonly streams: CliProcess[]
  edge: CliProcess
  /** Where the clients send: follows the edge. */
  readonly target: Target
}

export interface Fault {
  readonly name: string
  /** How many of all faults are this one. */
  readonly weight: number
  run(cluster: Cluster): Promise<void>
}

async function end(process: CliProcess, signal: NodeJS.Signals): Promise<number | null> {
  process.child.kill(signal)
  return process.ended()
}

/** Starts another edge, as often as it takes: one that finds no Kafka or no PostgreSQL says so and ends. */
export async function replaceEdge(cluster: Cluster): Promise<void> {
  const { url, process } = await eventually(
    'an edge is up',
    120_000,
    () => startEdge(cluster.env).catch(() => undefined),
    500,
  )
  cluster.edge = process
  cluster.target.url = url
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'kill -9 of a streams process',
    weight: 12,
    async run({ streams, random, env }) {
      const victim = random.int(streams.length)
      await end(streams[victim]!, 'SIGKILL')
      streams[victim] = startStreams(env)
    },
  },
  {
    name: 'kill -9 of all streams processes',
    weight: 2,
    async run({ streams, env }) {
      await Promise.all(streams.map((process) => end(process, 'SIGKILL')))
      for (let i = 0; i < streams.length; i++) streams[i] = startStreams(env)
    },
  },
  {
    name: 'orderly restart of a streams process',
    weight: 2,
    async run({ streams, random, env }) {
      const one = random.int(streams.length)
      const process = streams[one]!
      // Earlier it may not have heard of signals yet.
      const runs = () => process.out.includes('The streams run')
      await eventually('the process runs', 60_000, () => runs() || process.child.exitCode !== null)
      // It could not begin, because of another fault: its supervisor's turn.
      if (!runs()) return
      const code = await end(process, 'SIGTERM')
      if (code !== 0) throw new Error(`A streams process that was to stop ended with ${code}:\n${process.err}`)
      streams[one] = startStreams(env)
    },
  },
  {
    name: 'SIGSTOP of a streams process past its session',
    weight: 2,
    async run({ streams, random, target }) {
      const frozen = streams[random.int(streams.length)]!
      frozen.child.kill('SIGSTOP')
      try {
        // Its partitions are with the others.
        await flowing(target)
      } finally {
        frozen.child.kill('SIGCONT')
      }
    },
  },
  {
    name: 'kill -9 of the edge',
    weight: 2,
    async run(cluster) {
      await end(cluster.edge, 'SIGKILL')
      await replaceEdge(cluster)
    },
  },
  { name: 'kill -9 of the broker', weight: 1, run: ({ servers }) => servers.restartKafka('kill') },
  { name: 'orderly restart of the broker', weight: 1, run: ({ servers }) => servers.restartKafka('stop') },
  { name: 'kill -9 of PostgreSQL', weight: 1, run: ({ servers }) => servers.restartPostgres('kill') },
  { name: 'orderly restart of PostgreSQL', weight: 1, run: ({ servers }) => servers.restartPostgres('stop') },
  { name: 'kill -9 of Redis', weight: 1, run: ({ servers }) => servers.restartRedis() },
  {
    name: 'FLUSHALL of Redis',
    weight: 1,
    run: async ({ servers }) => void (await servers.redis.admin.flushall()),
  },
]

/** One of them, by weight. */
export function pickFault(random: Random, faults: readonly Fault[]): Fault {
  let at = random.int(faults.reduce((sum, { weight }) => sum + weight, 0))
  return faults.find(({ weight }) => {
    at -= weight
    return at < 0
  })!
}
