/**
 * The dashboards: what an operator sees, panel by panel. `UPDATE_DASHBOARDS=1 npx vitest run --project unit observability/grafana` writes their JSON.
 *
 * Business figures come from PostgreSQL, by a role that may only read results (`reader.sql`): revenue in Prometheus would be a sum of floats that a restart sets back to zero, and these are to
 * the cent. What is counted anyway, events and alerts, comes from Prometheus.
 */
import type { Dashboard, Panel, Query } from './dashboard.ts'

const promql = (expr: string, legend = ''): Query => ({ promql: expr, legend })
const sql = (text: string): Query => ({ sql: text.replace(/\s+/g, ' ').trim() })
const quantile = (q: number, name: string, by = '', where = ''): string =>
  `histogram_quantile(${q}, sum by (le${by && `, ${by}`}) (rate(${name}_bucket${where}[5m])))`

/** CPU, memory and the event loop of processes. */
const processes = (where: string): Panel[] => [
  {
    title: 'CPU',
    says: 'Cores in use. One JavaScript thread uses one; an embedded platform has three.',
    unit: 'none',
    queries: [promql(`rate(process_cpu_seconds_total${where}[5m])`, '{{component}} {{instance}}')],
  },
  {
    title: 'Memory',
    says: 'What the process has of the machine. The container limit must be above it.',
    unit: 'bytes',
    queries: [promql(`process_resident_memory_bytes${where}`, '{{component}} {{instance}}')],
  },
  {
    title: 'Event loop lag (p99)',
    says: 'How long work waits for its turn. Above a tenth of a second everything is slow.',
    unit: 's',
    queries: [promql(`nodejs_eventloop_lag_p99_seconds${where}`, '{{component}} {{instance}}')],
    thresholds: { warn: 0.1, bad: 0.5 },
  },
]

