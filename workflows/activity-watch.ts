/**
 * What the activities of this worker do, seen by an interceptor around each: metrics by name and outcome, and which of them run now.
 * Invariant: every attempt is counted once, by how it ended: an attempt that is tried again counts as failed each time.
 */
import { type Context as ActivityContext, CancelledFailure } from '@temporalio/activity'
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker'
import { Counter, Gauge, Histogram } from 'prom-client'
import type { Registry } from '../observability/metrics.ts'
import { toIso } from '../streams/contract/time-text.ts'
import type { Clock } from '../streams/time/clock.ts'

/** From a question to PostgreSQL to a compaction of many gigabytes. */
const SECONDS = [0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 900, 3_600, 14_400]

export interface ActivityWatch {
  interceptor(context: ActivityContext): ActivityInboundCallsInterceptor
  report(): {
    running: { activity: string; workflow_id: string; since: string; attempt: number }[]
    slots: number
  }
}

export function watchActivities(metrics: Registry, clock: Pick<Clock, 'now'>, slots: number): ActivityWatch {
  const registers = [metrics]
  const ended = new Counter({
    name: 'streamforge_workflow_activities_total',
    help: 'Attempts at activities of workflows that have ended on this worker, by outcome: completed, failed, cancelled.',
    labelNames: ['activity', 'outcome'],
    registers,
  })
  const seconds = new Histogram({
    name: 'streamforge_workflow_activity_duration_seconds',
    help: 'How long attempts at activities took on this worker.',
    labelNames: ['activity'],
    buckets: SECONDS,
    registers,
  })
  const running = new Set<{ activity: string; workflowId: string; sinceMs: number; attempt: number }>()
  new Gauge({
    name: 'streamforge_workflow_activities_running',
    help: 'Activities that run on this worker: slots in use.',
    registers,
    collect() {
      this.set(running.size)
    },
  })
  new Gauge({
    name: 'streamforge_workflow_activity_slots',
    help: 'How many activities this worker runs at most at once.',
    registers,
  }).set(slots)

  return {
    interceptor: ({ info }) => ({
      async execute(input, next) {
        const { activityType: activity, attempt, workflowExecution } = info
        const one = { activity, workflowId: workflowExecution?.workflowId ?? '', sinceMs: clock.now(), attempt }
        running.add(one)
        let outcome = 'completed'
        try {
          return await next(input)
        } catch (error) {
          outcome = error instanceof CancelledFailure ? 'cancelled' : 'failed'
          throw error
        } finally {
          running.delete(one)
          ended.inc({ activity, outcome })
          seconds.observe({ activity }, (clock.now() - one.sinceMs) / 1_000)
        }
      },
    }),
    report: () => ({
      running: [...running].map(({ activity, workflowId, sinceMs, attempt }) => ({
        activity,
        workflow_id: workflowId,
        since: toIso(sinceMs),
        attempt,
      })),
      slots,
    }),
  }
}
