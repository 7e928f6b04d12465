/**
 * The metrics that the platform promises, on one page: what rules and dashboards may use, and what docs/metrics.md lists.
 *
 * Invariant: this and the code are the same. A test holds the registries of every component to it, name by name; another the text that a running platform serves; another what Prometheus' rules
 * and Grafana's dashboards ask for. So a metric that is renamed or taken away breaks a test, not somebody's dashboard.
 */
export const COMPONENTS = ['edge', 'streams', 'lake-writer', 'worker', 'cdc'] as const
export type Component = (typeof COMPONENTS)[number]

export interface MetricPromise {
  type: 'counter' | 'gauge' | 'histogram'
  /** Beside `component`, which all have. */
  labels: readonly Label[]
  components: readonly Component[]
  /** Missing: always, or as soon as there was something to count. */
  only?:
    | 'with Redis'
    | 'with foreign topics'
    | 'with change data capture'
    | 'with tracing'
    | 'after its workflow has run'
    | 'after trouble'
}

/** What bounds each label's values; nothing that a client can make up is one. */
export const LABELS = {
  component: { says: 'the part of the platform', max: COMPONENTS.length },
  method: { says: 'HTTP methods, `other` for what is none', max: 8 },
  route: { says: 'patterns of routes, `unmatched` for paths that none has', max: 150 },
  status: { says: 'HTTP statuses', max: 40 },
  topic: { says: "the log's topics, and foreign ones that are configured", max: 60 },
  partition: { says: 'partitions of those', max: 1_000 },
  outcome: { says: 'what became of it, from a closed list', max: 20 },
  store: { says: 'stores, by name', max: 12 },
  operation: { says: 'what a store is asked for, as the code names it', max: 60 },
  table: { says: 'tables that the lake-writer fills', max: 10 },
  activity: { says: 'activities of the workflows', max: 60 },
  stage: { says: 'stages of the daily aggregation', max: 3 },
  reason: { says: 'why a span was lost: queue_full, export_failed', max: 2 },
  cause: { says: 'why results differ, from a closed list', max: 12 },
  currency: { says: 'the ten currencies that are off by most', max: 10 },
  version: { says: 'of StreamForge', max: 1 },
  node: { says: 'of Node', max: 1 },
} as const satisfies Record<string, { says: string; max: number }>
export type Label = keyof typeof LABELS

const counter = (components: readonly Component[], ...labels: Label[]): MetricPromise => ({
  type: 'counter',
  labels,
  components,
})
const gauge = (components: readonly Component[], ...labels: Label[]): MetricPromise => ({
  type: 'gauge',
  labels,
  components,
})
const histogram = (components: readonly Component[], ...labels: Label[]): MetricPromise => ({
  type: 'histogram',
  labels,
  components,
})

const EDGE = ['edge'] as const
const STREAMS = ['streams'] as const
const LAKE = ['lake-writer'] as const
const WORKER = ['worker'] as const
const CDC = ['cdc'] as const
const PROCESSES = COMPONENTS
const STORES = ['edge', 'streams'] as const