export const PIPELINE: Dashboard = {
  uid: 'streamforge-pipeline',
  title: 'StreamForge: pipeline',
  says: 'From the accepted event to the results: how many, how far behind, what is refused, what is waited for.',
  rows: [
    {
      title: 'Now',
      panels: [
        {
          title: 'Events per second',
          says: 'Read by the streams, over five minutes.',
          unit: 'ops',
          kind: 'stat',
          queries: [promql('sum(streamforge:streams_events:rate5m)')],
        },
        {
          title: 'Behind by',
          says: 'How long what waits in the log would take at the present speed.',
          unit: 's',
          kind: 'stat',
          queries: [promql('max(streamforge:streams_lag_seconds:estimate)')],
          thresholds: { warn: 10, bad: 60 },
          alert: 'StreamForgeStreamsLag',
        },
        {
          title: 'Last written',
          says: 'Since a process of the streams last wrote what it had computed: a second or two.',
          unit: 's',
          kind: 'stat',
          queries: [promql('max(streamforge:flush_age_seconds:max)')],
          thresholds: { warn: 15, bad: 60 },
          alert: 'StreamForgeStreamsLag',
        },
        {
          title: 'Checkpoint',
          says: 'Age of the oldest last checkpoint; it only grows while nothing is read.',
          unit: 's',
          kind: 'stat',
          queries: [promql('max(streamforge:checkpoint_age_seconds:max)')],
          thresholds: { warn: 120, bad: 300 },
          alert: 'StreamForgeCheckpointOld',
        },
        {
          title: 'Processes',
          says: 'That answer Prometheus.',
          unit: 'none',
          kind: 'stat',
          queries: [promql('sum(up{job=~"streamforge-.+"})')],
          alert: 'StreamForgeDown',
        },
        {
          title: 'Free disk',
          says: 'Of the data folder that has least.',
          unit: 'percentunit',
          kind: 'stat',
          queries: [promql('min(streamforge:data_disk_free:ratio)')],
          thresholds: { warn: 0.2, bad: 0.1 },
          alert: 'StreamForgeDiskFilling',
        },
      ],
    },
    {
      title: 'Events',
      panels: [
        {
          title: 'Accepted by the edge',
          says: 'Per second and topic.',
          unit: 'ops',
          queries: [promql('sum by (topic) (streamforge:ingest_events:rate5m{outcome="accepted"})', '{{topic}}')],
        },
        {
          title: 'Read by the streams',
          says: 'Per second and topic; after an outage more than is accepted, until the lag is gone.',
          unit: 'ops',
          queries: [promql('streamforge:streams_events:rate5m', '{{topic}}')],
        },
        {
          title: 'Lag',
          says: 'Records in the log that are not processed yet.',
          unit: 'short',
          queries: [promql('streamforge:streams_lag_records:sum', '{{topic}}')],
          thresholds: { warn: 1_000, bad: 100_000 },
          alert: 'StreamForgeStreamsLag',
        },
        {
          title: 'Watermark behind the clock',
          says: 'Results are final up to so long ago, ten seconds at best. It grows in topics that nobody sends to, where that is no fault.',
          unit: 's',
          queries: [promql('streamforge:watermark_delay_seconds:max', '{{topic}}')],
          alert: 'StreamForgeWatermarkStuck',
        },
        {
          title: 'Not applied',
          says: 'Late (once for each job), duplicate, and unreadable events per second. Duplicates are normal: clients send again.',
          unit: 'ops',
          queries: [promql('streamforge:streams_refusals:rate5m', '{{topic}} {{outcome}}')],
          alert: 'StreamForgeDeadLetters',
        },
        {
          title: 'Published',
          says: 'Alerts, late events and dead letters per second, by the topic they went to.',
          unit: 'ops',
          queries: [promql('sum by (topic) (rate(streamforge_streams_announced_total[5m]))', '{{topic}}')],
          isRare: true,
        },
      ],
    },
    {
      title: 'Writing',
      panels: [
        {
          title: 'Flush',
          says: 'Seconds to write what was computed: PostgreSQL, features, announcements.',
          unit: 's',
          queries: [
            promql(quantile(0.5, 'streamforge_streams_flush_duration_seconds'), 'p50'),
            promql(quantile(0.99, 'streamforge_streams_flush_duration_seconds'), 'p99'),
          ],
          thresholds: { warn: 1, bad: 10 },
        },
        {
          title: 'Checkpoint',
          says: 'Seconds to write the checkpoints of all partitions.',
          unit: 's',
          queries: [
            promql(quantile(0.5, 'streamforge_streams_checkpoint_duration_seconds'), 'p50'),
            promql(quantile(0.99, 'streamforge_streams_checkpoint_duration_seconds'), 'p99'),
          ],
          alert: 'StreamForgeCheckpointOld',
        },
        {
          title: 'Bytes of checkpoints',
          says: 'Per second: what changes in the state.',
          unit: 'Bps',
          queries: [promql('sum(rate(streamforge_streams_checkpoint_bytes_total[5m]))', 'written')],
        },
        {
          title: 'Rows and features',
          says: 'Written per second.',
          unit: 'ops',
          queries: [
            promql('sum(rate(streamforge_streams_rows_written_total[5m]))', 'rows to PostgreSQL'),
            promql('sum(rate(streamforge_streams_features_written_total[5m]))', 'features'),
          ],
        },
        {
          title: 'Stores of the streams (p99)',
          says: 'Seconds of a call, by store and what it is asked for.',
          unit: 's',
          queries: [promql('streamforge:store_call_seconds:p99_5m{component="streams"}', '{{store}} {{operation}}')],
          thresholds: { warn: 1, bad: 5 },
        },
        {
          title: 'Retries and errors',
          says: 'Calls to stores that failed per second; those of streams and lake-writer are made again until they succeed.',
          unit: 'ops',
          queries: [
            promql('streamforge:store_retries:rate5m', '{{component}} waits for {{store}}'),
            promql('streamforge:store_errors:rate5m > 0', '{{component}} {{store}} {{operation}} fails'),
            promql(
              'sum by (component, operation) (rate(streamforge_redis_errors_total[5m]))',
              '{{component}} Redis {{operation}} fails',
            ),
          ],
          alert: 'StreamForgeStoreRetries',
          isRare: true,
        },
      ],
    },
    {
      title: 'Lake',
      panels: [
        {
          title: 'Rows committed',
          says: 'Per second and table.',
          unit: 'ops',
          queries: [promql('sum by (table) (rate(streamforge_lake_rows_total[5m]))', '{{table}}')],
        },
        {
          title: 'Lag of the tables',
          says: 'Records in the log that are not in the table yet; falls to nothing with each commit.',
          unit: 'short',
          queries: [promql('max by (table) (streamforge_lake_lag_records)', '{{table}}')],
          alert: 'StreamForgeLakeBehind',
        },
        {
          title: 'Last commit',
          says: 'How long ago; tables without new records wait.',
          unit: 's',
          queries: [promql('time() - max by (table) (streamforge_lake_last_commit_timestamp_seconds)', '{{table}}')],
          alert: 'StreamForgeLakeBehind',
        },
        {
          title: 'Commit (p95)',
          says: 'Seconds from what was read to the commit.',
          unit: 's',
          queries: [promql(quantile(0.95, 'streamforge_lake_commit_duration_seconds', 'table'), '{{table}}')],
        },
        {
          title: 'Files',
          says: 'Data files per hour; compaction makes few of many.',
          unit: 'short',
          queries: [promql('sum by (table) (increase(streamforge_lake_files_total[1h]))', '{{table}}')],
        },
        {
          title: 'Commits that failed or were refused',
          says: 'And records that retention removed before they were written, which should never be.',
          unit: 'short',
          queries: [
            promql('sum by (table) (increase(streamforge_lake_failures_total[15m]))', '{{table}} failed'),
            promql('sum by (table) (increase(streamforge_lake_refused_commits_total[15m]))', '{{table}} refused'),
            promql('sum by (table) (increase(streamforge_lake_lost_records_total[15m]))', '{{table}} lost'),
          ],
          isRare: true,
        },
      ],
    },
    {
      title: 'Followed databases',
      panels: [
        {
          title: 'Changes',
          says: 'Per second and topic, of tables that are followed.',
          unit: 'ops',
          queries: [promql('sum by (topic) (rate(streamforge_cdc_records_total[5m]))', '{{topic}}')],
          isRare: true,
        },
        {
          title: 'WAL that waits',
          says: 'Kept by the database until its changes are in the log.',
          unit: 'bytes',
          queries: [promql('streamforge_cdc_lag_bytes', '{{instance}}')],
          alert: 'StreamForgeChangesBehind',
          isRare: true,
        },
        {
          title: 'Slot lost',
          says: '1: changes are gone, and every row has to be read anew.',
          unit: 'none',
          queries: [promql('streamforge_cdc_slot_lost', '{{instance}}')],
          alert: 'StreamForgeChangesLost',
          isRare: true,
        },
      ],
    },
    {
      title: 'Processes',
      panels: [
        ...processes(''),
        {
          title: 'Free disk',
          says: 'Of the file systems that data folders are on.',
          unit: 'bytes',
          queries: [promql('streamforge_data_disk_free_bytes', '{{component}} {{instance}}')],
          alert: 'StreamForgeDiskFilling',
        },
        {
          title: 'Versions',
          says: 'Which runs where; more than one only during an upgrade.',
          unit: 'none',
          kind: 'table',
          queries: [
            promql('count by (component, version, node) (streamforge_build_info)', '{{component}} {{version}}'),
          ],
        },
        {
          title: 'Spans lost',
          says: 'In five minutes; only with tracing.',
          unit: 'short',
          queries: [
            promql(
              'sum by (component, reason) (increase(streamforge_trace_spans_dropped_total[5m]))',
              '{{component}} {{reason}}',
            ),
          ],
          alert: 'StreamForgeTracesDropped',
          isRare: true,
        },
      ],
    },
  ],
}

