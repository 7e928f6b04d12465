/** What the streams report: the runtime's events as Prometheus metrics and log lines. Labels are topics, partitions and outcomes: bounded all. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Logger } from '../observability/log.ts'
import { OUTCOMES } from './contract/results.ts'
import { partitionKey, type TopicPartition } from './log/event-log.ts'
import type { RuntimeObserver } from './runtime/observer.ts'
import type { TaskProgress } from './runtime/ports.ts'
import type { Clock } from './time/clock.ts'

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function createStreamsTelemetry(register: Registry, logger: Logger, clock: Pick<Clock, 'now'>): RuntimeObserver {
  const registers = [register]
  const at = ['topic', 'partition'] as const
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames: at, registers })
  const read = new Counter({
    name: 'streamforge_streams_processed_events_total',
    help: 'Events that this process has read and given to the jobs; those it reads again after a crash count again.',
    labelNames: ['topic'],
    registers,
  })
  const refused = new Counter({
    name: 'streamforge_streams_refusals_total',
    help: 'Events that were not applied by this process, by outcome: late (once for each job), duplicate, dead_letter.',
    labelNames: ['topic', 'outcome'],
    registers,
  })
  const events = gauge('streamforge_streams_events', 'Events read since the log began, as the state counts them.')
  const lag = gauge('streamforge_streams_lag_records', 'Records in the log that are not yet processed.')
  const watermark = gauge(
    'streamforge_streams_watermark_timestamp_seconds',
    'Event time up to which results are final.',
  )
  const live = gauge('streamforge_streams_live', '1 while provisional results are published, 0 while catching up.')
  const outcomes = new Gauge({
    name: 'streamforge_streams_refused_events',
    help: 'Events not applied since the log began, by outcome: late, duplicate, dead_letter.',
    labelNames: [...at, 'outcome'],
    registers,
  })
  const flush = new Histogram({
    name: 'streamforge_streams_flush_duration_seconds',
    help: 'Seconds of a flush.',
    buckets: SECONDS,
    registers,
  })
  const lastFlush = new Gauge({
    name: 'streamforge_streams_last_flush_timestamp_seconds',
    help: 'When this process last had everything written that it had computed, or began; with partitions that is never long ago.',
    registers,
  })
  lastFlush.set(clock.now() / 1000)
  const checkpoint = new Histogram({
    name: 'streamforge_streams_checkpoint_duration_seconds',
    help: 'Seconds to write the checkpoints of all tasks.',
    buckets: SECONDS,
    registers,
  })
  const checkpointed = new Gauge({
    name: 'streamforge_streams_last_checkpoint_timestamp_seconds',
    help: 'When this process last wrote checkpoints, or began.',
    registers,
  })
  checkpointed.set(clock.now() / 1000)
  const checkpointFailures = new Counter({
    name: 'streamforge_streams_checkpoint_failures_total',
    help: 'Checkpoints that could not be written.',
    registers,
  })
  const checkpointBytes = new Counter({
    name: 'streamforge_streams_checkpoint_bytes_total',
    help: 'Bytes of checkpoints written.',
    registers,
  })
  const counter = (name: string, help: string) => new Counter({ name, help, registers })
  const rows = counter('streamforge_streams_rows_written_total', 'Result rows sent to PostgreSQL.')
  const features = counter('streamforge_streams_features_written_total', 'Features sent to the feature store.')
  const announced = new Counter({
    name: 'streamforge_streams_announced_total',
    help: 'Alerts, late events and dead letters published, by the topic they went to.',
    labelNames: ['topic'],
    registers,
  })
  const retries = new Counter({
    name: 'streamforge_streams_retries_total',
    help: 'Attempts that failed and are made again, by store.',
    labelNames: ['store'],
    registers,
  })

  /** What each task had counted when it was last looked at: its counts go on from its state, those of this process begin at zero. */
  const counted = new Map<string, Pick<TaskProgress, 'events' | 'outcomes'>>()

  function countSince(p: TaskProgress): void {
    const before = counted.get(partitionKey(p))
    counted.set(partitionKey(p), { events: p.events, outcomes: p.outcomes })
    if (!before) return
    read.inc({ topic: p.topic }, p.events - before.events)
    for (const outcome of OUTCOMES)
      refused.inc({ topic: p.topic, outcome }, p.outcomes[outcome] - before.outcomes[outcome])
  }

  /** Another process tells of the partition from now on: two that tell of it would be summed. */
  function forget({ topic, partition }: TopicPartition): void {
    counted.delete(partitionKey({ topic, partition }))
    for (const each of [events, lag, watermark, live]) each.remove({ topic, partition })
    for (const outcome of OUTCOMES) outcomes.remove({ topic, partition, outcome })
  }

  return {
    restored(where, { nextOffset, fallbacks, startOffset, epoch, counts }) {
      counted.set(partitionKey(where), counts)
      const fields = { task: partitionKey(where), offset: startOffset, epoch }
      for (const fallback of fallbacks)
        logger.warn({ ...fields, fallback }, 'A checkpoint could not be used; an earlier state is taken')
      logger.debug(fields, nextOffset === null ? 'Task begins' : 'Task goes on from its checkpoint')
    },
    released(where) {
      forget(where)
      logger.debug({ task: partitionKey(where) }, 'Task handed back')
    },
    fenced(where) {
      forget(where)
      logger.warn({ task: partitionKey(where) }, 'Another process has taken the partition over; this one has let it go')
    },
    flushed(done) {
      flush.observe(done.seconds)
      lastFlush.set(clock.now() / 1000)
      rows.inc(done.rows)
      features.inc(done.features)
      for (const [topic, count] of Object.entries(done.announced)) announced.inc({ topic }, count)
      for (const p of done.progress) {
        countSince(p)
        const labels = { topic: p.topic, partition: p.partition }
        events.set(labels, p.events)
        lag.set(labels, Math.max(0, p.endOffset - p.nextOffset))
        live.set(labels, p.live ? 1 : 0)
        if (p.watermarkMs !== null) watermark.set(labels, p.watermarkMs / 1000)
        for (const outcome of OUTCOMES) outcomes.set({ ...labels, outcome }, p.outcomes[outcome])
      }
    },
    checkpointed(done) {
      checkpoint.observe(done.seconds)
      // Without a byte, all of them have failed.
      if (done.bytes > 0) checkpointed.set(clock.now() / 1000)
      checkpointBytes.inc(done.bytes)
    },
    checkpointFailed(where, error) {
      checkpointFailures.inc()
      logger.error(
        { task: partitionKey(where), err: error },
        'A checkpoint could not be written; the next one contains it',
      )
    },
    commitFailed(where, error) {
      logger.warn(
        { task: partitionKey(where), err: error },
        "The group's offset could not be committed; lag tools show an older one",
      )
    },
    retrying(store, error, delayMs) {
      retries.inc({ store })
      logger.warn({ store, err: error, delay_ms: delayMs }, 'A store did not answer; trying again')
    },
    featuresLost() {
      logger.warn({}, 'The feature store has lost its data; writing all features again')
    },
  }
}
