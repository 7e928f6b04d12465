/** How the CDC source is, gathered from what it tells: for the health page of its process. */
import { toIso } from '../../contract/time-text.ts'
import type { Clock } from '../../time/clock.ts'
import { formatLsn } from './lsn.ts'
import type { CdcObserver } from './observer.ts'

/** The database, or the log, may be away for a moment. */
const STUCK_AFTER_MS = 60_000

export interface CdcHealth {
  /** `stuck`: the slot is lost, or nothing has worked for a minute. */
  status: 'ok' | 'starting' | 'stuck'
  state: 'starting' | 'snapshot' | 'streaming' | 'lost'
  owner: string
  uptime_seconds: number
  lag_bytes: number | null
  acknowledged_lsn: string | null
  problem: { since: string; message: string } | null
}

export function watchCdc({ owner, clock }: { owner: string; clock: Pick<Clock, 'now'> }): {
  observer: Partial<CdcObserver>
  report(): CdcHealth
} {
  const startedMs = clock.now()
  let state: CdcHealth['state'] = 'starting'
  let lagBytes: number | null = null
  let lsn: number | null = null
  let problem: { sinceMs: number; message: string } | null = null
  const troubled = ({ message }: Error): void => {
    problem = { sinceMs: problem?.sinceMs ?? clock.now(), message }
  }
  return {
    observer: {
      snapshotBegins() {
        state = 'snapshot'
      },
      streaming() {
        state = 'streaming'
        problem = null
      },
      slot(found) {
        lagBytes = found.lagBytes
        lsn = found.confirmedLsn
      },
      lost(error) {
        state = 'lost'
        troubled(error)
      },
      retrying: troubled,
    },
    report() {
      const nowMs = clock.now()
      const isStuck = state === 'lost' || (problem !== null && nowMs - problem.sinceMs > STUCK_AFTER_MS)
      return {
        status: isStuck ? 'stuck' : state === 'streaming' ? 'ok' : 'starting',
        state,
        owner,
        uptime_seconds: Math.round((nowMs - startedMs) / 1_000),
        lag_bytes: lagBytes,
        acknowledged_lsn: lsn === null ? null : formatLsn(lsn),
        problem: problem && { since: toIso(problem.sinceMs), message: problem.message },
      }
    },
  }
}
