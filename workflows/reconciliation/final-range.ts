/**
 * Whether a range of event time can be reconciled now: the streams have passed it, and the lake holds what they have read. Waiting mends a lake that is behind; only another range, or time, mends
 * one that is not final.
 */
import { type Lake, loadTable, type SqlEngine, tableName } from '../../db/lake/index.ts'
import type { Sql } from '../../db/postgres/connect.ts'
import { RAW_TABLES } from '../../streams/contract/lake-tables.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import { INPUT_TOPICS, type InputTopic } from '../../streams/contract/topics.ts'
import { nextOffsets, offsetsBehind } from '../../streams/shadow/index.ts'

/** The range is not final: other times have to be asked for, or later. */
export class NotFinal extends Error {
  override readonly name = 'NotFinal'
}

/** The lake does not yet hold what the streams have read; it will. */
export class LakeBehind extends Error {
  override readonly name = 'LakeBehind'
}

/** Behind the last offset that is looked at, by partition of a topic. */
export type Until = ReadonlyMap<InputTopic, ReadonlyMap<number, number>>

export interface FinalRange {
  /** For the run of the jobs: what the streams had read of partitions that have not passed the range, all that the lake has of the others. */
  until: Until
  /** What the lake had at the beginning. */
  lakeUntil: Until
  /** Partitions that nothing came to after the range, as `<topic>-<partition>`: their last rows are not final. */
  open: string[]
}

const SQL_TIMEOUT_MS = 3_600_000

interface TaskState {
  topic: InputTopic
  partition: number
  next_offset: number
  end_offset: number
  watermark: number
}

/**
 * @param afterMs how far beyond the range the watermark has to be
 * @throws NotFinal, LakeBehind
 */
export async function finalRange(
  { sql, lake, engine }: { sql: Sql; lake: Lake; engine: SqlEngine },
  {
    toMs,
    afterMs,
    topics = new Set(INPUT_TOPICS),
    signal,
  }: { toMs: number; afterMs: number; topics?: ReadonlySet<InputTopic>; signal?: AbortSignal },
): Promise<FinalRange> {
  const tasks = await sql<TaskState[]>`
    SELECT topic, partition, next_offset, end_offset, watermark FROM tasks WHERE topic IN ${sql([...topics])}`
  const newest = Math.max(Number.NEGATIVE_INFINITY, ...tasks.map(({ watermark }) => watermark))
  const neededMs = toMs + afterMs
  if (!(newest >= neededMs))
    throw new NotFinal(
      Number.isFinite(newest)
        ? `Results up to ${toIso(toMs)} are not final yet: the streams' watermark is at ${toIso(newest)}, and it has to be at ${toIso(neededMs)}. Ask again then, or for a range that ends at ${toIso(newest - afterMs)} or before.`
        : 'The streams have not read any event yet: there is nothing to reconcile. Send events first, or start the streams.',
    )
  const [platform] = await sql<{ value: string }[]>`SELECT value FROM platform WHERE key = 'log_identity'`
  const until = new Map<InputTopic, Map<number, number>>()
  const lakeUntil = new Map<InputTopic, Map<number, number>>()
  const open: string[] = []
  for (const topic of topics) {
    const { name } = RAW_TABLES[topic]
    const held = await heldBy(lake, name, platform?.value ?? '')
    const of = { until: new Map<number, number>(), lake: new Map<number, number>() }
    until.set(topic, of.until)
    lakeUntil.set(topic, of.lake)
    for (const { partition, next_offset, end_offset, watermark } of tasks.filter((task) => task.topic === topic)) {
      const key = `${topic}-${partition}`
      const hasPassed = watermark >= neededMs
      if (!hasPassed && next_offset < end_offset)
        throw new NotFinal(
          `Results up to ${toIso(toMs)} are not final yet: the streams have read ${key} up to offset ${next_offset} of ${end_offset}. Ask again when they have caught up.`,
        )
      if (!hasPassed && next_offset > 0) open.push(key)
      const inLake = held[key] ?? 0
      // Of a partition that has passed the range, the lake needs what lies before that point only.
      const isThere =
        inLake >= next_offset ||
        (hasPassed &&
          (
            await offsetsBehind(engine, topic, [partition], neededMs, {
              ...(signal && { signal }),
              timeoutMs: SQL_TIMEOUT_MS,
            })
          ).has(partition))
      if (!isThere)
        throw new LakeBehind(
          `${name} has come to offset ${inLake} of ${key}, and the streams to ${next_offset}: the lake is awaited. Is the lake-writer running?`,
        )
      of.until.set(partition, hasPassed ? inLake : next_offset)
      of.lake.set(partition, inLake)
    }
  }
  return { until, lakeUntil, open: open.sort() }
}

/** What a raw table has of the log: next offsets by `<topic>-<partition>`. None where there is no such table. @throws OtherLog */
export async function heldBy(lake: Lake, name: string, log: string): Promise<Readonly<Record<string, number>>> {
  if ((await lake.catalog.metadataLocation(tableName(name))) === null) return {}
  return nextOffsets((await loadTable(lake, tableName(name))).metadata, name, log)
}
