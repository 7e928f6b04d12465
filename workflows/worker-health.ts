/**
 * How a worker is, for its health page: whether Temporal answers, asked every few seconds, and what it is doing.
 *
 * Invariant: that Temporal is away is said once when it is noticed, and once when it is over. What runs meanwhile goes on; the SDK keeps asking for work by itself.
 */
import { Gauge } from 'prom-client'
import type { Logger } from '../observability/log.ts'
import type { Registry } from '../observability/metrics.ts'
import type { Clock } from '../streams/time/clock.ts'
import { type ActivityWatch, watchActivities } from './activity-watch.ts'

/** A restart of Temporal takes seconds. */
const STUCK_AFTER_MS = 60_000
const ASK_EVERY_MS = 5_000

export interface WorkerHealth {
  /** `standby`: it does not ask for work yet, or Temporal is away for the moment; `stuck`: that lasts. */
  status: 'ok' | 'standby' | 'stuck'
  owner: string
  uptime_seconds: number
  temporal: { address: string; away_since: string | null }
  activities: ReturnType<ActivityWatch['report']>
}

export interface WorkerWatch {
  readonly activities: ActivityWatch
  report(): WorkerHealth
  /** There was no answer. */
  away(why: string): void
  /** As soon as the worker asks for work itself, until the signal aborts. */
  keepAsking(ask: () => Promise<unknown>, signal: AbortSignal): Promise<void>
}

export interface WatchOptions {
  owner: string
  /** Of Temporal. */
  address: string
  /** Activities at once. */
  slots: number
  metrics: Registry
  logger: Logger
  clock: Clock
}

export function watchWorker({ owner, address, slots, metrics, logger, clock }: WatchOptions): WorkerWatch {
  const activities = watchActivities(metrics, clock, slots)
  const startedMs = clock.now()
  // Until it has answered once, when the worker was ready for it.
  let awaySinceMs: number | null = startedMs
  let isSaid = false
  new Gauge({
    name: 'streamforge_worker_temporal_up',
    help: '1 while Temporal answers this worker, else 0: no workflow goes on then.',
    registers: [metrics],
    collect() {
      this.set(awaySinceMs === null ? 1 : 0)
    },
  })

  function away(why: string): void {
    awaySinceMs ??= clock.now()
    if (!isSaid) logger.warn({ part: 'temporal', why }, `Temporal does not answer at ${address}; workflows wait for it`)
    isSaid = true
  }
  function answers(): void {
    if (isSaid) logger.warn({ part: 'temporal' }, `Temporal answers again at ${address}; workflows go on`)
    awaySinceMs = null
    isSaid = false
  }
  return {
    activities,
    away,
    async keepAsking(ask, signal) {
      while (!signal.aborted) {
        await ask().then(answers, (error: Error) => away(error.message))
        await clock.sleep(ASK_EVERY_MS, signal)
      }
    },
    report() {
      const now = clock.now()
      const status = awaySinceMs === null ? 'ok' : now - awaySinceMs > STUCK_AFTER_MS ? 'stuck' : 'standby'
      return {
        status,
        owner,
        uptime_seconds: Math.round((now - startedMs) / 1_000),
        temporal: { address, away_since: awaySinceMs === null ? null : new Date(awaySinceMs).toISOString() },
        activities: activities.report(),
      }
    },
  }
}