const EDGE_ONLY = '{component="edge"}'
const SECONDS = 'streamforge_http_request_duration_seconds'

export const EDGE: Dashboard = {
  uid: 'streamforge-edge',
  title: 'StreamForge: edge',
  says: 'HTTP: requests, errors, durations, and what is taken on at once.',
  rows: [
    {
      title: 'Requests',
      panels: [
        {
          title: 'Requests per second',
          says: 'By status.',
          unit: 'ops',
          queries: [promql('sum by (status) (streamforge:http_requests:rate5m)', '{{status}}')],
        },
        {
          title: 'Errors',
          says: 'Share of requests that were answered by 5xx. A POST that is told to come back is not one.',
          unit: 'percentunit',
          queries: [promql('streamforge:http_errors:ratio5m', 'errors')],
          thresholds: { warn: 0.005, bad: 0.02 },
          alert: 'StreamForgeHighErrorRate',
        },
        {
          title: 'Duration',
          says: 'Seconds to the head of the answer, over all routes.',
          unit: 's',
          queries: [0.5, 0.95, 0.99].map((q) =>
            promql(quantile(q, SECONDS), `p${q * 100}`),
          ) as unknown as Panel['queries'],
          thresholds: { warn: 0.5, bad: 1 },
        },
        {
          title: 'Duration by route (p99)',
          says: 'Which question is slow.',
          unit: 's',
          queries: [promql('streamforge:http_request_seconds:p99_5m', '{{route}}')],
          thresholds: { warn: 0.5, bad: 1 },
          alert: 'StreamForgeSlowRequests',
        },
        {
          title: 'Requests by route',
          says: 'Per second.',
          unit: 'ops',
          queries: [promql('sum by (method, route) (streamforge:http_requests:rate5m)', '{{method}} {{route}}')],
        },
        {
          title: 'Errors by route',
          says: 'Per second.',
          unit: 'ops',
          queries: [
            promql('sum by (route, status) (streamforge:http_requests:rate5m{status=~"5.."})', '{{route}} {{status}}'),
          ],
          alert: 'StreamForgeHighErrorRate',
          isRare: true,
        },
      ],
    },
    {
      title: 'Ingestion',
      panels: [
        {
          title: 'Events by verdict',
          says: 'Per second: accepted, duplicate, or why refused.',
          unit: 'ops',
          queries: [promql('sum by (outcome) (streamforge:ingest_events:rate5m)', '{{outcome}}')],
        },
        {
          title: 'Turned away',
          says: 'Share of POST requests that were told to come back in a second (503).',
          unit: 'percentunit',
          queries: [promql('streamforge:http_turned_away:ratio5m', 'turned away')],
          thresholds: { warn: 0.001, bad: 0.01 },
          alert: 'StreamForgeIngestPressure',
        },
        {
          title: 'In flight',
          says: 'Ingest requests being read or appended; 512 at most.',
          unit: 'short',
          queries: [promql('streamforge_ingest_requests_in_flight', '{{instance}}')],
          thresholds: { warn: 400, bad: 512 },
        },
        {
          title: 'Bodies in memory',
          says: '64 MB at most.',
          unit: 'bytes',
          queries: [promql('streamforge_ingest_bytes_in_flight', '{{instance}}')],
        },
        {
          title: 'Clients of the live stream',
          says: 'Dashboards that are open.',
          unit: 'short',
          queries: [promql('streamforge_live_clients', '{{instance}}')],
        },
        {
          title: 'Stores of the edge (p99)',
          says: 'Seconds of a call, by store and what it is asked for.',
          unit: 's',
          queries: [promql('streamforge:store_call_seconds:p99_5m{component="edge"}', '{{store}} {{operation}}')],
          thresholds: { warn: 0.5, bad: 2 },
        },
      ],
    },
    { title: 'Process', panels: processes(EDGE_ONLY) },
  ],
}

