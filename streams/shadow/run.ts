/**
 * Jobs run again over records of the log as the lake keeps them: the same task as in the live streams, so deduplication, watermark, lateness, finality and positions are the same; its rows go to
 * a schema beside the live one, and nothing is published.
 *
 * Invariant: the rows of the range are those of a run from the log's first record. A run begins a while before the range and finds out by itself whether that was early enough (warm-up.ts, chains.ts,
 * and where sessions began); where it was not, it is made again from further back.
 */
import { type Lake, loadTable, type SqlEngine, type TableMetadata, tableName } from '../../db/lake/index.ts'
import { type EventOf, identityOf, type Order } from '../contract/events.ts'
import { DEAD_LETTERS_TABLE, RAW_TABLES } from '../contract/lake-tables.ts'
import { CLICKSTREAM, INPUT_TOPICS, type InputTopic, ORDERS } from '../contract/topics.ts'
import { isSuspect } from '../jobs/fraud-detector.ts'
import type { FraudRule } from '../jobs/fraud-rules.ts'
import { hours, type Job } from '../jobs/job.ts'
import { FUTURE_CAP_MS, Task, WATERMARK_DELAY_MS } from '../runtime/task.ts'
import { fieldsRead } from '../topology.ts'
import { Chains } from './chains.ts'
import { firstOffsetsFrom, offsetsBehind, type PartitionStart, partitionStarts } from './extent.ts'
import { allObjects, numberOf, textLiteral } from './lake-sql.ts'
import { SESSION_GAP_MS, TABLE_RANGES, tablesOf } from './ranges.ts'
import { recordsOf, type SortOptions } from './records.ts'
import type { Refused, Shadow } from './schema.ts'
import { onGrid, WarmUp } from './warm-up.ts'

export interface ShadowDeps {
  lake: Lake
  engine: SqlEngine
  shadow: Shadow
  sort: SortOptions
}

export interface ShadowRun {
  jobs: readonly Job[]
  /** Of the jobs' fraud detector. */
  rules: readonly FraudRule[]
  /** Of event time, epoch ms; whole minutes. */
  fromMs: number
  toMs: number
  /** Records at and behind these offsets are not read, by partition of a topic; missing: all that the lake has. */
  until?: ReadonlyMap<InputTopic, ReadonlyMap<number, number>>
  signal?: AbortSignal
  onProgress?(progress: { topic: InputTopic; partition: number; records: number }): void
}

/** Offsets that the lake does not have, `to` exclusive. */
export interface Gap {
  from: number
  to: number
}

export interface PartitionRun {
  topic: InputTopic
  partition: number
  /** Offsets that were read, `to` exclusive; both 0 where nothing had to be. */
  from: number
  to: number
  records: number
  /** Everything of the range is final: the stream time has passed all of it. */
  passed: boolean
  /** Decisions on events from here on are those of a run from the beginning; null: on all. */
  exactFromMs: number | null
  /** Neither a row nor a dead letter; the first few of them. */
  gaps: Gap[]
  missing: number
  /** Offsets that the table has more than once; the first few of them. */
  doubled: number[]
  doubledCount: number
  deadLetters: number
  /** How often it was begun, each time from further back. */
  attempts: number
}

/** Before the range. Most sessions are over by then, and two generations of deduplication. */
const WARM_UP_MS = hours(2)
const FURTHER_BACK = 4
/** Timers fire by buckets of ten seconds. */
const TIMERS_MS = 10_000
const RECORDS_PER_FLUSH = 50_000
const NAMED_MAX = 20
const NO_VALUE = Buffer.alloc(0)
const SQL_LIMITS = { timeoutMs: hours(6) }

/** How far beyond the range the stream time has to come for all of the jobs' rows to be final. */
export const settledAfterMs = (jobs: readonly Job[]): number =>
  WATERMARK_DELAY_MS + TIMERS_MS + Math.max(0, ...tablesOf(jobs).map((table) => TABLE_RANGES[table].afterMs))

/** @throws MissingFile and others of the lake's, which name the file */
export async function runShadow(deps: ShadowDeps, run: ShadowRun): Promise<PartitionRun[]> {
  const done: PartitionRun[] = []
  const options = { ...SQL_LIMITS, ...(run.signal && { signal: run.signal }) }
  for (const topic of INPUT_TOPICS) {
    if (!run.jobs.some(({ on }) => on[topic])) continue
    const name = tableName(RAW_TABLES[topic].name)
    // Of a topic without a record so far there is no table.
    if ((await deps.lake.catalog.metadataLocation(name)) === null) continue
    const { metadata } = await loadTable(deps.lake, name)
    const dead = await deadLetters(deps, topic, options)
    const starts = await partitionStarts(deps.engine, topic, options)
    const partitions = starts.map(({ partition }) => partition)
    const endMs = run.toMs + settledAfterMs(run.jobs)
    const ends = await offsetsBehind(deps.engine, topic, partitions, endMs, options)
    const wanted = new Map(
      starts.map(({ partition, originMs }) => [partition, onGrid(originMs, run.fromMs - WARM_UP_MS)]),
    )
    const firsts = await firstOffsetsFrom(deps.engine, topic, wanted, endMs, options)
    for (const start of starts) {
      const { partition } = start
      const of = { topic, metadata, start, dead: dead.get(partition) ?? new Set<number>() }
      done.push(
        await runPartition(deps, run, of, { end: ends.get(partition) ?? null, first: firsts.get(partition) ?? null }),
      )
    }
  }
  return done
}

