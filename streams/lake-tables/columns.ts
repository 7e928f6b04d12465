/**
 * Rows of a contract's table as the columns that the lake's writer takes. Invariant: a row is what it was given and where it comes from, nothing else: the same again gives the same.
 */
import type { Columns } from '../../db/lake/index.ts'
import type { LakeTable } from '../contract/lake-tables.ts'

/** By column, without those of `TRACE_COLUMNS`; times in epoch ms. Further keys are left out. */
export type RowObject = Readonly<Record<string, unknown>>

/** Which record a row comes from. Of rows that never were in the log, the partition is below zero. */
export interface Origin {
  readonly partition: number
  readonly offset: number
  readonly appendedAtMs: number
}

export interface ColumnBatch {
  add(row: RowObject, origin: Origin): void
  readonly rows: number
  readonly columns: Columns
}

/** @param ingestedAtMs epoch ms */
export function columnBatch({ columns }: LakeTable, ingestedAtMs: number): ColumnBatch {
  const out = columns.map(({ name, type }) => ({
    name,
    isTime: type === 'timestamptz',
    trace: TRACES[name],
    values: [] as unknown[],
  }))
  let rows = 0
  return {
    add(row, origin) {
      rows++
      for (const { name, isTime, trace, values } of out) {
        const value = trace ? trace(origin, ingestedAtMs) : (row[name] ?? null)
        values.push(isTime && value !== null ? micros(value as number) : value)
      }
    },
    get rows() {
      return rows
    },
    get columns() {
      // Columns of a contract's types, filled from events of the same contract.
      return Object.fromEntries(out.map(({ name, values }) => [name, values])) as Columns
    },
  }
}

/** Of `TRACE_COLUMNS`; times in epoch ms like all others here. */
const TRACES: Readonly<Record<string, (origin: Origin, ingestedAtMs: number) => number>> = {
  log_partition: ({ partition }) => partition,
  log_offset: ({ offset }) => offset,
  log_appended_at: ({ appendedAtMs }) => appendedAtMs,
  ingested_at: (_, ingestedAtMs) => ingestedAtMs,
}

function micros(ms: number): number | bigint {
  const us = ms * 1000
  return Number.isSafeInteger(us) ? us : BigInt(Math.trunc(ms)) * 1000n
}
