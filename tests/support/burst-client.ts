/**
 * The load of the burst as a process of its own: `burst-client.ts <json>`. Open loop: requests are sent when they are due, whether or not earlier ones have been
 * answered, each once, over as many connections as that takes. Answers one line of JSON: what became of every request.
 */
import { Agent, request } from 'node:http'
import { partSettings, tell } from '../../bench/child.ts'
import { percentile } from '../../bench/measure.ts'

export interface BurstSettings {
  url: string
  writeKey: string
  /** In the ids, and in the names of the users. */
  name: string
  /** 0: as fast as `connections` allow, each with one request at a time. */
  requestsPerSecond: number
  seconds: number
  /** At most at a time; a request that is due beyond it waits for one to be answered. */
  connections: number
  /** Events of a request. */
  batch: number
  users: number
  /** Of every order. */
  amount: number
}

/** Events by user. */
export type Tally = Record<string, number>

export interface BurstFigures {
  sent: number
  seconds: number
  /** Answers by status. */
  statuses: Record<string, number>
  /** Refusals by what they were told as reason. */
  codes: Record<string, number>
  /** 429 or 503 without a Retry-After. */
  withoutRetryAfter: number
  /** Requests without an answer, by error. */
  errors: Record<string, number>
  /** What was answered with 202. */
  acceptedClicks: Tally
  acceptedOrders: Tally
  /** What the log could not be asked about in time: it may be stored nevertheless. */
  unknown: Tally
  /** Of requests answered with 202. */
  p50Ms: number
  p99Ms: number
}

/** One request in so many brings orders. */
const ORDERS_EVERY = 4

const settings = partSettings<BurstSettings>()
const { batch } = settings
const agent = new Agent({ keepAlive: true, maxSockets: settings.connections, scheduling: 'lifo' })
const headers = { 'content-type': 'application/json', 'x-write-key': settings.writeKey }
const figures: BurstFigures = {
  sent: 0,
  seconds: 0,
  statuses: {},
  codes: {},
  withoutRetryAfter: 0,
  errors: {},
  acceptedClicks: {},
  acceptedOrders: {},
  unknown: {},
  p50Ms: 0,
  p99Ms: 0,
}
const latencies: number[] = []
let waiting = 0

const count = (tally: Record<string, number>, name: string, by = 1): void => {
  tally[name] = (tally[name] ?? 0) + by
}

/** All events of a request are of one user, so that what is unknown is so of whole users only. */
function body(n: number, user: string): string {
  const events: string[] = []
  for (let i = 0; i < batch; i++) {
    events.push(
      n % ORDERS_EVERY === 0
        ? `{"order_id":"${settings.name}-o-${n}-${i}","user_id":"${user}","amount":${settings.amount},"category":"books"}`
        : `{"event_id":"${settings.name}-c-${n}-${i}","event_type":"page_view","user_id":"${user}","page_url":"/p/${i}"}`,
    )
  }
  return `[${events.join(',')}]`
}

function send(n: number): Promise<void> {
  const isOrders = n % ORDERS_EVERY === 0
  const user = `burst-${n % settings.users}`
  const text = body(n, user)
  const startedAt = performance.now()
  figures.sent++
  waiting++
  return new Promise<void>((resolve) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      count(figures.errors, error.code ?? error.message)
      count(figures.unknown, user, batch)
      resolve()
    }
    const path = `${settings.url}/api/v1/${isOrders ? 'orders' : 'events'}`
    const length = { 'content-length': Buffer.byteLength(text) }
    const sending = request(path, { method: 'POST', agent, headers: { ...headers, ...length } }, (response) => {
      const status = response.statusCode ?? 0
      let answer = ''
      response
        .setEncoding('utf8')
        .on('data', (piece: string) => {
          answer += piece
        })
        .on('error', fail)
        .on('end', () => {
          count(figures.statuses, String(status))
          if (status === 202) {
            latencies.push(performance.now() - startedAt)
            const { accepted } = JSON.parse(answer) as { accepted: number }
            count(isOrders ? figures.acceptedOrders : figures.acceptedClicks, user, accepted)
          } else {
            const { code } = JSON.parse(answer) as { code: string }
            count(figures.codes, code)
            if (code === 'log_unavailable') count(figures.unknown, user, batch)
            if (response.headers['retry-after'] === undefined) figures.withoutRetryAfter++
          }
          resolve()
        })
    })
    sending.on('error', fail)
    sending.end(text)
  }).finally(() => {
    waiting--
  })
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1))
const startedMs = performance.now()
const elapsed = (): number => (performance.now() - startedMs) / 1000
if (settings.requestsPerSecond === 0) {
  await Promise.all(
    Array.from({ length: settings.connections }, async () => {
      while (elapsed() < settings.seconds) await send(figures.sent)
    }),
  )
} else {
  const all = Math.ceil(settings.requestsPerSecond * settings.seconds)
  while (figures.sent < all) {
    const due = Math.min(all, Math.floor(elapsed() * settings.requestsPerSecond))
    while (figures.sent < due && waiting < settings.connections) void send(figures.sent)
    await turn()
  }
  figures.seconds = elapsed()
  while (waiting > 0) await turn()
}
figures.seconds ||= elapsed()
agent.destroy()
figures.p50Ms = percentile(latencies, 0.5)
figures.p99Ms = percentile(latencies, 0.99)
tell(figures)
