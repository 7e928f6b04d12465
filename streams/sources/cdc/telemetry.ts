/** What the CDC source reports: Prometheus metrics and log lines. Labels are topics of tables that the settings name. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Logger } from '../../../observability/log.ts'
import type { Clock } from '../../time/clock.ts'
import type { CdcObserver } from './observer.ts'

export function createCdcTelemetry(register: Registry, logger: Logger, clock: Pick<Clock, 'now'>): CdcObserver {
  const registers = [register]
  const counter = (name: string, help: string) => new Counter({ name, help, registers })
  const byTopic = (name: string, help: string) => new Counter({ name, help, labelNames: ['topic'], registers })
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers })
  const records = byTopic(
    'streamforge_cdc_records_total',
    'Records of changes appended to the log, tombstones included.',
  )
  const snapshots = byTopic('streamforge_cdc_snapshot_rows_total', 'Rows read by snapshots.')
  const skipped = counter(
    'streamforge_cdc_skipped_records_total',
    'Records of changes that were read again after a crash and in the log already.',
  )
  const lag = gauge(
    'streamforge_cdc_lag_bytes',
    'WAL that the database has written and the source has not acknowledged.',
  )
  const lastChange = gauge(
    'streamforge_cdc_last_change_timestamp_seconds',
    'When the newest change in the log was committed, by the clock of its database.',
  )
  const confirmed = gauge(
    'streamforge_cdc_acknowledged_timestamp_seconds',
    'When the acknowledged LSN was last seen to have come further.',
  )
  const isLost = gauge(
    'streamforge_cdc_slot_lost',
    '1 while the replication slot has lost changes and a new snapshot is needed.',
  )
  const retries = counter(
    'streamforge_cdc_retries_total',
    'Times that following the database broke off and began anew after a pause.',
  )
  let confirmedLsn = -1
  let said: string | null = null

  return {
    appended(counts, lastCommittedMs) {
      for (const [topic, count] of counts) records.inc({ topic }, count)
      if (lastCommittedMs !== null) lastChange.set(lastCommittedMs / 1_000)
    },
    skipped(count) {
      skipped.inc(count)
      logger.debug({ records: count }, 'Changes of one transaction that were read again are in the log already')
    },
    snapshotBegins(tables, isAnew) {
      logger.info(
        { tables, anew: isAnew },
        'A snapshot of the tables begins; it waits for transactions that are open now',
      )
    },
    snapshotRows(topic, rows) {
      snapshots.inc({ topic }, rows)
      logger.info({ topic, rows }, 'A table has been read')
    },
    snapshotEnds(rows) {
      logger.info({ rows }, 'The snapshot is in the log')
    },
    streaming() {
      said = null
      isLost.set(0)
      logger.info({}, 'The changes of the database are followed')
    },
    slot({ lagBytes, confirmedLsn: lsn, walStatus, safeBytes }) {
      lag.set(lagBytes)
      if (lsn > confirmedLsn) confirmed.set(clock.now() / 1_000)
      confirmedLsn = lsn
      if (walStatus === 'unreserved')
        logger.warn(
          { lag_bytes: lagBytes, safe_bytes: safeBytes },
          'The replication slot is about to be lost: the source is behind by more than max_slot_wal_keep_size',
        )
    },
    tableChanged(table, changes) {
      logger.info({ table, changes }, 'A table has changed; its records have the new columns from here on')
    },
    notFollowed(table) {
      logger.warn(
        { table },
        'The publication brings changes of a table that STREAMFORGE_CDC_TABLES does not name: they are left out',
      )
    },
    lost(error) {
      isLost.set(1)
      // Once, not every few seconds.
      if (said !== error.message) logger.error({}, error.message)
      said = error.message
    },
    retrying(error, delayMs) {
      retries.inc()
      logger.warn({ err: error, delay_ms: delayMs }, 'Following the database broke off; it is tried again')
    },
  }
}
