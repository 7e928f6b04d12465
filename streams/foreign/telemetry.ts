/** What the bridge reports: Prometheus metrics and log lines. Labels are configured topics and their partitions: bounded. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Logger } from '../../observability/log.ts'
import { partitionKey } from '../log/event-log.ts'
import type { BridgeObserver } from './bridge.ts'

export function createBridgeTelemetry(register: Registry, logger: Logger): BridgeObserver {
  const registers = [register]
  const records = new Counter({
    name: 'streamforge_foreign_records_total',
    help: 'Records of foreign topics, by what became of them: event, dead_letter, lost (retention was faster than we).',
    labelNames: ['topic', 'outcome'],
    registers,
  })
  const lag = new Gauge({
    name: 'streamforge_foreign_lag_records',
    help: 'Records of a foreign topic that are not yet appended to ours.',
    labelNames: ['topic', 'partition'],
    registers,
  })
  const retries = new Counter({
    name: 'streamforge_foreign_retries_total',
    help: 'Attempts that failed and are made again, by what did not answer.',
    labelNames: ['store'],
    registers,
  })
  return {
    forwarded({ topic, partition }, counts) {
      if (counts.events > 0) records.inc({ topic, outcome: 'event' }, counts.events)
      if (counts.deadLetters > 0) records.inc({ topic, outcome: 'dead_letter' }, counts.deadLetters)
      lag.set({ topic, partition }, counts.lag)
    },
    lost(at, count) {
      records.inc({ topic: at.topic, outcome: 'lost' }, count)
      logger.error(
        { partition: partitionKey(at), records: count },
        'Retention removed records of a foreign topic before they were read; reading goes on behind them',
      )
    },
    madeAnew(at) {
      logger.warn({ partition: partitionKey(at) }, 'A foreign topic was made anew; it is read from its beginning')
    },
    retrying(store, error, delayMs) {
      retries.inc({ store })
      logger.warn({ store, err: error, delay_ms: delayMs }, 'The bridge of foreign topics tries again')
    },
    failed(error, pauseMs) {
      logger.error({ err: error, pause_ms: pauseMs }, 'Foreign topics could not be read; reading begins again')
    },
  }
}
