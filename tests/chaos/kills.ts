/**
 * The long run: a whole cluster under load, one random fault after the other, and the ledger at the end. A function of its seed as far as real processes can be:
 * the faults and their order are, the moments are not.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { createRandom } from '../../streams/testing/random.ts'
import { described, flowing, load, platformEnvironment, startEdge, startStreams } from '../support/cluster-processes.ts'
import { eventually } from '../support/eventually.ts'
import { caughtUp, emptyLedger, eventsProcessed, expectLedger } from '../support/ledger.ts'
import type { CliProcess } from '../support/processes.ts'
import { type Cluster, type Fault, pickFault, replaceEdge } from './faults.ts'
import type { ChaosServers } from './servers.ts'

export interface KillsOptions {
  servers: ChaosServers
  kills: number
  seconds: number
  seed: number
  faults: readonly Fault[]
  say(line: string): void
  signal: AbortSignal
}

const STREAMS = 2
const CLIENTS = 2
/** Between two batches of a client: the run is about faults, not about load. */
const PAUSE_MS = 40
const RECOVERY_MS = 120_000
/** Some faults come while the platform still recovers from the one before. */
const SHARE_AT_ONCE = 0.15

/** @throws Error that names what differs, or what did not recover */
export async function runKills({ servers, kills, seconds, seed, faults, say, signal }: KillsOptions): Promise<void> {
  const env = await platformEnvironment({ ...servers, databaseUrl: await servers.emptyDatabase() })
  const { process: edge, ...target } = await startEdge(env)
  const random = createRandom(seed)
  const streams = Array.from({ length: STREAMS }, () => startStreams(env))
  const cluster: Cluster = { servers, env, random, streams, edge, target }
  const ledger = emptyLedger()
  const ending = new AbortController()
  let clientFailure: Error | undefined
  const clients = load(target, ledger, ending.signal, { clients: CLIENTS, pauseMs: PAUSE_MS }).catch((error: Error) => {
    clientFailure = error
  })
  const startedMs = performance.now()
  const since = (): string => `${((performance.now() - startedMs) / 1000).toFixed(0).padStart(5)} s`
  const counts = new Map<string, number>()
  let slowestMs = 0
  try {
    await eventually('events are read', 60_000, async () => (await eventsProcessed(target).catch(() => 0)) > 500)
    for (let n = 1; n <= kills && performance.now() - startedMs < seconds * 1000 && !signal.aborted; n++) {
      const fault = pickFault(random, faults)
      const atOnce = random.chance(SHARE_AT_ONCE)
      counts.set(fault.name, (counts.get(fault.name) ?? 0) + 1)
      const faultMs = performance.now()
      await fault.run(cluster)
      if (!atOnce) await recovered(cluster, say)
      const tookMs = performance.now() - faultMs
      if (!atOnce) slowestMs = Math.max(slowestMs, tookMs)
      say(
        `${since()}  ${String(n).padStart(4)}  ${fault.name}: ${atOnce ? 'the next comes at once' : `all partitions read on after ${(tookMs / 1000).toFixed(1)} s`}`,
      )
      await supervise(cluster, say)
      if (clientFailure) throw clientFailure
      await delay(random.int(500), undefined, { signal }).catch(() => undefined)
    }
    await recovered(cluster, say)
    ending.abort()
    await clients
    if (clientFailure) throw clientFailure
    await caughtUp(target, RECOVERY_MS)
    await expectLedger(target, ledger)
    for (const process of [...streams, cluster.edge]) {
      process.child.kill('SIGTERM')
      const code = await process.ended()
      if (code !== 0) throw new Error(`A process that was to stop ended with ${code}:\n${process.err.slice(-4_000)}`)
    }
  } catch (error) {
    for (const process of [...streams, cluster.edge]) say(await described(process))
    throw error
  } finally {
    ending.abort()
    for (const process of [...cluster.streams, cluster.edge]) process.child.kill('SIGKILL')
    await clients
  }
  const events = [...ledger.clicks.values()].reduce((a, b) => a + b, ledger.orders.length)
  for (const [name, count] of [...counts].sort()) say(`         ${String(count).padStart(4)} × ${name}`)
  say(
    `kills: ${[...counts.values()].reduce((a, b) => a + b, 0)} faults in ${since().trim()}, ${events} events accepted, ${ledger.resent} requests sent again; nothing lost, nothing doubled, revenue and alerts equal; slowest recovery ${(slowestMs / 1000).toFixed(1)} s`,
  )
}

const ended = ({ child }: CliProcess): boolean => child.exitCode !== null || child.signalCode !== null

/** Why a process may have ended without being killed. @throws Error with what it said, where there is no reason: that is a bug */
function reasonOf({ child, out, err }: CliProcess): string {
  // One that begins while a server is away says so in a sentence and ends.
  if (child.exitCode === 1 && !out.includes('The streams run') && !/^ {4}at /m.test(err))
    return `it could not begin: ${err.trim().split('\n').at(-1)}`
  throw new Error(`A process ended by itself, with ${child.exitCode ?? child.signalCode}:\n${err.slice(-4_000)}`)
}

/** Starts again what has ended by itself, for a reason that is known. */
async function supervise(cluster: Cluster, say: (line: string) => void): Promise<void> {
  const again = (process: CliProcess): void => {
    const reason = reasonOf(process)
    say(`               a process is started again: ${reason}`)
  }
  for (const [i, process] of cluster.streams.entries()) {
    if (!ended(process)) continue
    again(process)
    cluster.streams[i] = startStreams(cluster.env)
  }
  if (ended(cluster.edge)) {
    again(cluster.edge)
    await replaceEdge(cluster)
  }
}

/** Waits until all partitions are read on, with a supervisor at work. */
async function recovered(cluster: Cluster, say: (line: string) => void): Promise<void> {
  let waiting = true
  const flows = flowing(cluster.target, RECOVERY_MS).finally(() => {
    waiting = false
  })
  flows.catch(() => undefined) // told below
  while (waiting) {
    await supervise(cluster, say)
    await Promise.race([flows.catch(() => undefined), delay(500)])
  }
  await flows
}
