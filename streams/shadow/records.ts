/**
 * The records of one partition in log order, from their rows in the lake: the events as the decoder gave them, without those columns that no job looks at.
 *
 * Invariant: in the order of offsets, each as often as the table has it; memory does not grow with their number.
 */
import { type Lake, planScan, type Row, readRows, type TableMetadata, tableName } from '../../db/lake/index.ts'
import type { EventOf } from '../contract/events.ts'
import { RAW_TABLES } from '../contract/lake-tables.ts'
import type { InputTopic } from '../contract/topics.ts'

export interface LakeRecord<T extends InputTopic> {
  offset: number
  appendedAtMs: number
  event: EventOf[T]
}

/** Of the DuckDB that sorts. */
export interface SortOptions {
  memoryMb: number
  threads: number
  /** Where it spills. */
  parent: string
}

export interface RecordRange {
  partition: number
  /** The first offset. */
  from: number
  /** Behind the last. */
  to: number
}

/** @param fields that are needed; undefined for all */
export async function* recordsOf<T extends InputTopic>(
  lake: Lake,
  metadata: TableMetadata,
  topic: T,
  { partition, from, to }: RecordRange,
  options: SortOptions & { fields: ReadonlySet<string> | undefined; signal?: AbortSignal },
): AsyncGenerator<LakeRecord<T>[]> {
  const plan = await planScan(lake, metadata, {
    where: [
      { column: 'log_partition', op: '=', value: partition },
      { column: 'log_offset', op: '>=', value: BigInt(from) },
      { column: 'log_offset', op: '<', value: BigInt(to) },
    ],
  })
  const { fields, ...rest } = options
  const eventOf = eventReader(topic, fields)
  const columns = [...eventOf.columns, 'log_offset', 'log_appended_at']
  for await (const rows of readRows(lake, plan, {
    ...rest,
    table: tableName(RAW_TABLES[topic].name),
    columns,
    orderBy: ['log_offset'],
  }))
    yield rows.map((row) => ({
      offset: Number(row.log_offset),
      appendedAtMs: msOf(row.log_appended_at),
      event: eventOf.read(row),
    }))
}

/** From a row of the topic's table to the event. Values of numbers and times may come as number or bigint. */
export function eventReader<T extends InputTopic>(
  topic: T,
  fields?: ReadonlySet<string>,
): { columns: string[]; read(row: Row): EventOf[T] } {
  const all = RAW_TABLES[topic].columns.filter(({ name }) => !name.startsWith('log_') && name !== 'ingested_at')
  const read = all.filter(({ name }) => fields?.has(name) ?? true)
  const nothing = Object.fromEntries(all.map(({ name }) => [name, null]))
  return {
    columns: read.map(({ name }) => name),
    read(row) {
      const event: Record<string, unknown> = { ...nothing }
      for (const { name, type } of read) {
        const value = row[name]
        if (value === null || value === undefined) continue
        event[name] = type === 'timestamptz' ? msOf(value) : type === 'long' ? Number(value) : value
      }
      // The columns follow from the schema of the event (lake-tables.ts).
      return event as unknown as EventOf[T]
    },
  }
}

/** Of microseconds; the events' times have none of their own. */
const msOf = (value: unknown): number => Number(value) / 1_000
