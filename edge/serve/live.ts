/**
 * The live stream: one poller looks once a second, however many clients watch, and sends all of them the same snapshot.
 *
 * A snapshot is whole in itself, so a slow client may miss some without harm; it never makes the edge buffer. Clients are bounded in number.
 */
import { toMajor } from '../../streams/contract/money.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import type { Clock, EdgeLogger, MetricReader, Pipeline, TimeRange } from '../ports.ts'
import { Problem, retryAfter } from '../problem.ts'
import { alertOf } from './alerts.ts'
import { lastMomentOf, overviewOf } from './overview.ts'
import { ceilTo } from './params.ts'
import { healthOf, watermarkOf } from './pipelines.ts'
import { productOf } from './products.ts'
import { briefOf, workflowsHealth } from './workflows.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

export interface LiveOptions {
  reader: MetricReader
  /** The pipelines as they are this moment: a cached answer would make the rate jump. */
  pipelines: MetricReader['pipelines']
  clock: Clock
  logger: EdgeLogger
  /** The platform's own currency. */
  currency: string
  intervalMs?: number
  clientsMax?: number
  /** Samples of the event rate that are kept. */
  samplesMax?: number
}

export interface LiveHub {
  /** Begins to look; until then, and after `close`, nothing is sent. */
  start(): void
  /** A client's stream of server-sent events. @throws Problem `overloaded` */
  subscribe(): ReadableStream<Uint8Array>
  readonly clients: number
  /** Ends every client's stream. */
  close(): Promise<void>
}

/** [epoch ms, events per second that the log took, events per second that the streams read] */
export type RateSample = [timeMs: number, accepted: number, processed: number]

/** Snapshots a client may be behind before it misses some. */
const BEHIND_MAX = 4
const HEARTBEAT_MS = 15_000

export function createLiveHub(options: LiveOptions): LiveHub {
  const { reader, clock, logger, currency, intervalMs = 1000, clientsMax = 200, samplesMax = 300 } = options
  const clients = new Set<ReadableStreamDefaultController<Uint8Array>>()
  const encoder = new TextEncoder()
  const stopping = new AbortController()
  const samples: RateSample[] = []
  let before: { at: number; accepted: number; processed: number } | undefined
  let running: Promise<void> | undefined
  let latest: Uint8Array | undefined
  let failing = false

  function sample(pipelines: readonly Pipeline[], now: number): void {
    const accepted = pipelines.reduce((sum, p) => sum + p.end_offset, 0)
    const processed = pipelines.reduce((sum, p) => sum + p.next_offset, 0)
    const perSecond = (more: number, seconds: number) => Math.max(0, Math.round((more / seconds) * 10) / 10)
    if (before && now > before.at) {
      const seconds = (now - before.at) / 1000
      samples.push([
        now,
        perSecond(accepted - before.accepted, seconds),
        perSecond(processed - before.processed, seconds),
      ])
      if (samples.length > samplesMax) samples.shift()
    }
    before = { at: now, accepted, processed }
  }

  function send(bytes: Uint8Array): void {
    for (const client of clients) {
      if ((client.desiredSize ?? 0) > 0) client.enqueue(bytes)
    }
  }

  async function tick(): Promise<void> {
    const now = clock.now()
    const pipelines = await options.pipelines()
    sample(pipelines, now)
    if (clients.size === 0) {
      latest = undefined
      return
    }
    latest = message('snapshot', await snapshotOf(reader, currency, pipelines, samples, clock.now()))
    send(latest)
  }

  const message = (event: string, data: unknown) => encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)

  async function run(): Promise<void> {
    let heartbeatAt = clock.now()
    while (!stopping.signal.aborted) {
      const startedAt = clock.now()
      try {
        await tick()
        if (failing) logger.info({}, 'The live stream has data again')
        failing = false
      } catch (error) {
        if (!failing) logger.warn({ err: error }, 'The live stream has no data; it goes on trying')
        failing = true
        latest = undefined
        send(message('problem', { detail: 'The results can not be read at the moment.' }))
      }
      if (clock.now() - heartbeatAt >= HEARTBEAT_MS) {
        heartbeatAt = clock.now()
        send(encoder.encode(': heartbeat\n\n'))
      }
      await clock.sleep(Math.max(50, intervalMs - (clock.now() - startedAt)), stopping.signal)
    }
  }

  return {
    get clients() {
      return clients.size
    },
    start() {
      running ??= run()
    },
    subscribe() {
      if (stopping.signal.aborted) throw new Problem('unavailable', 'The edge is stopping.', { headers: retryAfter(2) })
      if (clients.size >= clientsMax) {
        throw new Problem('overloaded', `${clientsMax} clients watch already. Try again later.`, {
          headers: retryAfter(30),
        })
      }
      let mine: ReadableStreamDefaultController<Uint8Array>
      return new ReadableStream<Uint8Array>(
        {
          start(controller) {
            mine = controller
            clients.add(controller)
            controller.enqueue(encoder.encode('retry: 2000\n\n'))
            if (latest) controller.enqueue(latest)
          },
          cancel() {
            clients.delete(mine)
          },
        },
        new CountQueuingStrategy({ highWaterMark: BEHIND_MAX }),
      )
    },
    async close() {
      stopping.abort()
      for (const client of clients) client.close()
      clients.clear()
      await running
    },
  }
}

/**
 * The hour that is shown: the last one by wall clock; where the newest data is older than that (a replayed history), the hour in which it ends.
 */
export function rangeToShow(newestMs: number | null, now: number): TimeRange & { live: boolean } {
  const live = newestMs === null || newestMs > now - HOUR_MS
  const to = ceilTo(live ? now : newestMs + 1, MINUTE_MS)
  return { from: to - HOUR_MS, to, live }
}

export type Snapshot = Awaited<ReturnType<typeof snapshotOf>>

async function snapshotOf(
  reader: MetricReader,
  currency: string,
  pipelines: readonly Pipeline[],
  samples: readonly RateSample[],
  now: number,
) {
  const { watermarkMs } = watermarkOf(pipelines)
  const { live, ...range } = rangeToShow(watermarkMs, now)
  const [overview, revenue, products, alerts, batch] = await Promise.all([
    reader.overview({ ...range, now: lastMomentOf(range, now) }),
    reader.revenueTimeseries({ ...range, bucketMs: MINUTE_MS }),
    reader.topProducts({ ...range, by: 'views', limit: 10, currency }),
    reader.fraudAlerts({ limit: 12 }),
    reader.workflows(),
  ])
  return {
    generated_at: toIso(now),
    watermark: watermarkMs === null ? null : toIso(watermarkMs),
    freshness_ms: watermarkMs === null ? null : now - watermarkMs,
    range: { from: toIso(range.from), to: toIso(range.to), live },
    overview: overviewOf(overview),
    rates: samples,
    revenue: revenue.map((p) => ({
      time_ms: p.start,
      currency: p.currency,
      revenue: toMajor(p.revenue_minor, p.currency),
      final: p.final,
    })),
    products: products.items.map(productOf),
    alerts: alerts.items.map((row) => {
      const { evidence, ...alert } = alertOf(row)
      return { ...alert, orders: evidence.length }
    }),
    pipelines: pipelines.map((state) => healthOf(state, now)),
    batch: briefOf(workflowsHealth(batch, now)),
  }
}
