/** What the lake-writer reports: Prometheus metrics and log lines. Labels are tables and stores: bounded. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Logger } from '../../observability/log.ts'
import { partitionKey } from '../log/event-log.ts'
import type { Clock } from '../time/clock.ts'
import type { LakeObserver } from './observer.ts'

const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export function createLakeTelemetry(register: Registry, logger: Logger, clock: Pick<Clock, 'now'>): LakeObserver {
  const registers = [register]
  const labelNames = ['table'] as const
  const counter = (name: string, help: string) => new Counter({ name, help, labelNames, registers })
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames, registers })
  const rows = counter('streamforge_lake_rows_total', 'Rows committed to the lake.')
  const commits = counter('streamforge_lake_commits_total', "Commits to the lake's tables.")
  const files = counter('streamforge_lake_files_total', 'Data files committed to the lake.')
  const undecodable = counter(
    'streamforge_lake_undecodable_records_total',
    'Records that nobody can read; the streams have put them aside as dead letters.',
  )
  const lost = counter(
    'streamforge_lake_lost_records_total',
    'Records that retention removed from the log before they were written.',
  )
  const refused = counter(
    'streamforge_lake_refused_commits_total',
    'Commits given up because another writer had written those records.',
  )
  const failures = counter(
    'streamforge_lake_failures_total',
    'Times that writing a table broke off and began anew after a pause.',
  )
  const retries = new Counter({
    name: 'streamforge_lake_retries_total',
    help: 'Attempts that failed and are made again, by what did not answer.',
    labelNames: ['table', 'store'],
    registers,
  })
  const lag = gauge('streamforge_lake_lag_records', 'Records in the log that are not in the table yet, as last seen.')
  const last = gauge('streamforge_lake_last_commit_timestamp_seconds', 'When the table was last committed to.')
  const seconds = new Histogram({
    name: 'streamforge_lake_commit_duration_seconds',
    help: 'Seconds from what was read to the commit: rows converted, files written, catalog changed.',
    labelNames,
    buckets: SECONDS,
    registers,
  })

  return {
    read(table, counts) {
      if (counts.undecodable > 0) undecodable.inc({ table }, counts.undecodable)
    },
    committed(table, done) {
      rows.inc({ table }, done.rows)
      commits.inc({ table })
      files.inc({ table }, done.files)
      seconds.observe({ table }, done.seconds)
      last.set({ table }, clock.now() / 1000)
      logger.debug({ table, rows: done.rows, files: done.files, seconds: done.seconds }, 'Committed to the lake')
    },
    lag(table, records) {
      lag.set({ table }, records)
    },
    lost(table, at, { from, to }) {
      lost.inc({ table }, to - from)
      logger.error(
        { table, partition: partitionKey(at), from, to },
        'Retention removed records from the log before they were in the lake: they are missing in the table, and its next snapshot says so (streamforge.lost)',
      )
    },
    retrying(table, store, error, delayMs) {
      retries.inc({ table, store })
      logger.warn({ table, store, err: error, delay_ms: delayMs }, 'The lake-writer tries again')
    },
    refused(table, error) {
      refused.inc({ table })
      logger.warn({ table, err: error }, 'Another lake-writer has these partitions; this one asks the group anew')
    },
    failed(table, error, pauseMs) {
      failures.inc({ table })
      logger.error(
        { table, err: error, pause_ms: pauseMs },
        'A table of the lake could not be written; it is tried again',
      )
    },
  }
}
