/** How the tables of a lake-writer are, gathered from what it tells: for the health page of its process. A table that has not got on for long is stuck, and says why. */
import { toIso } from '../contract/time-text.ts'
import type { Clock } from '../time/clock.ts'
import type { LakeObserver } from './observer.ts'

/** Stores may be away for a moment. */
const STUCK_AFTER_MS = 60_000

export interface TableHealth {
  table: string
  /** Of its topics, with this process. */
  partitions: number
  /** Records not yet in the table, as last seen. */
  lag: number
  rows: number
  commits: number
  last_commit: string | null
  /** Why it does not get on, and since when. */
  problem: { since: string; message: string } | null
}

export interface LakeHealth {
  /** `standby`: no partition is with this process, now or yet. */
  status: 'ok' | 'standby' | 'stuck'
  owner: string
  uptime_seconds: number
  lag: number
  tables: TableHealth[]
}

interface Watched {
  partitions: number
  lag: number
  rows: number
  commits: number
  lastMs: number | null
  problem: { sinceMs: number; message: string } | null
}

export function watchLake({ owner, clock }: { owner: string; clock: Pick<Clock, 'now'> }): {
  observer: LakeObserver
  report(): LakeHealth
} {
  const startedMs = clock.now()
  const tables = new Map<string, Watched>()
  const of = (table: string): Watched => {
    const known = tables.get(table) ?? { partitions: 0, lag: 0, rows: 0, commits: 0, lastMs: null, problem: null }
    tables.set(table, known)
    return known
  }
  const troubled = (table: string, { message }: Error): void => {
    const watched = of(table)
    watched.problem = { sinceMs: watched.problem?.sinceMs ?? clock.now(), message }
  }
  return {
    observer: {
      read: (table) => {
        of(table).problem = null
      },
      committed(table, done) {
        const watched = of(table)
        watched.rows += done.rows
        watched.commits++
        watched.lastMs = clock.now()
      },
      lag(table, lag, partitions) {
        Object.assign(of(table), { lag, partitions })
      },
      retrying: (table, _store, error) => troubled(table, error),
      failed: (table, error) => troubled(table, error),
    },
    report() {
      const now = clock.now()
      const all = [...tables].sort(([a], [b]) => a.localeCompare(b))
      const isStuck = all.some(([, { problem }]) => problem !== null && now - problem.sinceMs > STUCK_AFTER_MS)
      const hasWork = all.some(([, { partitions }]) => partitions > 0)
      return {
        status: isStuck ? 'stuck' : hasWork ? 'ok' : 'standby',
        owner,
        uptime_seconds: Math.round((now - startedMs) / 1000),
        lag: all.reduce((sum, [, { lag }]) => sum + lag, 0),
        tables: all.map(([table, { lastMs, problem, ...counts }]) => ({
          table,
          ...counts,
          last_commit: lastMs === null ? null : toIso(lastMs),
          problem: problem && { since: toIso(problem.sinceMs), message: problem.message },
        })),
      }
    },
  }
}
