/**
 * What the edge counts: requests, errors and durations by route (RED), and events by topic and outcome.
 * Invariant: labels are bounded: route patterns, never paths; known methods, never what a client makes up.
 */
import type { MiddlewareHandler } from 'hono'
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { IngestResult } from './ingest/accept.ts'
import type { Pressure } from './ingest/pressure.ts'
import { methodOf, routeOf } from './route-of.ts'

export interface Telemetry {
  request: MiddlewareHandler
  ingested(topic: string, result: IngestResult): void
  watchPressure(pressure: Pressure): void
  watchLiveClients(count: () => number): void
}

/** @param register the metrics are registered here: one edge per registry. */
export function createTelemetry(register: Registry): Telemetry {
  const registers = [register]
  const requests = new Counter({
    name: 'streamforge_http_requests_total',
    help: 'HTTP requests answered, by method, route pattern and status.',
    labelNames: ['method', 'route', 'status'],
    registers,
  })
  const seconds = new Histogram({
    name: 'streamforge_http_request_duration_seconds',
    help: 'Seconds from the request to the head of its answer.',
    labelNames: ['method', 'route'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  })
  const events = new Counter({
    name: 'streamforge_ingest_events_total',
    help: 'Events received, by topic and outcome: accepted, duplicate, without_consent, or why rejected.',
    labelNames: ['topic', 'outcome'],
    registers,
  })

  return {
    async request(c, next) {
      const started = performance.now()
      await next()
      const [method, route] = [methodOf(c), routeOf(c)]
      requests.inc({ method, route, status: c.res.status })
      seconds.observe({ method, route }, (performance.now() - started) / 1000)
    },
    ingested(topic, result) {
      if (result.accepted > 0) events.inc({ topic, outcome: 'accepted' }, result.accepted)
      if (result.duplicates > 0) events.inc({ topic, outcome: 'duplicate' }, result.duplicates)
      if (result.without_consent) events.inc({ topic, outcome: 'without_consent' }, result.without_consent)
      for (const { code } of result.rejected) events.inc({ topic, outcome: code })
    },
    watchPressure(pressure) {
      gauge('streamforge_ingest_requests_in_flight', 'Ingest requests being read or appended.', () => pressure.requests)
      gauge('streamforge_ingest_bytes_in_flight', 'Bytes of ingest bodies held in memory.', () => pressure.bytes)
    },
    watchLiveClients(count) {
      gauge('streamforge_live_clients', 'Clients connected to the live stream.', count)
    },
  }

  function gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value())
      },
    })
  }
}