export const BATCH: Dashboard = {
  uid: 'streamforge-batch',
  title: 'StreamForge: batch',
  says: 'Workflows: what runs, what fails, whether the data is right.',
  rows: [
    {
      title: 'Workers',
      panels: [
        {
          title: 'Temporal answers',
          says: '1: each worker reaches it.',
          unit: 'none',
          kind: 'stat',
          queries: [promql('min(streamforge_worker_temporal_up)')],
          thresholds: { warn: 1, bad: 0.5 },
          alert: 'StreamForgeTemporalAway',
        },
        {
          title: 'Running',
          says: 'Activities that run now.',
          unit: 'none',
          kind: 'stat',
          queries: [promql('sum(streamforge_workflow_activities_running)')],
        },
        {
          title: 'Slots',
          says: 'Activities that can run at once.',
          unit: 'none',
          kind: 'stat',
          queries: [promql('sum(streamforge_workflow_activity_slots)')],
        },
        {
          title: 'Unexplained',
          says: 'Differences that the last reconciliation could not explain.',
          unit: 'none',
          kind: 'stat',
          queries: [promql('max(streamforge_reconciliation_unexplained)')],
          thresholds: { warn: 0.5, bad: 1 },
          alert: 'StreamForgeReconciliationIncident',
        },
        {
          title: 'Failed gates',
          says: 'Of the last runs of the stages.',
          unit: 'none',
          kind: 'stat',
          queries: [promql('sum(streamforge_quality_failed_gates) or vector(0)')],
          thresholds: { warn: 0.5, bad: 1 },
          alert: 'StreamForgeQualityGateFailed',
        },
        {
          title: 'Last reconciliation',
          says: 'How long ago a worker that still runs ended one.',
          unit: 's',
          kind: 'stat',
          queries: [promql('time() - max(streamforge_reconciliation_timestamp_seconds > 0)')],
          isRare: true,
        },
      ],
    },
    {
      title: 'Activities',
      panels: [
        {
          title: 'Ended',
          says: 'Attempts in a quarter of an hour, by outcome.',
          unit: 'short',
          queries: [promql('sum by (outcome) (increase(streamforge_workflow_activities_total[15m]))', '{{outcome}}')],
        },
        {
          title: 'Failed',
          says: 'By activity; they are made again by themselves.',
          unit: 'short',
          queries: [
            promql(
              'sum by (activity) (increase(streamforge_workflow_activities_total{outcome="failed"}[15m]))',
              '{{activity}}',
            ),
          ],
          thresholds: { warn: 1, bad: 3 },
          alert: 'StreamForgeActivitiesFailing',
          isRare: true,
        },
        {
          title: 'Duration (p95)',
          says: 'By activity, over an hour.',
          unit: 's',
          queries: [
            promql(
              'histogram_quantile(0.95, sum by (le, activity) (rate(streamforge_workflow_activity_duration_seconds_bucket[1h])))',
              '{{activity}}',
            ),
          ],
        },
      ],
    },
    {
      title: 'Data',
      panels: [
        {
          title: 'Quality checks',
          says: 'In six hours, by stage and outcome.',
          unit: 'short',
          queries: [
            promql('sum by (stage, outcome) (increase(streamforge_quality_checks_total[6h]))', '{{stage}} {{outcome}}'),
          ],
          alert: 'StreamForgeQualityGateFailed',
          isRare: true,
        },
        {
          title: 'Reconciliations',
          says: 'In a day, by outcome.',
          unit: 'short',
          queries: [promql('sum by (outcome) (increase(streamforge_reconciliations_total[1d]))', '{{outcome}}')],
          alert: 'StreamForgeReconciliationIncident',
          isRare: true,
        },
        {
          title: 'Why live results differ',
          says: 'Records by cause, of the last reconciliation; and what nothing explains, in minor units.',
          unit: 'short',
          queries: [
            promql('max by (cause) (streamforge_reconciliation_explained_records)', '{{cause}}'),
            promql('max by (currency) (streamforge_reconciliation_unexplained_minor)', 'unexplained {{currency}}'),
          ],
          isRare: true,
        },
        {
          title: 'Last runs',
          says: 'Of each workflow, as its workers copied it from Temporal.',
          unit: 'none',
          kind: 'table',
          queries: [
            sql(`SELECT DISTINCT ON (workflow) workflow, status, started_at, round(extract(epoch FROM closed_at - started_at)::numeric, 1) AS seconds, failure
              FROM pipeline_runs ORDER BY workflow, started_at DESC`),
          ],
        },
        {
          title: 'Schedules',
          says: 'What runs by itself, and when next.',
          unit: 'none',
          kind: 'table',
          queries: [
            sql(
              'SELECT schedule_id AS schedule, workflow, paused, next_at AS next, note FROM pipeline_schedules ORDER BY next_at',
            ),
          ],
        },
      ],
    },
    { title: 'Worker processes', panels: processes('{component="worker"}') },
  ],
}

