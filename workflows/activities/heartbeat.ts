/**
 * Long work as an activity: it heartbeats for as long as it runs, and a cancellation (of the workflow, or because another worker has taken over) aborts its signal.
 * Invariant: work whose signal was aborted ends as cancelled, whatever error its breaking off has caused.
 */
import { CancelledFailure, Context } from '@temporalio/activity'
import type { Clock } from '../../streams/time/clock.ts'
import { HEARTBEAT_MS } from '../policy.ts'

/** Some beats may be lost or late before the timeout is missed. */
const BEATS_PER_TIMEOUT = 4

export type Report = (details: unknown) => void

/**
 * @param work gets a signal, and a function that puts details into the heartbeats; they are shown in the Temporal UI, and a repeated attempt can read them
 */
export async function withHeartbeat<R>(
  clock: Clock,
  work: (signal: AbortSignal, report: Report) => Promise<R>,
): Promise<R> {
  const context = Context.current()
  const { cancellationSignal } = context
  const { heartbeatTimeoutMs } = context.info
  const everyMs = Math.min(HEARTBEAT_MS, (heartbeatTimeoutMs ?? Number.POSITIVE_INFINITY) / BEATS_PER_TIMEOUT)
  let details: unknown
  const ended = new AbortController()
  const beat = async () => {
    while (!ended.signal.aborted) {
      context.heartbeat(details)
      await clock.sleep(everyMs, ended.signal)
    }
  }
  const beating = beat()
  try {
    return await work(cancellationSignal, (now) => {
      details = now
    })
  } catch (error) {
    if (cancellationSignal.aborted && !(error instanceof CancelledFailure))
      throw new CancelledFailure('The work was broken off.', [], error as Error)
    throw error
  } finally {
    ended.abort()
    await beating
  }
}
