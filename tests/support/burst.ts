/**
 * A burst of ten times the load that the edge sustains, and what is asked of it: nobody is answered but by 202, or by 429 or 503 with Retry-After; what was
 * accepted is in the results; memory stays bounded; and soon afterwards everything is as before.
 */
import { readFile } from 'node:fs/promises'
import { startPart } from '../../bench/child.ts'
import { as } from './access.ts'
import type { BurstFigures, BurstSettings, Tally } from './burst-client.ts'
import { startEdge, startStreams } from './cluster-processes.ts'
import { eventually } from './eventually.ts'
import { caughtUp, type Target } from './ledger.ts'

/** What a process of ours may hold at most, whatever is sent to it. */
export const RESIDENT_MAX_MIB = { edge: 700, streams: 900 } as const
export const RECOVERY_MAX_S = 60
/** The edge is run at this share of what it can take. */
const SUSTAINED_SHARE = 0.5
const BURST_FACTOR = 10
const BATCH = 50
const USERS = 40
const ORDER_AMOUNT = 1.25
const BURST_CONNECTIONS = 2_000
/** p99 counts as normal up to this much more than before, and always below the floor. */
const NORMAL_FACTOR = 3
const NORMAL_FLOOR_MS = 1_000

export interface BurstReport {
  /** What did not go as it must. */
  problems: string[]
  /** Figures, a line each. */
  lines: string[]
}

export async function runBurst(env: Record<string, string>, seconds: number): Promise<BurstReport> {
  const { process: edge, ...target } = await startEdge(env)
  const streams = startStreams(env)
  const problems: string[] = []
  const lines: string[] = []
  const phases: BurstFigures[] = []
  const send = async (name: string, settings: Pick<BurstSettings, 'requestsPerSecond' | 'seconds' | 'connections'>) => {
    const part = startPart<BurstFigures>(new URL('./burst-client.ts', import.meta.url), {
      ...target,
      name,
      batch: BATCH,
      users: USERS,
      amount: ORDER_AMOUNT,
      ...settings,
    })
    const figures = await part.next()
    await part.end()
    phases.push(figures)
    lines.push(lineOf(name, figures))
    return figures
  }

  await send('warm', { requestsPerSecond: 0, seconds: 1, connections: 4 })
  const capacity = await send('capacity', { requestsPerSecond: 0, seconds: 3, connections: 8 })
  const sustained = (SUSTAINED_SHARE * capacity.sent) / capacity.seconds
  const steady = { requestsPerSecond: sustained, seconds: 3, connections: BURST_CONNECTIONS }
  await caughtUp(target)
  const before = await send('before', steady)
  await caughtUp(target)

  const burst = await send('burst', {
    requestsPerSecond: BURST_FACTOR * sustained,
    seconds,
    connections: BURST_CONNECTIONS,
  })
  const endedMs = performance.now()
  let round = 0
  const normalMs = Math.max(NORMAL_FLOOR_MS, NORMAL_FACTOR * before.p99Ms)
  await eventually(
    `p99 is below ${normalMs.toFixed(0)} ms again, and hardly anybody refused`,
    RECOVERY_MAX_S * 1000,
    async () => {
      const after = await send(`after-${++round}`, steady)
      // On a busy machine one or the other is refused at any time.
      return after.p99Ms <= normalMs && (after.statuses['202'] ?? 0) >= 0.99 * after.sent
    },
  )
  await caughtUp(target, RECOVERY_MAX_S * 1000)
  const recoveryS = (performance.now() - endedMs) / 1000
  if (recoveryS > RECOVERY_MAX_S) problems.push(`it took ${recoveryS.toFixed(1)} s to recover`)

  problems.push(...answerProblems(phases))
  problems.push(...(await ledgerProblems(target, phases)))
  for (const [name, { child }] of [['edge', edge] as const, ['streams', streams] as const]) {
    const peakMiB = await peakResidentMiB(child.pid!)
    lines.push(`${name}: ${peakMiB} MiB at most`)
    if (peakMiB > RESIDENT_MAX_MIB[name]) problems.push(`${name} held ${peakMiB} MiB`)
  }
  lines.push(
    `sustained ${Math.round(sustained * BATCH)} events/s, burst ${Math.round((burst.sent * BATCH) / burst.seconds)} events/s, ${burst.sent - (burst.statuses['202'] ?? 0)} of its ${burst.sent} requests refused; recovered after ${recoveryS.toFixed(1)} s`,
  )
  for (const process of [streams, edge]) {
    process.child.kill('SIGTERM')
    if ((await process.ended()) !== 0) problems.push(`a process ended badly:\n${process.err.slice(-2_000)}`)
  }
  return { problems, lines }
}

const lineOf = (name: string, { sent, seconds, statuses, codes, errors, p50Ms, p99Ms }: BurstFigures): string =>
  `${name}: ${sent} requests in ${seconds.toFixed(1)} s, answers ${JSON.stringify(statuses)} ${JSON.stringify(codes)}, errors ${JSON.stringify(errors)}, p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms`

function answerProblems(phases: readonly BurstFigures[]): string[] {
  const problems: string[] = []
  for (const { statuses, errors, withoutRetryAfter } of phases) {
    for (const [status, count] of Object.entries(statuses))
      if (!['202', '429', '503'].includes(status)) problems.push(`${count} requests were answered with ${status}`)
    for (const [error, count] of Object.entries(errors)) problems.push(`${count} requests were not answered: ${error}`)
    if (withoutRetryAfter > 0) problems.push(`${withoutRetryAfter} refusals had no Retry-After`)
  }
  return problems
}

/** What was accepted is there, by user, and nothing beyond what may be stored without having been acknowledged. */
async function ledgerProblems(target: Target, phases: readonly BurstFigures[]): Promise<string[]> {
  const sum = (tally: (figures: BurstFigures) => Tally, user: string): number =>
    phases.reduce((total, figures) => total + (tally(figures)[user] ?? 0), 0)
  const users = new Set(phases.flatMap((f) => Object.keys({ ...f.acceptedClicks, ...f.acceptedOrders })))
  const problems: string[] = []
  for (const user of users) {
    const response = await fetch(`${target.url}/api/v1/features/${user}`, { headers: await as('viewer') })
    const { data } = (await response.json()) as {
      data: { events: { total: number } | null; orders: { total: number; total_spend: number } | null }
    }
    const [clicks, orders] = [sum((f) => f.acceptedClicks, user), sum((f) => f.acceptedOrders, user)]
    const spare = sum((f) => f.unknown, user)
    const [foundClicks, foundOrders] = [data.events?.total ?? 0, data.orders?.total ?? 0]
    const beyond = foundClicks - clicks + (foundOrders - orders)
    if (foundClicks < clicks || foundOrders < orders || beyond > spare) {
      problems.push(
        `${user}: ${foundClicks} events and ${foundOrders} orders; accepted were ${clicks} and ${orders}, unknown ${spare}`,
      )
    }
    const spend = Math.round((data.orders?.total_spend ?? 0) * 100)
    if (spend !== foundOrders * ORDER_AMOUNT * 100) problems.push(`${user}: ${spend} cents for ${foundOrders} orders`)
  }
  return problems
}

/** The highest that the kernel has seen. */
async function peakResidentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024)
}