export const METRICS: Readonly<Record<string, MetricPromise>> = {
  streamforge_http_requests_total: counter(EDGE, 'method', 'route', 'status'),
  streamforge_http_request_duration_seconds: histogram(EDGE, 'method', 'route'),
  streamforge_ingest_events_total: counter(EDGE, 'topic', 'outcome'),
  streamforge_ingest_requests_in_flight: gauge(EDGE),
  streamforge_ingest_bytes_in_flight: gauge(EDGE),
  streamforge_live_clients: gauge(EDGE),

  streamforge_streams_processed_events_total: counter(STREAMS, 'topic'),
  streamforge_streams_refusals_total: counter(STREAMS, 'topic', 'outcome'),
  streamforge_streams_events: gauge(STREAMS, 'topic', 'partition'),
  streamforge_streams_refused_events: gauge(STREAMS, 'topic', 'partition', 'outcome'),
  streamforge_streams_lag_records: gauge(STREAMS, 'topic', 'partition'),
  streamforge_streams_watermark_timestamp_seconds: gauge(STREAMS, 'topic', 'partition'),
  streamforge_streams_live: gauge(STREAMS, 'topic', 'partition'),
  streamforge_streams_flush_duration_seconds: histogram(STREAMS),
  streamforge_streams_last_flush_timestamp_seconds: gauge(STREAMS),
  streamforge_streams_rows_written_total: counter(STREAMS),
  streamforge_streams_features_written_total: counter(STREAMS),
  streamforge_streams_announced_total: counter(STREAMS, 'topic'),
  streamforge_streams_checkpoint_duration_seconds: histogram(STREAMS),
  streamforge_streams_checkpoint_bytes_total: counter(STREAMS),
  streamforge_streams_checkpoint_failures_total: counter(STREAMS),
  streamforge_streams_last_checkpoint_timestamp_seconds: gauge(STREAMS),
  streamforge_streams_retries_total: { ...counter(STREAMS, 'store'), only: 'after trouble' },
  streamforge_foreign_records_total: { ...counter(STREAMS, 'topic', 'outcome'), only: 'with foreign topics' },
  streamforge_foreign_lag_records: { ...gauge(STREAMS, 'topic', 'partition'), only: 'with foreign topics' },
  streamforge_foreign_retries_total: { ...counter(STREAMS, 'store'), only: 'with foreign topics' },

  streamforge_cdc_projection_records_total: {
    ...counter(STREAMS, 'topic', 'outcome'),
    only: 'with change data capture',
  },
  streamforge_cdc_projection_lag_records: { ...gauge(STREAMS, 'topic', 'partition'), only: 'with change data capture' },
  streamforge_cdc_projection_retries_total: { ...counter(STREAMS, 'store'), only: 'with change data capture' },

  streamforge_store_call_duration_seconds: histogram(STORES, 'store', 'operation'),
  streamforge_store_errors_total: counter(STORES, 'store', 'operation'),
  streamforge_redis_errors_total: { ...counter(STORES, 'operation'), only: 'with Redis' },

  streamforge_lake_rows_total: counter(LAKE, 'table'),
  streamforge_lake_commits_total: counter(LAKE, 'table'),
  streamforge_lake_files_total: counter(LAKE, 'table'),
  streamforge_lake_commit_duration_seconds: histogram(LAKE, 'table'),
  streamforge_lake_lag_records: gauge(LAKE, 'table'),
  streamforge_lake_last_commit_timestamp_seconds: gauge(LAKE, 'table'),
  streamforge_lake_undecodable_records_total: { ...counter(LAKE, 'table'), only: 'after trouble' },
  streamforge_lake_lost_records_total: { ...counter(LAKE, 'table'), only: 'after trouble' },
  streamforge_lake_refused_commits_total: { ...counter(LAKE, 'table'), only: 'after trouble' },
  streamforge_lake_failures_total: { ...counter(LAKE, 'table'), only: 'after trouble' },
  streamforge_lake_retries_total: { ...counter(LAKE, 'table', 'store'), only: 'after trouble' },

  streamforge_cdc_records_total: counter(CDC, 'topic'),
  streamforge_cdc_snapshot_rows_total: counter(CDC, 'topic'),
  streamforge_cdc_skipped_records_total: counter(CDC),
  streamforge_cdc_lag_bytes: gauge(CDC),
  streamforge_cdc_last_change_timestamp_seconds: gauge(CDC),
  streamforge_cdc_acknowledged_timestamp_seconds: gauge(CDC),
  streamforge_cdc_slot_lost: gauge(CDC),
  streamforge_cdc_retries_total: counter(CDC),

  streamforge_worker_temporal_up: gauge(WORKER),
  streamforge_workflow_activities_total: counter(WORKER, 'activity', 'outcome'),
  streamforge_workflow_activity_duration_seconds: histogram(WORKER, 'activity'),
  streamforge_workflow_activities_running: gauge(WORKER),
  streamforge_workflow_activity_slots: gauge(WORKER),
  streamforge_quality_checks_total: { ...counter(WORKER, 'stage', 'outcome'), only: 'after its workflow has run' },
  streamforge_quality_failed_gates: { ...gauge(WORKER, 'stage'), only: 'after its workflow has run' },
  streamforge_reconciliations_total: { ...counter(WORKER, 'outcome'), only: 'after its workflow has run' },
  streamforge_reconciliation_unexplained: gauge(WORKER),
  streamforge_reconciliation_unexplained_minor: { ...gauge(WORKER, 'currency'), only: 'after its workflow has run' },
  streamforge_reconciliation_explained_records: { ...gauge(WORKER, 'cause'), only: 'after its workflow has run' },
  streamforge_reconciliation_timestamp_seconds: gauge(WORKER),

  streamforge_trace_spans_dropped_total: { ...counter(PROCESSES, 'reason'), only: 'with tracing' },
  streamforge_build_info: gauge(PROCESSES, 'version', 'node'),
  streamforge_data_disk_free_bytes: gauge(PROCESSES),
  streamforge_data_disk_size_bytes: gauge(PROCESSES),
  process_cpu_seconds_total: counter(PROCESSES),
  process_resident_memory_bytes: gauge(PROCESSES),
  process_start_time_seconds: gauge(PROCESSES),
  nodejs_heap_size_used_bytes: gauge(PROCESSES),
  nodejs_eventloop_lag_p99_seconds: gauge(PROCESSES),
}

/** Of a name as Prometheus has it: a histogram has three. @returns undefined for one that nobody promises */
export function promiseOf(sample: string): MetricPromise | undefined {
  const family = METRICS[sample]
  if (family) return family
  const histogram = METRICS[sample.replace(/_(bucket|sum|count)$/, '')]
  return histogram?.type === 'histogram' ? histogram : undefined
}
