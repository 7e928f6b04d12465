/**
 * How long until what was sent can be read: the whole platform under steady traffic, either as `streamforge up` starts it or as processes over Kafka and Redis, and once a second the order that
 * completes a fraud pattern. The clock runs from the moment that its POST is sent until the alert, and the user's features, answer by GET.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findPlatform } from '../cli/platform.ts'
import { createTokens } from '../edge/auth/tokens.ts'
import { systemClock } from '../streams/time/clock.ts'
import { percentile } from './measure.ts'
import { type Benchmark, number, type Row } from './report.ts'
import { startBroker, startCache } from './servers.ts'
import { startDatabase, withFolder } from './stores.ts'

const WRITE_KEY = 'wk_bench'
const JWT_SECRET = 'signs what reads in a benchmark alone'
const START_TIMEOUT_MS = 60_000
/** Steady traffic goes out this often. */
const BATCH_EVERY_MS = 50
const WARM_UP_MS = 5_000
const POLL_MS = 3
const GIVE_UP_MS = 10_000
/** Requests of the traffic that have no answer yet. */
const WAITING_MAX = 16
/** Of what a request may hold. */
const EVENTS_PER_POST = 450
/** Less of the wanted rate means that the platform, or this machine, does not keep up. */
const KEPT_UP = 0.95

export const latency: Benchmark = {
  name: 'latency',
  options: {
    /** Events per second; several make a curve, which ends where the platform does not keep up. */
    rates: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '30' },
    log: { type: 'string', default: 'embedded,kafka' },
  },
  async run(options, show) {
    const rates = String(options.rates).split(',').map(Number)
    for (const log of String(options.log).split(',')) {
      await withFolder(async (folder) => {
        const platform = await (log === 'kafka' ? startCluster(folder) : startPlatform(folder))
        try {
          for (const [i, rate] of rates.entries()) {
            const found = await measure(platform.url, rate, Number(options.seconds), i)
            show(row(log, rate, found))
            if (isSaturated(rate, found)) break
          }
        } finally {
          await platform.stop()
        }
      })
    }
  },
}

const isSaturated = (rate: number, { refused, sent }: Measured): boolean =>
  refused !== null || sent.rate < KEPT_UP * rate

function row(log: string, rate: number, found: Measured): Row {
  const { alerts, features, sent, refused } = found
  const both = (values: number[]) =>
    `p50 ${number(percentile(values, 0.5))} ms, p99 ${number(percentile(values, 0.99))} ms`
  return {
    benchmark: `latency, log: ${log}, POST → readable at ${number(rate)} events/s`,
    target: rate === 2_000 ? 'p99 ≤ 250 ms' : '',
    result: alerts.length > 0 ? `**alert ${both(alerts)}**` : 'none was measured',
    details: [
      ...(alerts.length > 0 ? [`features ${both(features)}`, `the answer to the POST ${both(sent.posts)}`] : []),
      `${alerts.length} patterns, worst ${number(Math.max(0, ...alerts))} ms`,
      ...(isSaturated(rate, found)
        ? [`**saturated**: ${number(sent.rate)} events/s came through${refused === null ? '' : `; ${refused}`}`]
        : []),
    ],
  }
}

interface Running {
  url: string
  stop(): Promise<void>
}

const ENVIRONMENT = {
  STREAMFORGE_WRITE_KEY: WRITE_KEY,
  STREAMFORGE_JWT_SECRET: JWT_SECRET,
  STREAMFORGE_LOG_LEVEL: 'warn',
}
const BIN = fileURLToPath(new URL('../cli/streamforge.mjs', import.meta.url))