interface Of<T extends InputTopic> {
  topic: T
  metadata: TableMetadata
  start: PartitionStart
  /** Offsets that the streams have put aside. */
  dead: ReadonlySet<number>
}

/** @param extent where the range is behind, and where its warm-up begins; null where there is no such record */
async function runPartition<T extends InputTopic>(
  deps: ShadowDeps,
  run: ShadowRun,
  of: Of<T>,
  extent: { end: number | null; first: number | null },
): Promise<PartitionRun> {
  const { topic, start } = of
  const { partition } = start
  const options = { ...SQL_LIMITS, ...(run.signal && { signal: run.signal }) }
  const until = run.until?.get(topic)?.get(partition) ?? (run.until ? 0 : Number.MAX_SAFE_INTEGER)
  const to = Math.min(extent.end ?? until, until)
  const about = { topic, partition, passed: extent.end !== null && extent.end <= until }
  let { first } = extent
  let marginMs = WARM_UP_MS
  for (let attempts = 1; ; attempts++) {
    const wanted = onGrid(start.originMs, run.fromMs - marginMs)
    if (attempts > 1) {
      const endMs = run.toMs + settledAfterMs(run.jobs)
      first =
        (await firstOffsetsFrom(deps.engine, topic, new Map([[partition, wanted]]), endMs, options)).get(partition) ??
        null
    }
    if (first === null || first >= to) return { ...about, ...NOTHING, exactFromMs: wanted, attempts }
    const isWhole = wanted <= start.originMs || first <= start.firstOffset
    const begin = isWhole
      ? { from: start.firstOffset, beginMs: Number.NEGATIVE_INFINITY }
      : { from: first, beginMs: wanted }
    const { doubtMs, ...result } = await attempt(deps, run, of, { ...begin, to })
    if (doubtMs === null) return { ...about, ...result, from: begin.from, to, attempts }
    marginMs = Math.max(marginMs * FURTHER_BACK, run.fromMs - doubtMs + WARM_UP_MS)
    await forget(deps.shadow, topic, partition)
  }
}

const NOTHING = { from: 0, to: 0, records: 0, gaps: [], missing: 0, doubled: [], doubledCount: 0, deadLetters: 0 }

type Attempt = Omit<PartitionRun, 'topic' | 'partition' | 'passed' | 'from' | 'to' | 'attempts'> & {
  /** Where what is in doubt begins, when something of the range is. */
  doubtMs: number | null
}

