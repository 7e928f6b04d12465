/** The load of the ingest benchmark where wrk is missing: a Node process that keeps some connections busy, each one request at a time. */
import { Agent, request } from 'node:http'
import { partSettings, tell } from './child.ts'
import { eventBodies } from './event-bodies.ts'
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
const nextBody = eventBodies(round, batch)
const latencies: number[] = []
let refused = 0
let errors = 0

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
      const text = nextBody()
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
