/**
 * The live stream: one poller looks once a second, however many clients watch, and tells all of them the same.
 *
 *   snapshot   what the dashboard shows, whole in itself, once a second
 *   alert      each alert that is new or has changed, in the order of the changes; resumed from any edge by the id of the last message
 *   pipeline   how tasks and workflows are, whole in itself, when one changes its state
 *   problem    the results can not be read; it goes on by itself
 *   reset      too much has changed since the id that was given: read anew
 *   bye        the stream ends, and why
 *
 * Invariant: nothing waits for a client. Clients are bounded in number, and each in what it may be behind.
 */
import type { AlertFeed, ChangePlace, Clock, EdgeLogger, MetricReader, Pipeline } from '../ports.ts'
import { Problem, retryAfter } from '../problem.ts'
import { createCache } from './cache.ts'
import { createLiveAlerts, type LiveAlerts } from './live-alerts.ts'
import { createLiveClient, type LiveClient, type Subscription } from './live-client.ts'
import { eventText, placeText } from './live-place.ts'
import { type RateSample, snapshotOf } from './live-snapshot.ts'
import { healthOf } from './pipelines.ts'
import { briefOf, workflowsHealth } from './workflows.ts'

export type { Snapshot } from './live-snapshot.ts'

export interface LiveOptions {
  reader: MetricReader
  feed: AlertFeed
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
  subscribe(subscription: Subscription): ReadableStream<Uint8Array>
  readonly clients: number
  /** Ends every client's stream. */
  close(): Promise<void>
}

const HEARTBEAT_MS = 15_000
const HEARTBEAT = ': heartbeat\n\n'
/** Of the figures of the hour before. */
const PREVIOUS_KEPT_MS = 60_000

/** The state of the pipelines, and what tells it from another one. */
interface PipelineState {
  key: string
  text: string
}

export function createLiveHub(options: LiveOptions): LiveHub {
  const { reader, clock, logger, currency, intervalMs = 1000, clientsMax = 200, samplesMax = 300 } = options
  const clients = new Set<LiveClient>()
  /** The state of the pipelines that each has been told last. */
  const told = new WeakMap<LiveClient, string>()
  const alerts = createLiveAlerts(options.feed)
  const encoder = new TextEncoder()
  const stopping = new AbortController()
  const samples: RateSample[] = []
  const previousFigures = createCache({ ttlMs: PREVIOUS_KEPT_MS, entriesMax: 2, clock })
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

  const anybodyWants = (topic: 'snapshot' | 'pipeline') => [...clients].some((client) => client.wants(topic))

  async function tick(): Promise<void> {
    const pipelines = await options.pipelines()
    sample(pipelines, clock.now())
    // Also while nobody watches: who comes is then told of everything from that moment on.
    await alerts.read()
    if (clients.size === 0) {
      latest = undefined
      return
    }
    const { place } = alerts
    const [snapshot, state] = await Promise.all([
      anybodyWants('snapshot')
        ? snapshotOf(reader, currency, pipelines, samples, clock.now(), previousFigures)
        : undefined,
      anybodyWants('pipeline') ? stateOf(pipelines) : undefined,
    ])
    latest = snapshot && encoder.encode(eventText('snapshot', snapshot, place))
    const resume = once(alerts.resume)
    for (const client of clients) {
      if (!(await client.tellAlerts(alerts, resume)) || !clients.has(client)) continue
      if (state && client.wants('pipeline') && told.get(client) !== state.key && client.tell(state.text))
        told.set(client, state.key)
      if (latest && client.wants('snapshot')) client.tell(latest)
    }
  }

  async function stateOf(pipelines: readonly Pipeline[]): Promise<PipelineState> {
    const now = clock.now()
    const batch = briefOf(workflowsHealth(await reader.workflows(), now))
    const health = pipelines.map((each) => healthOf(each, now))
    const key = JSON.stringify([
      health.map(({ topic, partition, status }) => [topic, partition, status]),
      batch.workflows.map(({ workflow, status, last_run }) => [workflow, status, last_run?.run_id, last_run?.status]),
    ])
    return { key, text: eventText('pipeline', { pipelines: health, batch }, alerts.place) }
  }

  function sayBye(client: LiveClient, reason: Parameters<LiveClient['bye']>[0]): void {
    clients.delete(client)
    client.bye(reason)
  }

  async function run(): Promise<void> {
    let heartbeatAt = clock.now()
    while (!stopping.signal.aborted) {
      const startedAt = clock.now()
      for (const client of clients) if (client.expiresAt <= startedAt) sayBye(client, 'token_expired')
      try {
        await tick()
        if (failing) logger.info({}, 'The live stream has data again')
        failing = false
      } catch (error) {
        if (!failing) logger.warn({ err: error }, 'The live stream has no data; it goes on trying')
        failing = true
        latest = undefined
        for (const client of clients) client.problem('The results can not be read at the moment.')
      }
      if (clock.now() - heartbeatAt >= HEARTBEAT_MS) {
        heartbeatAt = clock.now()
        for (const client of clients) client.tell(HEARTBEAT)
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
    subscribe(subscription) {
      if (stopping.signal.aborted) throw new Problem('unavailable', 'The edge is stopping.', { headers: retryAfter(2) })
      if (clients.size >= clientsMax) {
        throw new Problem('overloaded', `${clientsMax} clients watch already. Try again later.`, {
          headers: retryAfter(30),
        })
      }
      const client: LiveClient = createLiveClient(subscription, () => clients.delete(client))
      clients.add(client)
      // Who resumes is told of the alerts first.
      if (subscription.after === null) {
        client.begin(alerts)
        if (latest && client.wants('snapshot')) client.tell(latest)
      }
      return client.stream
    },
    async close() {
      stopping.abort()
      for (const client of clients) sayBye(client, 'stopping')
      await running
    },
  }
}

/** However many clients stand at one place, as after a restart: it is looked up once. */
function once(resume: LiveAlerts['resume']): LiveAlerts['resume'] {
  const known = new Map<string, ReturnType<LiveAlerts['resume']>>()
  return (after: ChangePlace) => {
    const key = placeText(after)
    const found = known.get(key) ?? resume(after)
    known.set(key, found)
    return found
  }
}
