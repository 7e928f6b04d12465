/** The load of the ingest benchmark where wrk is missing: a Node process that keeps some connections busy, each one request at a time. */
import { Agent, request } from 'node:http'
import { partSettings, tell } from './child.ts'
import { percentile } from './measure.ts'

export interface LoadSettings {
  url: string
  writeKey: string
  batch: number
  connections: number
  seconds: number
  /** In the ids: those of another round would be duplicates. */
  round: number
}

export interface LoadFigures {
  requests: number
  /** Answers that were not 2xx. */
  refused: number
  errors: number
  p50Ms: number
  p99Ms: number
}

const { url, writeKey, batch, connections, seconds, round } = partSettings<LoadSettings>()
const agent = new Agent({ keepAlive: true, maxSockets: connections })
const headers = { 'content-type': 'application/json', 'x-write-key': writeKey }
const TYPES = ['page_view', 'page_view', 'product_view', 'add_to_cart']
const latencies: number[] = []
let events = 0
let refused = 0
let errors = 0

function body(): string {
  const lines: string[] = []
  for (let i = 0; i < batch; i++) {
    const n = events++
    lines.push(
      `{"event_id":"${String(round).padStart(8, '0')}-0000-4000-a000-${n.toString(16).padStart(12, '0')}","event_type":"${TYPES[n % 4]}","user_id":"u${(n * 7919) % 50_000}","page_url":"/p/p${n % 5000}","product_id":"p${n % 5000}","region":"EU-West","device":"mobile"}`,
    )
  }
  return `[${lines.join(',')}]`
}

const post = (text: string): Promise<void> =>
  new Promise((resolve) => {
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      if (response.statusCode !== 202) refused++
      response.resume().on('end', resolve)
    })
    sent.on('error', () => {
      errors++
      resolve()
    })
    sent.end(text)
  })

const deadline = performance.now() + seconds * 1000
await Promise.all(
  Array.from({ length: connections }, async () => {
    while (performance.now() < deadline) {
      const text = body()
      const startedAt = performance.now()
      await post(text)
      latencies.push(performance.now() - startedAt)
    }
  }),
)
agent.destroy()
const figures: LoadFigures = {
  requests: latencies.length,
  refused,
  errors,
  p50Ms: percentile(latencies, 0.5),
  p99Ms: percentile(latencies, 0.99),
}
tell(figures)
