/**
 * How far a table has come in the log: the next offset of each partition, committed with the rows themselves. Pure.
 *
 * They are in the summary of every snapshot of the lake-writer's, and among the table's properties. The nearest ancestor that has them is believed first: a table that was rolled back
 * to an earlier snapshot then gets its rows again. The properties are for a table whose ancestors of ours have expired and left only other engines' snapshots.
 */
import { ancestors, CommitRefused, type Snapshot, type TableMetadata } from '../../db/lake/index.ts'

const OFFSETS = 'streamforge.offsets'
/** In a summary: ranges that retention had removed before they were read, `{"<topic>-<partition>":[from, to]}`; `to` is the first that is there. */
const LOST = 'streamforge.lost'

interface Stored {
  /** Identity of the log. */
  log: string
  /** By `partitionKey`. */
  next: Record<string, number>
}

/** The rows of a table come from another log: its offsets mean nothing in this one. */
export class OtherLog extends Error {
  override readonly name = 'OtherLog'
}

/** What a batch takes the table from and to, by `partitionKey`. */
export type Ranges = ReadonlyMap<
  string,
  {
    /** What the table says: null when it has nothing of this partition. */
    readonly from: number | null
    /** Where reading began, beyond `from` when retention had removed what lies between. */
    readonly start: number
    readonly to: number
  }
>

function stored(metadata: TableMetadata): Stored | null {
  for (const snapshot of ancestors(metadata, metadata['current-snapshot-id'])) {
    const text = snapshot.summary?.[OFFSETS]
    if (text !== undefined) return JSON.parse(text) as Stored
  }
  const text = metadata.properties[OFFSETS]
  return text === undefined ? null : (JSON.parse(text) as Stored)
}

/** Next offsets by `partitionKey`. @throws OtherLog */
export function nextOffsets(metadata: TableMetadata, name: string, log: string): Readonly<Record<string, number>> {
  const found = stored(metadata)
  if (found === null) return {}
  if (found.log !== log)
    throw new OtherLog(
      `The table ${name} holds the rows of another event log (${found.log}, this one is ${log}): which of this log's records it lacks can't be known. Nothing is written to it. ` +
        'Use the database that belongs to this log; or rename or drop the table, and a new one is made and filled with all that this log holds.',
    )
  return found.next
}

/** Whether the table is before the batch, has it already, or has gone another way. */
export function placeOf(
  metadata: TableMetadata,
  name: string,
  log: string,
  ranges: Ranges,
): 'before' | 'after' | 'elsewhere' {
  const next = nextOffsets(metadata, name, log)
  const all = (side: 'from' | 'to') => [...ranges].every(([key, range]) => (next[key] ?? null) === range[side])
  return all('from') ? 'before' : all('to') ? 'after' : 'elsewhere'
}

/** @throws CommitRefused unless the table is exactly where the batch begins: another owner of its partitions has written meanwhile */
export function requireBefore(metadata: TableMetadata, name: string, log: string, ranges: Ranges): void {
  if (placeOf(metadata, name, log, ranges) === 'before') return
  const next = nextOffsets(metadata, name, log)
  const [key, range] = [...ranges].find(([key, { from }]) => (next[key] ?? null) !== from)!
  throw new CommitRefused(
    `${name} has come to ${next[key] ?? 'nothing'} of ${key}, and these rows begin at ${range.from ?? range.start}: another lake-writer has written meanwhile. Nothing was committed.`,
  )
}

/** For the snapshot's summary and the table's properties: what the table had, and the batch on top. */
export function afterCommit(
  metadata: TableMetadata,
  name: string,
  log: string,
  ranges: Ranges,
): Record<'summary' | 'properties', Readonly<Record<string, string>>> {
  const next = { ...nextOffsets(metadata, name, log) }
  const lost: Record<string, [number, number]> = {}
  for (const [key, { from, start, to }] of ranges) {
    next[key] = to
    if (from !== null && start > from) lost[key] = [from, start]
  }
  const offsets = { [OFFSETS]: JSON.stringify({ log, next } satisfies Stored) }
  return {
    summary: Object.keys(lost).length === 0 ? offsets : { ...offsets, [LOST]: JSON.stringify(lost) },
    properties: offsets,
  }
}

/** The first snapshot whose rows reach beyond this offset: the one that brought the record, unless older ones have expired. Null where the table has not come so far, or nothing is known. */
export function firstSnapshotBeyond(
  metadata: TableMetadata,
  log: string,
  key: string,
  offset: number,
): Snapshot | null {
  let first: Snapshot | null = null
  for (const snapshot of ancestors(metadata, metadata['current-snapshot-id'])) {
    const text = snapshot.summary?.[OFFSETS]
    // Others' commits, and compactions, say nothing of the log.
    if (text === undefined) continue
    const found = JSON.parse(text) as Stored
    if (found.log !== log || (found.next[key] ?? 0) <= offset) break
    first = snapshot
  }
  return first
}
