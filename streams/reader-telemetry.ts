/**
 * What readers of the log beside the jobs (the bridge of foreign topics, the projection of changes) report: Prometheus metrics and log lines. Labels are topics that are configured or of the contract, and
 * their partitions: bounded.
 */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Logger } from '../observability/log.ts'
import { partitionKey, type TopicPartition } from './log/event-log.ts'

export interface ReaderWords {
  /** What the names of the metrics begin with. */
  prefix: string
  /** Who reads, at the beginning of a sentence. */
  reader: string
  /** What is read, after "Records of". */
  topics: string
  /** What becomes of a record that is neither dead nor lost, as label. */
  outcome: string
  /** Whether records can say that whom they are about does not agree. */
  knowsConsent?: boolean
}

export interface ReaderTelemetry {
  /** @param lag what the partition still has */
  read(at: TopicPartition, counts: { done: number; deadLetters: number; withoutConsent?: number; lag: number }): void
  lost(at: TopicPartition, records: number): void
  madeAnew(at: TopicPartition): void
  retrying(store: string, error: Error, delayMs: number): void
  failed(error: Error, pauseMs: number): void
}

export function createReaderTelemetry(register: Registry, logger: Logger, words: ReaderWords): ReaderTelemetry {
  const { prefix, reader, topics, outcome, knowsConsent } = words
  const registers = [register]
  const records = new Counter({
    name: `${prefix}_records_total`,
    help: `Records of ${topics}, by what became of them: ${outcome}, dead_letter, ${knowsConsent ? 'without_consent, ' : ''}lost (retention was faster than we).`,
    labelNames: ['topic', 'outcome'],
    registers,
  })
  const lag = new Gauge({
    name: `${prefix}_lag_records`,
    help: `Records of ${topics} that are not yet read.`,
    labelNames: ['topic', 'partition'],
    registers,
  })
  const retries = new Counter({
    name: `${prefix}_retries_total`,
    help: 'Attempts that failed and are made again, by what did not answer.',
    labelNames: ['store'],
    registers,
  })
  return {
    read({ topic, partition }, counts) {
      if (counts.done > 0) records.inc({ topic, outcome }, counts.done)
      if (counts.deadLetters > 0) records.inc({ topic, outcome: 'dead_letter' }, counts.deadLetters)
      if (counts.withoutConsent) records.inc({ topic, outcome: 'without_consent' }, counts.withoutConsent)
      lag.set({ topic, partition }, counts.lag)
    },
    lost(at, count) {
      records.inc({ topic: at.topic, outcome: 'lost' }, count)
      logger.error(
        { partition: partitionKey(at), records: count },
        `${reader}: retention removed records before they were read; reading goes on behind them`,
      )
    },
    madeAnew(at) {
      logger.warn({ partition: partitionKey(at) }, `${reader}: a topic was made anew; it is read from its beginning`)
    },
    retrying(store, error, delayMs) {
      retries.inc({ store })
      logger.warn({ store, err: error, delay_ms: delayMs }, `${reader} tries again`)
    },
    failed(error, pauseMs) {
      logger.error({ err: error, pause_ms: pauseMs }, `${reader} could not read; reading begins again`)
    },
  }
}