function startProcess(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { ...process.env, ...ENVIRONMENT, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exited = once(child, 'exit')
  return {
    child,
    async stop() {
      if (child.exitCode === null) child.kill('SIGINT')
      await exited
    },
  }
}

/** Everything in one process, in the embedded form. */
async function startPlatform(folder: string): Promise<Running> {
  const dataDir = join(folder, 'data')
  const platform = startProcess(['up', '--no-simulate', '--port', '0', '--data', dataDir])
  return { url: await listening(dataDir, platform), stop: platform.stop }
}

/** An edge and a process of streams over Kafka, Redis and PostgreSQL. */
async function startCluster(folder: string): Promise<Running> {
  const dataDir = join(folder, 'data')
  const undo: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (let last = undo.pop(); last; last = undo.pop()) await last()
  }
  try {
    const kafka = await startBroker(folder)
    undo.push(() => kafka.kill())
    const redis = await startCache(folder)
    undo.push(() => redis.kill())
    const database = await startDatabase(folder)
    undo.push(() => database.stop())
    const env = { KAFKA_BROKERS: kafka.brokers.join(), REDIS_URL: redis.url, DATABASE_URL: database.url }
    const streams = startProcess(['streams', '--data', dataDir], env)
    undo.push(streams.stop)
    const edge = startProcess(['edge', '--port', '0', '--data', dataDir], env)
    undo.push(edge.stop)
    return { url: await listening(dataDir, edge), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function listening(dataDir: string, { child }: ReturnType<typeof startProcess>): Promise<string> {
  for (const deadline = performance.now() + START_TIMEOUT_MS; performance.now() < deadline; await delay(50)) {
    const running = await findPlatform(dataDir)
    if (running?.pid === child.pid) return running!.edge_url
    if (child.exitCode !== null) break
  }
  child.kill('SIGKILL')
  throw new Error('The platform did not come up.')
}

interface Measured {
  alerts: number[]
  features: number[]
  sent: { rate: number; posts: number[] }
  /** Why the platform took no more, where it said so. */
  refused: string | null
}

/** @param round tells the ids of one rate from those of another */
async function measure(url: string, rate: number, seconds: number, round: number): Promise<Measured> {
  const http = createClient(url, await readingToken())
  const traffic = startTraffic(http, rate, round)
  const alerts: number[] = []
  const features: number[] = []
  const posts: number[] = []
  let refused: string | null = null
  await delay(WARM_UP_MS)
  traffic.reset()
  const startedAt = performance.now()
  const pattern = async (user: string): Promise<void> => {
    const orders = [0, 1, 2].map((n) => order(`${user}-${n}`, user, 9_000))
    await http.post('/orders', orders.slice(0, 2))
    await delay(200)
    const sentAt = performance.now()
    await http.post('/orders', orders.slice(2))
    posts.push(performance.now() - sentAt)
    const since = (seen: Promise<void>) => seen.then(() => performance.now() - sentAt)
    const [alert, feature] = await Promise.all([
      since(
        until(async () => ((await http.get(`/fraud-alerts?user_id=${user}`)) as { data: unknown[] }).data.length > 0),
      ),
      since(
        until(async () => {
          const found = (await http.get(`/features/${user}`)) as { data?: { orders?: { total: number } } }
          return found.data?.orders?.total === 3
        }),
      ),
    ])
    alerts.push(alert)
    features.push(feature)
  }
  try {
    for (let i = 0; i < seconds; i++) {
      await Promise.race([pattern(`thief-${round}-${i}`), traffic.failed])
      await delay(startedAt + (i + 1) * 1000 - performance.now())
    }
  } catch (error) {
    refused = (error as Error).message.slice(0, 200).replaceAll('|', '/')
  }
  const sent = { rate: traffic.events() / ((performance.now() - startedAt) / 1000), posts }
  await traffic.stop()
  http.close()
  return { alerts, features, sent, refused }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + GIVE_UP_MS; performance.now() < deadline; await delay(POLL_MS)) {
    if (await isSo()) return
  }
  throw new Error(`What was sent could not be read within ${GIVE_UP_MS / 1000} s.`)
}

type Client = ReturnType<typeof createClient>

/** Longer than any run. */
const TOKEN_SECONDS = 86_400

const readingToken = (): Promise<string> =>
  createTokens(JWT_SECRET, systemClock).issue({ username: 'bench', role: 'viewer' }, TOKEN_SECONDS)

function createClient(url: string, token: string) {
  const agent = new Agent({ keepAlive: true })
  const send = (method: 'GET' | 'POST', path: string, body?: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const headers: Record<string, string> =
        body === undefined
          ? { authorization: `Bearer ${token}` }
          : { 'content-type': 'application/json', 'x-write-key': WRITE_KEY }
      const sent = request(`${url}/api/v1${path}`, { method, agent, headers }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          // 404: of this user nothing is known yet.
          if ((response.statusCode ?? 500) >= 400 && response.statusCode !== 404) reject(new Error(text))
          else resolve(JSON.parse(text))
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
  return {
    get: (path: string) => send('GET', path),
    async post(path: string, events: readonly object[]): Promise<void> {
      const { rejected } = (await send('POST', path, JSON.stringify(events))) as { rejected: unknown[] }
      if (rejected.length > 0) throw new Error(`Refused: ${JSON.stringify(rejected[0])}`)
    },
    close: () => agent.destroy(),
  }
}

/** Clicks of many users, and one order in ten, in even batches, sent whether or not those before have been answered: up to a limit. */
function startTraffic(http: Client, rate: number, round: number) {
  const batch = Math.round((rate * BATCH_EVERY_MS) / 1000)
  const stopped = new AbortController()
  const waiting = new Set<Promise<void>>()
  let events = 0
  let n = 0
  let fail: (error: Error) => void = () => {}
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  failed.catch(() => {})

  const send = (path: string, list: readonly object[]): void => {
    for (let i = 0; i < list.length; i += EVENTS_PER_POST) {
      const part = list.slice(i, i + EVENTS_PER_POST)
      const sent: Promise<void> = http
        .post(path, part)
        .then(() => {
          events += part.length
        })
        .catch(fail)
        .finally(() => waiting.delete(sent))
      waiting.add(sent)
    }
  }
  const startedAt = performance.now()
  const running = (async () => {
    for (let i = 1; !stopped.signal.aborted; i++) {
      const clicks: object[] = []
      const orders: object[] = []
      for (let k = 0; k < batch; k++, n++) {
        const user = `u${(n * 7919) % 20_000}`
        const id = `${round}-${n}`
        if (n % 10 === 0) orders.push(order(`o-${id}`, user, 250))
        else clicks.push({ event_id: `e-${id}`, event_type: 'page_view', user_id: user, page_url: `/p/${n % 500}` })
      }
      send('/events', clicks)
      send('/orders', orders)
      while (waiting.size >= WAITING_MAX && !stopped.signal.aborted) await Promise.race(waiting)
      await delay(startedAt + i * BATCH_EVERY_MS - performance.now())
    }
    await Promise.all(waiting)
  })()
  return {
    events: () => events,
    reset() {
      events = 0
    },
    /** Rejects when the platform takes no more. */
    failed,
    stop() {
      stopped.abort()
      return running
    },
  }
}

const order = (id: string, user: string, amount: number): object => ({
  order_id: id,
  user_id: user,
  amount,
  category: 'toys',
  product_id: `p${id.length}`,
})
