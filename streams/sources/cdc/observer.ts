/** What the source tells of itself, for metrics, logs and health. */
import type { SlotState } from './slot.ts'

export interface CdcObserver {
  /** In the log now. */
  appended(counts: ReadonlyMap<string, number>, lastCommittedMs: number | null): void
  /** Read again after a crash and in the log already. */
  skipped(records: number): void
  snapshotBegins(tables: readonly string[], isAnew: boolean): void
  snapshotRows(topic: string, rows: number): void
  snapshotEnds(rows: number): void
  /** Follows the stream from here on. */
  streaming(): void
  slot(state: SlotState): void
  /** Columns that came or went, or have another type now. */
  tableChanged(table: string, changes: readonly string[]): void
  /** The publication brings it, the settings don't name it. */
  notFollowed(table: string): void
  /** Nothing goes on until somebody has taken the remedy that the error names. */
  lost(error: Error): void
  retrying(error: Error, delayMs: number): void
}
