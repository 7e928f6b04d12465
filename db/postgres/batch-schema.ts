/**
 * The tables of the batch layer: what its workflows found, did and publish. Written by the activities of workflows/, read by the edge; the streams know none of them.
 *
 * Invariant: changes come as migrations only, as for schema.ts beside.
 */
import { sql } from 'drizzle-orm'
import {
  boolean,
  date,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { epochMs, integer64 } from './columns.ts'

/** One row per stage of a day that a workflow's run has checked. `id` follows from the run, so that an attempt made again finds what the first has stored. */
export const quality_runs = pgTable(
  'quality_runs',
  {
    id: text().primaryKey(),
    day: date().notNull(),
    stage: text().notNull(),
    outcome: text().$type<'passed' | 'failed'>().notNull(),
    /** Counts by outcome of the checks; `failed` are gates, `warned` are not. */
    passed: integer().notNull(),
    warned: integer().notNull(),
    failed: integer().notNull(),
    skipped: integer().notNull(),
    engine: text().notNull(),
    workflow_id: text().notNull(),
    workflow_run_id: text().notNull(),
    started_at: epochMs().notNull(),
    finished_at: epochMs().notNull(),
  },
  (t) => [
    index('quality_runs_by_day').on(t.day, t.stage, t.finished_at, t.id),
    index('quality_runs_by_age').on(t.finished_at),
  ],
)

/** One row per check of a run, in the order of `ordinal`. */
export const quality_results = pgTable(
  'quality_results',
  {
    run_id: text()
      .notNull()
      .references(() => quality_runs.id, { onDelete: 'cascade' }),
    ordinal: integer().notNull(),
    /** Its name, the same in every run. */
    check_name: text().notNull(),
    table_name: text().notNull(),
    kind: text().notNull(),
    severity: text().$type<'error' | 'warn'>().notNull(),
    outcome: text().$type<'passed' | 'failed' | 'skipped'>().notNull(),
    /** A number, or a text where there is none; null: nothing was there to be observed. */
    observed: jsonb().$type<number | string | null>(),
    expected: text().notNull(),
    /** What is expected and why; of a skipped check also what kept it from being run. */
    reason: text().notNull(),
    sample: jsonb().$type<Record<string, unknown>[]>().notNull(),
    duration_ms: integer64().notNull(),
  },
  (t) => [
    primaryKey({ name: 'quality_results_key', columns: [t.run_id, t.ordinal] }),
    index('quality_results_by_check').on(t.check_name, t.run_id),
  ],
)

/** `running` is what a worker does, or will do when there is one; all but `done` go on where they stopped when the same file is imported again. */
export type ImportState = 'running' | 'done' | 'cancelled' | 'failed'

/**
 * Files that were imported into the lake. The rows of import N have the partition −N there. How far one has come is what the lake's tables say; the counts here are for people, and
 * may be a commit behind.
 */
export const imports = pgTable(
  'imports',
  {
    id: integer().generatedAlwaysAsIdentity().primaryKey(),
    name: text().notNull(),
    /** Where it was: below the import folder, or a key of the object store. */
    file: text().notNull(),
    sha256: text().notNull(),
    bytes: integer64().notNull(),
    modified_at: epochMs().notNull(),
    /** A preset's name, or what a mapping file says. */
    mapping: jsonb().$type<string | Record<string, unknown>>().notNull(),
    mapping_identity: text().notNull(),
    /** Of the amounts that name none; part of what the rows are, so it stays. */
    currency: text().notNull(),
    table_name: text().notNull(),
    state: text().$type<ImportState>().notNull(),
    rows_read: integer64().notNull().default(0),
    rows_imported: integer64().notNull().default(0),
    rows_rejected: integer64().notNull().default(0),
    /** Why it failed. */
    message: text(),
    workflow_id: text().notNull(),
    /** The first run of the chain that works on it. */
    run_id: text().notNull(),
    created_at: epochMs().notNull(),
    updated_at: epochMs().notNull(),
    finished_at: epochMs(),
  },
  (t) => [
    index('imports_by_content').on(t.sha256, t.mapping_identity),
    // Of one content at most one import is unfinished: whoever asks for it again goes on with that.
    uniqueIndex('imports_unfinished').on(t.sha256, t.mapping_identity).where(sql`${t.state} <> 'done'`),
  ],
)

/** `lost`: it was running when Temporal was last asked, and Temporal knows it no longer. */
export const PIPELINE_RUN_STATUSES = [
  'running',
  'completed',
  'failed',
  'timed_out',
  'cancelled',
  'terminated',
  'continued_as_new',
  'lost',
] as const
export type PipelineRunStatus = (typeof PIPELINE_RUN_STATUSES)[number]

/** Runs of workflows, copied from Temporal by its workers: so readers need no Temporal, and history outlives Temporal's retention. A closed run never changes. */
export const pipeline_runs = pgTable(
  'pipeline_runs',
  {
    run_id: text().primaryKey(),
    task_queue: text().notNull(),
    workflow_id: text().notNull(),
    /** Its name, e.g. `dailyAggregation`. */
    workflow: text().notNull(),
    status: text().$type<PipelineRunStatus>().notNull(),
    started_at: epochMs().notNull(),
    /** Null while it runs. */
    closed_at: epochMs(),
    /** When its schedule meant it to start, and which that is; null: started by hand, or by another run. */
    scheduled_at: epochMs(),
    schedule_id: text(),
    parent_id: text(),
    parent_run_id: text(),
    /** What it tells of itself: date, table, job, … Plain values only. */
    memo: jsonb().$type<Record<string, string | number | boolean>>().notNull(),
    /** The memo's date: the day that it is about. */
    day: date(),
    /** Of one that ended badly: the innermost cause, a sentence. */
    failure: text(),
  },
  (t) => [
    index('pipeline_runs_by_workflow').on(t.task_queue, t.workflow, t.started_at),
    index('pipeline_runs_open').on(t.task_queue).where(sql`${t.closed_at} IS NULL`),
    index('pipeline_runs_by_day').on(t.task_queue, t.workflow, t.day).where(sql`${t.status} = 'completed'`),
  ],
)

/** Temporal's schedules of a task queue's workflows, as last seen. */
export const pipeline_schedules = pgTable('pipeline_schedules', {
  schedule_id: text().primaryKey(),
  task_queue: text().notNull(),
  workflow: text().notNull(),
  note: text().notNull(),
  paused: boolean().notNull(),
  /** Null: it will not start anything again. */
  next_at: epochMs(),
  /** Between its next two runs; null: there are no two. */
  period_ms: integer64(),
  /** When it was first seen. */
  created_at: epochMs().notNull(),
})

/** One row per task queue: where its Temporal is, and how far its runs have been copied. */
export const pipeline_mirror = pgTable('pipeline_mirror', {
  task_queue: text().primaryKey(),
  namespace: text().notNull(),
  /** Of Temporal's UI, without a slash at its end; null: unknown. */
  ui_url: text(),
  /** When a worker last took its turn to look. */
  looked_at: epochMs().notNull(),
  /** Since when workers have been looking, without a gap. */
  since: epochMs().notNull(),
  /** When the last look came to its end. */
  mirrored_at: epochMs(),
  /** Runs that were closed before have been copied. */
  closed_to: epochMs(),
  /** When a worker last stopped as it was asked to, and none has looked since. */
  left_at: epochMs(),
})

/** Of one currency, in its minor units. */
export interface DayRevenue {
  orders: number
  refunds: number
  gross_minor: number
  refunded_minor: number
  net_minor: number
  /** Gross per successful order, rounded; null where there was none. */
  average_order_minor: number | null
}

const amount = () => integer64().notNull()

/** The figures of a day, as the metrics tables of the lake have them: replaced as a whole when the day is published. */
export const daily_kpis = pgTable('daily_kpis', {
  day: date().primaryKey(),
  events: amount(),
  page_views: amount(),
  users: amount(),
  /** Visits by the 30-minute rule; one that goes on past midnight is one of each day. */
  sessions: amount(),
  converted_sessions: amount(),
  /** Of the sessions; null where there were none. */
  conversion_rate: doublePrecision(),
  orders: amount(),
  failed_orders: amount(),
  refunds: amount(),
  customers: amount(),
  trips: amount(),
  /** By currency. */
  revenue: jsonb().$type<Record<string, DayRevenue>>().notNull(),
  published_at: epochMs().notNull(),
})

export const daily_revenue_by_category = pgTable(
  'daily_revenue_by_category',
  {
    day: date().notNull(),
    category: text().notNull(),
    currency: text().notNull(),
    orders: amount(),
    refunds: amount(),
    gross_minor: amount(),
    refunded_minor: amount(),
    net_minor: amount(),
  },
  (t) => [primaryKey({ name: 'daily_revenue_by_category_key', columns: [t.day, t.category, t.currency] })],
)

export const daily_top_regions = pgTable(
  'daily_top_regions',
  {
    day: date().notNull(),
    /** 1 is the region with the most trips, then the most orders. */
    place: integer().notNull(),
    region: text().notNull(),
    currency: text().notNull(),
    trips: amount(),
    fare_minor: amount(),
    duration_s: amount(),
    distance_m: amount(),
    orders: amount(),
    gross_minor: amount(),
    refunded_minor: amount(),
    net_minor: amount(),
  },
  (t) => [primaryKey({ name: 'daily_top_regions_key', columns: [t.day, t.region, t.currency] })],
)

export const daily_conversion_funnel = pgTable(
  'daily_conversion_funnel',
  {
    day: date().notNull(),
    /** 1 to 5. */
    position: integer().notNull(),
    stage: text().notNull(),
    /** Visits that reached this stage or one behind it. */
    sessions: amount(),
    users: amount(),
    rate_of_visits: doublePrecision().notNull(),
    /** Null at the first stage, and where no visit reached the one before. */
    rate_of_previous: doublePrecision(),
  },
  (t) => [primaryKey({ name: 'daily_conversion_funnel_key', columns: [t.day, t.position] })],
)

/** What the raw tables held of a day when it was built: where they hold something else by now, it is to be built again. */
export const batch_days = pgTable('batch_days', {
  day: date().primaryKey(),
  /** Rows by raw table, of the snapshots that the build read. */
  counts: jsonb().$type<Record<string, number>>().notNull(),
  /** Sequence numbers of those snapshots, by raw table. */
  sequences: jsonb().$type<Record<string, number>>().notNull(),
  /** Why its rows are no longer what they would be if it were built now, though its counts are the same; null: they are. */
  stale: text(),
  built_at: epochMs().notNull(),
  workflow_run_id: text().notNull(),
})

/** `passed`: every difference from the exact truth is explained. `incident`: something is wrong that nothing explains. */
export type ReconciliationOutcome = 'passed' | 'incident'

/** What a cause has done to the figures: how many records, and their money in minor units by currency. */
export interface CauseSum {
  records: number
  minor: Record<string, number>
}

/** Rows of a live table that were compared with those of a run over the lake. */
export interface ComparedTable {
  rows: number
  missing: number
  extra: number
  changed: number
}

/** One row per range that was reconciled. `id` follows from the run, so that an attempt made again replaces what the first has stored. */
export const reconciliations = pgTable(
  'reconciliations',
  {
    id: text().primaryKey(),
    from_at: epochMs().notNull(),
    to_at: epochMs().notNull(),
    outcome: text().$type<ReconciliationOutcome>().notNull(),
    /** In a sentence. */
    message: text().notNull(),
    /** Of each table, live against the lake. */
    compared: jsonb().$type<Record<string, ComparedTable>>().notNull(),
    /** Why live results differ from the exact truth, by cause. */
    explained: jsonb().$type<Record<string, CauseSum>>().notNull(),
    unexplained: integer64().notNull(),
    unexplained_minor: jsonb().$type<Record<string, number>>().notNull(),
    /** Partitions without traffic behind the range: what is not final there was left out. */
    open_partitions: jsonb().$type<string[]>().notNull(),
    records: integer64().notNull(),
    workflow_id: text().notNull(),
    workflow_run_id: text().notNull(),
    started_at: epochMs().notNull(),
    finished_at: epochMs().notNull(),
  },
  (t) => [index('reconciliations_by_age').on(t.finished_at, t.id), index('reconciliations_by_range').on(t.from_at)],
)

/** What was found, in the order of `ordinal`; of what there is a lot of, the first. */
export const reconciliation_differences = pgTable(
  'reconciliation_differences',
  {
    reconciliation_id: text()
      .notNull()
      .references(() => reconciliations.id, { onDelete: 'cascade' }),
    ordinal: integer().notNull(),
    explained: boolean().notNull(),
    table_name: text().notNull(),
    /** late, duplicate, dead_letter; or what is wrong: missing, extra, changed, gap, doubled, damaged, truth. */
    cause: text().notNull(),
    /** Of the row, or of the offsets. */
    key: jsonb().$type<Record<string, string | number>>().notNull(),
    /** In a sentence. */
    message: text().notNull(),
    records: integer64().notNull(),
    minor: jsonb().$type<Record<string, number>>().notNull(),
    live: jsonb().$type<Record<string, unknown> | null>(),
    expected: jsonb().$type<Record<string, unknown> | null>(),
    /** Records that it comes from, as `<topic>:<partition>:<offset>`; the first few. */
    sample: jsonb().$type<string[]>().notNull(),
  },
  (t) => [primaryKey({ name: 'reconciliation_differences_key', columns: [t.reconciliation_id, t.ordinal] })],
)

export type ReplayState = 'ready' | 'promoted' | 'discarded'

/** Replays of a job over a range, once their rows are there to be looked at; how each was decided is stored with the rows that it changed, in one transaction. */
export const replays = pgTable(
  'replays',
  {
    id: text().primaryKey(),
    job: text().notNull(),
    from_at: epochMs().notNull(),
    to_at: epochMs().notNull(),
    /** What was different about a fraud rule. */
    rule: jsonb().$type<Record<string, unknown> | null>(),
    schema_name: text().notNull(),
    state: text().$type<ReplayState>().notNull(),
    /** Against the live rows, by table. */
    compared: jsonb().$type<Record<string, ComparedTable>>().notNull(),
    /** Rows that took the place of how many, by table; once promoted. */
    replaced: jsonb().$type<Record<string, { removed: number; written: number }> | null>(),
    workflow_id: text().notNull(),
    created_at: epochMs().notNull(),
    decided_at: epochMs(),
  },
  (t) => [index('replays_by_age').on(t.created_at)],
)

export const ERASURE_STATES = ['requested', 'running', 'waiting_for_log', 'complete', 'failed'] as const
/** `waiting_for_log`: everything is erased but the events that the log keeps until its retention has passed. */
export type ErasureState = (typeof ERASURE_STATES)[number]

/** Who is erased: what its stores are searched for, and what stands there instead. Kept until the erasure is complete, and no longer. */
export interface ErasureSubject {
  user_id: string
  /** By id: the user's own and the anonymous ids seen with it. Made up, and kept nowhere else. */
  pseudonyms: Record<string, string>
  /** Of alerts about the person, whose reviews go with them. */
  alerts: string[]
  /** Where the log ended when the erasure began: its records are behind that. */
  from: LogPlace[]
  /** When all its records were in the log, in epoch milliseconds; not there before. */
  told_at?: number
}

/** A place in the log; `offset` is of the record itself. */
export interface LogPlace {
  topic: string
  partition: number
  offset: number
}

/** What a step of an erasure did: when it had done it, and counts by what they count. Never an id of the person. */
export interface ErasureStep {
  step: string
  at: string
  [counted: string]: unknown
}

/** Erasures of persons: asked for by the edge, carried out by the workflow `eraseSubject`, whose only memory this is. A complete one does not hold the person's id. */
export const erasures = pgTable(
  'erasures',
  {
    id: uuid().primaryKey(),
    state: text().$type<ErasureState>().notNull(),
    /** Null once it is complete. */
    user_id: text(),
    /** Null until they are collected, and once it is complete. */
    subject: jsonb().$type<ErasureSubject | null>(),
    /** SHA-256 of `<salt>:<user id>`, hexadecimal: who knows the id can tell that it was this one. */
    subject_hash: text().notNull(),
    salt: text().notNull(),
    requested_at: epochMs().notNull(),
    requested_by: text().notNull(),
    /** By its workflow; one that stays silent is started again. */
    updated_at: epochMs().notNull(),
    /** Of the erasure records in the log: offsets that are no events. */
    records: jsonb().$type<LogPlace[]>().notNull(),
    /** For each partition the offset that its next record was to get: what lies before may tell of the person until retention has removed it. Null: not looked at yet. */
    log_ends: jsonb().$type<LogPlace[] | null>(),
    /** When the last of that will have gone by the retention that the topics are declared with. */
    waits_until: epochMs(),
    /** In the order in which they were done: the certificate, once it is complete. */
    steps: jsonb().$type<ErasureStep[]>().notNull(),
    completed_at: epochMs(),
    /** Why it failed, in a sentence; of one that is under way: what it can't get past at the moment. */
    failure: text(),
  },
  (t) => [
    // Who is asked for twice is erased once; but what came while the log was waited for is another erasure's.
    uniqueIndex('erasures_open').on(t.user_id).where(sql`${t.user_id} IS NOT NULL AND ${t.log_ends} IS NULL`),
    index('erasures_by_age').on(t.requested_at, t.id),
  ],
)
