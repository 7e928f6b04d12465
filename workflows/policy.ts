/**
 * How long, how often, under which name: timeouts, retries, the task queue and workflow ids, all in one place. Loaded by definitions too, so it is pure data.
 *
 * An activity that is safe to repeat is repeated for as long as its workflow is wanted: a database that is away for an hour delays a run and does not fail it. What no repetition mends (bad
 * input, a failed gate, a damaged file) is thrown as non-retryable by the activity itself.
 */
import type { ActivityOptions } from '@temporalio/workflow'

export const TASK_QUEUE = 'streamforge'

/** The type of failures that only another input mends, whether a definition or an activity finds out. */
export const BAD_INPUT = 'BadInput'

/** Every failure that isn't declared non-retryable: at once, then slower, to a minute. */
const RETRY = { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' } as const

/**
 * Short questions and writes to PostgreSQL. A worker that dies is noticed by the heartbeat, one that hangs by the timeout of the attempt.
 */
export const QUICK: ActivityOptions = {
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '30 seconds',
  scheduleToCloseTimeout: '6 hours',
  retry: RETRY,
}

/** Work over the lake's files: minutes to hours. It heartbeats every few seconds, so a dead or frozen worker costs no more than the heartbeat's timeout. */
export const LONG: ActivityOptions = {
  startToCloseTimeout: '6 hours',
  heartbeatTimeout: '30 seconds',
  scheduleToCloseTimeout: '24 hours',
  // A cancelled workflow waits until the work has stopped: nothing goes on behind its back.
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: RETRY,
}

/** Work at a place of somebody else's, which may be away for days, and is waited for all the same. */
export const PATIENT: ActivityOptions = {
  ...LONG,
  scheduleToCloseTimeout: '90 days',
  retry: { ...RETRY, maximumInterval: '10 minutes' },
}

/** Well below the heartbeat timeouts above. */
export const HEARTBEAT_MS = 5_000

/** One id per thing that is worked on: a second start of the same while it runs is refused by Temporal itself. */
export const workflowId = (workflow: string, ...of: readonly string[]): string => [workflow, ...of].join(':')
