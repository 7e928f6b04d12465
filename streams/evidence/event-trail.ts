/**
 * What became of an event: where its records lie, whether the jobs have passed them, for which it came late, whether it is a copy, and which snapshot of the lake has it.
 *
 * Invariant: each answer is read from where it is decided: the tasks' own progress, what they announced of single records (under ids that name them), and the offsets in the lake's snapshots.
 */
import { RAW_TABLES } from '../contract/lake-tables.ts'
import type { InputTopic } from '../contract/topics.ts'
import { causeOf } from '../dead-letters/dead-letter.ts'
import { firstSnapshotBeyond } from '../lake-writer/offsets.ts'
import { partitionKey, type RecordPosition } from '../log/event-log.ts'
import { DEDUPE_HORIZON_MS } from '../operators/deduplicate.ts'
import { lateCauseOf } from '../runtime/late-event.ts'
import { TOPOLOGY } from '../topology.ts'
import { type EventQuestion, type FindDeps, type FoundRecord, findRecords } from './find-records.ts'

/** How far the tasks are, and what they announced; the results' database answers. */
export interface TrailDeps extends FindDeps {
  progress(): Promise<readonly { topic: string; partition: number; next_offset: number }[]>
  announced(ids: readonly string[]): Promise<ReadonlySet<string>>
}

/** `applied`: what it says is in the job's results, as far as it concerns the job. */
export const JOB_OUTCOMES = ['pending', 'applied', 'late', 'duplicate', 'dead_letter', 'imported'] as const
export type JobOutcome = (typeof JOB_OUTCOMES)[number]
export const EVENT_STATUSES = ['accepted', 'applied', 'late', 'duplicate', 'dead_letter', 'imported'] as const
export type EventStatus = (typeof EVENT_STATUSES)[number]

export interface RecordTrail extends FoundRecord {
  status: EventStatus
  /** Of the same event, before it. */
  duplicateOf: RecordPosition | null
  jobs: { job: string; outcome: JobOutcome }[]
  /** null: not yet, or not known. */
  lake: { table: string; snapshotId: string; committedMs: number } | null
}

export interface EventTrail {
  /** The earliest first. */
  records: RecordTrail[]
  looked: string[]
  missing: string[]
}

export interface EventTracer {
  trace(question: EventQuestion): Promise<EventTrail>
}

export const createEventTracer = (deps: TrailDeps): EventTracer => ({ trace: (question) => traceEvent(deps, question) })

async function traceEvent(deps: TrailDeps, question: EventQuestion): Promise<EventTrail> {
  const { records, looked, missing } = await findRecords(deps, question)
  if (records.length === 0) return { records: [], looked, missing }
  const [progress, announced] = await Promise.all([
    deps.progress(),
    deps.announced(
      records.flatMap((record) => [
        causeOf(record),
        ...jobsOf(record.topic).flatMap(({ operators }) => operators.map((name) => lateCauseOf(record, name))),
      ]),
    ),
  ])
  const nextOf = new Map(progress.map((task) => [partitionKey(task), task.next_offset]))
  const snapshots = await snapshotFinder(deps, new Set(records.map(({ topic }) => topic)))
  const firsts = new Map<string, FoundRecord>()
  const trails = records.map((record): RecordTrail => {
    const key = `${record.topic}/${record.identity}`
    const isDead = announced.has(causeOf(record))
    const first = firsts.get(key)
    if (!first && !isDead) firsts.set(key, record)
    const outcomeOf = (operators: readonly string[]): JobOutcome => {
      if (record.partition < 0) return 'imported'
      if (isDead) return 'dead_letter'
      if ((nextOf.get(partitionKey(record)) ?? 0) <= record.offset) return 'pending'
      if (first && isNear(first, record)) return 'duplicate'
      return operators.some((name) => announced.has(lateCauseOf(record, name))) ? 'late' : 'applied'
    }
    const jobs = jobsOf(record.topic).map(({ job, operators }) => ({ job, outcome: outcomeOf(operators) }))
    return {
      ...record,
      jobs,
      status: first && record.partition >= 0 ? 'duplicate' : statusOf(jobs.map(({ outcome }) => outcome)),
      duplicateOf: first ? { topic: first.topic, partition: first.partition, offset: first.offset } : null,
      lake: record.eventTimeMs === null ? null : snapshots(record),
    }
  })
  return { records: trails, looked, missing }
}

/** The streams forget an event's id after a horizon of event time; a copy that comes later than that is applied again, and only the batch layer knows it. */
const isNear = (first: FoundRecord, copy: FoundRecord): boolean =>
  Math.abs((copy.eventTimeMs ?? 0) - (first.eventTimeMs ?? 0)) < DEDUPE_HORIZON_MS &&
  copy.appendedAtMs - first.appendedAtMs < DEDUPE_HORIZON_MS

function statusOf(outcomes: readonly JobOutcome[]): EventStatus {
  for (const status of ['imported', 'dead_letter', 'late'] as const) if (outcomes.includes(status)) return status
  return outcomes.includes('pending') ? 'accepted' : 'applied'
}

/** The jobs of a topic with the names of their operators, by which they announce. */
function jobsOf(topic: InputTopic): { job: string; operators: string[] }[] {
  return TOPOLOGY.flatMap((job) => {
    const factories = job.on[topic] as readonly ((partition: number) => { name: string })[] | undefined
    return factories ? [{ job: job.name, operators: factories.map((open) => open(0).name) }] : []
  })
}

async function snapshotFinder({ lake, log }: TrailDeps, topics: ReadonlySet<InputTopic>) {
  const identity = await log.identity()
  const tables = new Map<InputTopic, NonNullable<Awaited<ReturnType<NonNullable<typeof lake>['metadata']>>>>()
  for (const topic of topics) {
    const metadata = await lake?.metadata(RAW_TABLES[topic].name).catch(() => null)
    if (metadata) tables.set(topic, metadata)
  }
  return (record: FoundRecord): RecordTrail['lake'] => {
    const metadata = tables.get(record.topic)
    const snapshot = metadata && firstSnapshotBeyond(metadata, identity, partitionKey(record), record.offset)
    if (!snapshot) return null
    return {
      table: RAW_TABLES[record.topic].name,
      snapshotId: String(snapshot['snapshot-id']),
      committedMs: snapshot['timestamp-ms'],
    }
  }
}