/** Of the commonest currencies that have other than two decimals, as streams/contract/money.ts counts them. */
export const WITHOUT_DECIMALS = ['CLP', 'ISK', 'JPY', 'KRW', 'PYG', 'UGX', 'VND', 'XAF', 'XOF', 'XPF']
export const THREE_DECIMALS = ['BHD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND']
const listed = (currencies: readonly string[]): string => currencies.map((currency) => `'${currency}'`).join(', ')
const major = (minor: string): string =>
  `sum(${minor} / CASE WHEN currency IN (${listed(WITHOUT_DECIMALS)}) THEN 1.0 WHEN currency IN (${listed(THREE_DECIMALS)}) THEN 1000.0 ELSE 100.0 END)`
const IN_RANGE = '$__timeFilter(window_start)'

export const BUSINESS: Dashboard = {
  uid: 'streamforge-business',
  title: 'StreamForge: business',
  says: 'Revenue, orders, sessions, fraud and trips, by event time, from the live results in PostgreSQL; the newest minutes are provisional.',
  rows: [
    {
      title: 'In this time',
      panels: [
        {
          title: 'Revenue',
          says: 'Less refunds, by currency.',
          unit: 'none',
          kind: 'table',
          queries: [
            sql(`SELECT currency, round(${major('(revenue_minor - refunded_minor)')}, 2) AS revenue, sum(orders) AS orders, sum(refunds) AS refunds
              FROM revenue_by_minute WHERE ${IN_RANGE} GROUP BY currency ORDER BY orders DESC`),
          ],
        },
        {
          title: 'Categories',
          says: 'By orders, the first twenty.',
          unit: 'none',
          kind: 'table',
          queries: [
            sql(`SELECT category, currency, sum(orders) AS orders, round(${major('(revenue_minor - refunded_minor)')}, 2) AS revenue
              FROM revenue_by_minute WHERE ${IN_RANGE} GROUP BY category, currency ORDER BY orders DESC LIMIT 20`),
          ],
        },
      ],
    },
    {
      title: 'Over time',
      panels: [
        {
          title: 'Revenue per minute',
          says: 'Less refunds, by currency.',
          unit: 'none',
          queries: [
            sql(`SELECT window_start AS time, currency AS metric, ${major('(revenue_minor - refunded_minor)')} AS value
              FROM revenue_by_minute WHERE ${IN_RANGE} GROUP BY window_start, currency ORDER BY window_start`),
          ],
        },
        {
          title: 'Orders per minute',
          says: 'That succeeded, and refunds.',
          unit: 'short',
          queries: [
            sql(`SELECT window_start AS time, sum(orders) AS orders, sum(refunds) AS refunds
              FROM revenue_by_minute WHERE ${IN_RANGE} GROUP BY window_start ORDER BY window_start`),
          ],
        },
        {
          title: 'Clickstream per minute',
          says: 'By type of event.',
          unit: 'short',
          queries: [
            sql(`SELECT window_start AS time, event_type AS metric, sum(events) AS value
              FROM traffic_by_minute WHERE ${IN_RANGE} GROUP BY window_start, event_type ORDER BY window_start`),
          ],
        },
        {
          title: 'Sessions',
          says: 'That began in a minute, and those of them with a purchase.',
          unit: 'short',
          queries: [
            sql(`SELECT date_trunc('minute', started_at) AS time, count(*) AS sessions, count(*) FILTER (WHERE purchases > 0) AS converted
              FROM sessions WHERE $__timeFilter(started_at) AND merged_into IS NULL GROUP BY 1 ORDER BY 1`),
          ],
        },
        {
          title: 'Trips per minute',
          says: 'That were completed.',
          unit: 'short',
          queries: [
            sql(`SELECT window_start AS time, sum(trips) AS trips
              FROM trips_by_region WHERE "window" = '1m' AND ${IN_RANGE} GROUP BY window_start ORDER BY window_start`),
          ],
        },
        {
          title: 'Events accepted',
          says: 'Per second and topic, as the edge counts them.',
          unit: 'ops',
          queries: [promql('sum by (topic) (streamforge:ingest_events:rate5m{outcome="accepted"})', '{{topic}}')],
        },
      ],
    },
    {
      title: 'Fraud',
      panels: [
        {
          title: 'Alerts published',
          says: 'In an hour, amendments included.',
          unit: 'short',
          queries: [promql('sum(increase(streamforge_streams_announced_total{topic="alerts.fraud"}[1h]))', 'alerts')],
          isRare: true,
        },
        {
          title: 'Newest alerts',
          says: "With what the orders come to; the evidence is on the platform's own dashboard. Users are not named here.",
          unit: 'none',
          kind: 'table',
          queries: [
            sql(`SELECT triggered_at, rule_id, state, total_minor, currency, alert_id
              FROM fraud_alerts WHERE $__timeFilter(triggered_at) ORDER BY triggered_at DESC LIMIT 50`),
          ],
          isRare: true,
        },
      ],
    },
  ],
}

export const DASHBOARDS: readonly Dashboard[] = [PIPELINE, BUSINESS, EDGE, BATCH]
