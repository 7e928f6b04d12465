/**
 * What the edge needs from outside, as interfaces. `edge/main.ts` composes the real ones; tests bring their own.
 * The queries' row types are those of `db/postgres/queries`, which implement {@link MetricReader}.
 */
import type { FeatureReader } from '../db/features/feature-store.ts'
import type { SchemaRegistry } from '../streams/contract/codec.ts'
import type { EventLog } from '../streams/log/event-log.ts'
import type { Clock } from '../streams/time/clock.ts'

/** The part of the log that the edge uses. */
export type AppendLog = Pick<EventLog, 'append'>
export type { Clock, FeatureReader, SchemaRegistry }

/** Metrics of other threads of this process in Prometheus' text form, e.g. the embedded streams. */
export interface MetricSource {
  text(): Promise<string>
}
