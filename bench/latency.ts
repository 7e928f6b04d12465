/**
 * How long until what was sent can be read: the whole platform as `streamforge up` starts it, under steady traffic, and once a second the order that
 * completes a fraud pattern. The clock runs from the moment that its POST is sent until the alert, and the user's features, answer by GET.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { findPlatform } from '../cli/platform.ts'
import { percentile } from './measure.ts'
import { type Benchmark, number } from './report.ts'
import { withFolder } from './stores.ts'

const WRITE_KEY = 'wk_bench'
const START_TIMEOUT_MS = 60_000
/** Steady traffic goes out this often. */
const BATCH_EVERY_MS = 50
const WARM_UP_MS = 5_000
const POLL_MS = 3
const GIVE_UP_MS = 10_000

export const latency: Benchmark = {
  name: 'latency',
  options: {
    rate: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '30' },
  },
  async run(options, show) {
    const rate = Number(options.rate)
    await withFolder(async (folder) => {
      const platform = await startPlatform(join(folder, 'data'))
      try {
        const { alerts, features, sent } = await measure(platform.url, rate, Number(options.seconds))
        const both = (values: number[]) =>
          `p50 ${number(percentile(values, 0.5))} ms, p99 ${number(percentile(values, 0.99))} ms`
        show({
          benchmark: `latency, POST → readable at ${number(sent.rate)} events/s`,
          target: 'p99 ≤ 250 ms',
          result: `**alert ${both(alerts)}**`,
          details: [
            `features ${both(features)}`,
            `the answer to the POST ${both(sent.posts)}`,
            `${alerts.length} patterns, worst ${number(Math.max(...alerts))} ms`,
          ],
        })
      } finally {
        await platform.stop()
      }
    })
  },
}

async function startPlatform(dataDir: string): Promise<{ url: string; stop(): Promise<void> }> {
  const bin = fileURLToPath(new URL('../cli/streamforge.mjs', import.meta.url))
  const child = spawn(process.execPath, [bin, 'up', '--no-simulate', '--port', '0', '--data', dataDir], {
    env: { ...process.env, STREAMFORGE_WRITE_KEY: WRITE_KEY, STREAMFORGE_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exited = once(child, 'exit')
  for (const deadline = performance.now() + START_TIMEOUT_MS; performance.now() < deadline; await delay(50)) {
    const running = await findPlatform(dataDir)
    if (running?.pid === child.pid) {
      return {
        url: running!.edge_url,
        async stop() {
          child.kill('SIGINT')
          await exited
        },
      }
    }
    if (child.exitCode !== null) break
  }
  child.kill('SIGKILL')
  throw new Error('The platform did not come up.')
}

interface Measured {
  alerts: number[]
  features: number[]
  sent: { rate: number; posts: number[] }
}

async function measure(url: string, rate: number, seconds: number): Promise<Measured> {
  const http = createClient(url)
  const traffic = startTraffic(http, rate)
  const alerts: number[] = []
  const features: number[] = []
  const posts: number[] = []
  await delay(WARM_UP_MS)
  traffic.reset()
  const startedAt = performance.now()
  for (let i = 0; i < seconds; i++) {
    const user = `thief-${i}`
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
    await delay(startedAt + (i + 1) * 1000 - performance.now())
  }
  const sent = { rate: traffic.events() / ((performance.now() - startedAt) / 1000), posts }
  await traffic.stop()
  http.close()
  return { alerts, features, sent }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + GIVE_UP_MS; performance.now() < deadline; await delay(POLL_MS)) {
    if (await isSo()) return
  }
  throw new Error(`What was sent could not be read within ${GIVE_UP_MS / 1000} s.`)
}

type Client = ReturnType<typeof createClient>

function createClient(url: string) {
  const agent = new Agent({ keepAlive: true })
  const send = (method: 'GET' | 'POST', path: string, body?: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json', 'x-write-key': WRITE_KEY }
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

/** Clicks of many users, and one order in ten, in even batches. */
function startTraffic(http: Client, rate: number) {
  const batch = Math.round((rate * BATCH_EVERY_MS) / 1000)
  const stopped = new AbortController()
  let events = 0
  let n = 0
  const startedAt = performance.now()
  const running = (async () => {
    for (let i = 1; !stopped.signal.aborted; i++) {
      const clicks: object[] = []
      const orders: object[] = []
      for (let k = 0; k < batch; k++, n++) {
        const user = `u${(n * 7919) % 20_000}`
        if (n % 10 === 0) orders.push(order(`o-${n}`, user, 250))
        else clicks.push({ event_id: `e-${n}`, event_type: 'page_view', user_id: user, page_url: `/p/${n % 500}` })
      }
      await Promise.all([http.post('/events', clicks), http.post('/orders', orders)])
      events += batch
      await delay(startedAt + i * BATCH_EVERY_MS - performance.now())
    }
  })()
  return {
    events: () => events,
    reset() {
      events = 0
    },
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
