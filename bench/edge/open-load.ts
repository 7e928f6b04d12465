/**
 * A load that does not wait: requests are due at fixed times, whatever became of those before, and a latency counts from when a request was due. So a server that stands still for
 * a second has a second's worth of slow answers, as its clients would have seen them. A part of the benchmarks, on Node.
 */
import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { partSettings, tell } from '../child.ts'
import { eventBodies } from '../event-bodies.ts'
import { percentile } from '../measure.ts'

export interface OpenLoad {
  url: string
  headers: Readonly<Record<string, string>>
  perSecond: number
  seconds: number
  /** GET of these by turns, by name; each name's paths by turns. */
  questions?: Readonly<Record<string, readonly string[]>>
  /** POST of clicks. */
  events?: { path: string; batch: number; round: number }
}

export interface OpenFigures {
  /** Refusals, and what broke off. */
  failed: number
  /** By the question's name; all POSTs are `events`. */
  latencies: Record<string, { count: number; p50Ms: number; p99Ms: number; maxMs: number }>
}

const CONNECTIONS_MAX = 256
const { url, headers, perSecond, seconds, questions = {}, events } = partSettings<OpenLoad>()
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX })
let failed = 0

const nextBody = events && eventBodies(events.round, events.batch)
const names = Object.keys(questions)
const latencies = new Map<string, number[]>([...names, 'events'].map((name) => [name, []]))

function send(n: number, dueAt: number): Promise<void> {
  const name = names[n % names.length] ?? 'events'
  const paths = questions[name] ?? [events!.path]
  const path = paths[Math.floor(n / Math.max(1, names.length)) % paths.length]!
  return new Promise((resolve) => {
    const done = (isFailed: boolean) => {
      if (isFailed) failed++
      latencies.get(name)!.push(performance.now() - dueAt)
      resolve()
    }
    const sent = request(url + path, { method: nextBody ? 'POST' : 'GET', agent, headers }, (response) => {
      const status = response.statusCode!
      // That there is no such user is an answer too.
      const isFailed = Math.floor(status / 100) !== 2 && status !== 404
      response.resume().on('end', () => done(isFailed))
    })
    sent.on('error', () => done(true)).end(nextBody?.())
  })
}

const total = perSecond * seconds
const underWay: Promise<void>[] = []
const startedAt = performance.now()
for (let next = 0; next < total; await delay(1)) {
  for (; next < total; next++) {
    const dueAt = startedAt + (next * 1000) / perSecond
    if (dueAt > performance.now()) break
    underWay.push(send(next, dueAt))
  }
}
await Promise.all(underWay)
agent.destroy()

const figures: OpenFigures = {
  failed,
  latencies: Object.fromEntries(
    [...latencies]
      .filter(([, ms]) => ms.length > 0)
      .map(([name, ms]) => [
        name,
        { count: ms.length, p50Ms: percentile(ms, 0.5), p99Ms: percentile(ms, 0.99), maxMs: percentile(ms, 1) },
      ]),
  ),
}
tell(figures)