async function attempt<T extends InputTopic>(
  { lake, shadow, sort }: ShadowDeps,
  run: ShadowRun,
  { topic, metadata, start, dead }: Of<T>,
  { from, to, beginMs }: { from: number; to: number; beginMs: number },
): Promise<Attempt> {
  const { partition, originMs } = start
  const warmUp = new WarmUp(originMs, beginMs)
  const identity = identityOf[topic] as (event: EventOf[T]) => string
  const chains =
    topic === ORDERS ? run.rules.map((rule) => ({ rule, chain: new Chains(rule.withinMs, run.fromMs) })) : []
  let refused: Refused[] = []
  const refuse = (offset: number, event: EventOf[T], job: string, outcome: Refused['outcome']): void => {
    refused.push({ topic, partition, offset, job, outcome, eventTimeMs: event.event_time, event })
  }
  const task = new Task<T>({
    topology: run.jobs,
    topic,
    partition,
    encodeAlert: () => NO_VALUE,
    ...(Number.isFinite(beginMs) && { dedupeOriginMs: originMs }),
    onRefused: ({ record, event, job, outcome }) => refuse(record.offset, event, job, outcome),
  })
  const found = { records: 0, gaps: [] as Gap[], missing: 0, doubled: [] as number[], doubledCount: 0, deadLetters: 0 }
  let next = from
  let streamTimeMs = Number.NEGATIVE_INFINITY

  const flush = async (mode: 'everything' | 'final-only'): Promise<void> => {
    const { drained } = task.drain(mode, Number.MAX_SAFE_INTEGER)
    await shadow.results.apply({ rows: drained.rows, outbox: [], progress: [] })
    await shadow.writeStrays('refused', refused)
    refused = []
    run.onProgress?.({ topic, partition, records: found.records })
  }
  /** Offsets of which the table has no row, up to this one. */
  const skipTo = (offset: number): void => {
    while (next < offset) {
      if (dead.has(next)) {
        found.deadLetters++
        next++
        continue
      }
      const last = lastMissing(next, offset, dead)
      found.missing += last - next
      if (found.gaps.length < NAMED_MAX) found.gaps.push({ from: next, to: last })
      next = last
    }
  }

  const fields = fieldsRead(run.jobs, topic)
  const options = { ...sort, fields, ...(run.signal && { signal: run.signal }) }
  let unflushed = 0
  for await (const batch of recordsOf(lake, metadata, topic, { partition, from, to }, options)) {
    for (const { offset, appendedAtMs, event } of batch) {
      if (offset < next) {
        found.doubledCount++
        if (found.doubled.length < NAMED_MAX) found.doubled.push(offset)
        continue
      }
      if (offset > next) skipTo(offset)
      next = offset + 1
      // The streams could not read it when it came, though the lake could.
      if (dead.has(offset)) {
        found.deadLetters++
        refuse(offset, event, '*', 'dead_letter')
        continue
      }
      found.records++
      streamTimeMs = Math.max(streamTimeMs, Math.min(event.event_time, appendedAtMs + FUTURE_CAP_MS))
      warmUp.see(identity(event), event.event_time, streamTimeMs)
      for (const { rule, chain } of chains)
        if (isSuspect(rule, event as Order))
          chain.add((event as Order).user_id, event.event_time, streamTimeMs - WATERMARK_DELAY_MS)
      task.apply({ offset, appendedAtMs, key: null, value: NO_VALUE }, event)
    }
    unflushed += batch.length
    if (unflushed >= RECORDS_PER_FLUSH) {
      unflushed = 0
      await flush('final-only')
    }
  }
  if (to < Number.MAX_SAFE_INTEGER) skipTo(to)
  await flush('everything')

  const { exactFromMs } = warmUp
  const doubts = [exactFromMs > run.fromMs ? exactFromMs : Number.POSITIVE_INFINITY]
  if (Number.isFinite(exactFromMs)) {
    for (const { chain } of chains) if (chain.earliestMs < exactFromMs + chain.withinMs) doubts.push(chain.earliestMs)
    const began = topic === CLICKSTREAM ? await earliestSession(shadow, partition, run) : null
    if (began !== null && began < exactFromMs + SESSION_GAP_MS) doubts.push(began)
  }
  const doubtMs = Math.min(...doubts)
  return {
    ...found,
    exactFromMs: Number.isFinite(exactFromMs) ? exactFromMs : null,
    doubtMs: doubtMs === Number.POSITIVE_INFINITY ? null : doubtMs,
  }
}

/** When the first of the range's sessions began. */
async function earliestSession(
  { sql }: Shadow,
  partition: number,
  { fromMs, toMs }: ShadowRun,
): Promise<number | null> {
  const [session] = await sql<{ started_at: number | null }[]>`
    SELECT min(started_at) AS started_at FROM sessions
    WHERE partition = ${partition} AND ended_at >= to_timestamp(${fromMs}::float8 / 1000) AND ended_at < to_timestamp(${toMs}::float8 / 1000)`
  return session?.started_at ?? null
}

function lastMissing(from: number, to: number, dead: ReadonlySet<number>): number {
  if (dead.size === 0) return to
  let at = from
  while (at < to && !dead.has(at)) at++
  return at
}

/** What an attempt has written that began too late. */
async function forget({ sql }: Shadow, topic: InputTopic, partition: number): Promise<void> {
  await sql`DELETE FROM refused WHERE topic = ${topic} AND partition = ${partition}`
  await sql`DELETE FROM products_by_hour WHERE topic = ${topic} AND partition = ${partition}`
  for (const [table, { topics }] of Object.entries(TABLE_RANGES))
    if (table !== 'products_by_hour' && topics.includes(topic))
      await sql`DELETE FROM ${sql(table)} WHERE partition = ${partition}`
  await sql`DELETE FROM outcomes_by_minute WHERE topic = ${topic} AND partition = ${partition}`
}

/** Positions that the streams have put aside, by partition. A replayed letter is a new record, and its old position stays dead. */
async function deadLetters(
  { lake, engine }: ShadowDeps,
  topic: InputTopic,
  options: { signal?: AbortSignal; timeoutMs: number },
): Promise<Map<number, Set<number>>> {
  const found = new Map<number, Set<number>>()
  if ((await lake.catalog.metadataLocation(tableName(DEAD_LETTERS_TABLE.name))) === null) return found
  const rows = await allObjects(
    engine,
    `SELECT source_partition, source_offset FROM ${DEAD_LETTERS_TABLE.name}
     WHERE kind = 'letter' AND source_topic = ${textLiteral(topic)} AND source_partition IS NOT NULL AND source_offset IS NOT NULL`,
    { ...options, name: `${DEAD_LETTERS_TABLE.name} positions` },
  )
  for (const row of rows) {
    const partition = numberOf(row.source_partition)
    const offsets = found.get(partition) ?? new Set()
    found.set(partition, offsets.add(numberOf(row.source_offset)))
  }
  return found
}
