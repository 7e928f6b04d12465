/**
 * What a manifest says about one file, and the entry that adds, keeps or removes it.
 *
 * Invariant: an entry that its snapshot adds has no sequence number of its own (null: readers inherit the manifest's); one that is carried into another manifest has.
 */
import type { Long } from '../types/json.ts'
import type { Partition } from '../types/partition-spec.ts'

export const EXISTING = 0
export const ADDED = 1
export const DELETED = 2
export type Status = typeof EXISTING | typeof ADDED | typeof DELETED

export const DATA = 0
export const POSITION_DELETES = 1
export const EQUALITY_DELETES = 2
export type Content = typeof DATA | typeof POSITION_DELETES | typeof EQUALITY_DELETES

/** Figures of one file's columns, by field id. */
export interface Metrics {
  recordCount: number
  columnSizes: ReadonlyMap<number, Long>
  valueCounts: ReadonlyMap<number, Long>
  nullCounts: ReadonlyMap<number, Long>
  nanCounts: ReadonlyMap<number, Long>
  lowerBounds: ReadonlyMap<number, Uint8Array>
  upperBounds: ReadonlyMap<number, Uint8Array>
}

export interface DataFile extends Metrics {
  content: Content
  /** A URI, as the writer spelt it: files are compared by it. */
  path: string
  /** `PARQUET`, or what another engine wrote. */
  format: string
  specId: number
  partition: Partition
  bytes: number
  splitOffsets: readonly Long[] | null
  equalityIds: readonly number[] | null
  sortOrderId: number | null
  keyMetadata: Uint8Array | null
  /** Of a delete file that concerns one data file only. */
  referencedDataFile: string | null
}

export interface ManifestEntry {
  status: Status
  snapshotId: Long | null
  /** Data sequence number: deletes with a higher one apply. */
  sequenceNumber: Long | null
  fileSequenceNumber: Long | null
  file: DataFile
}

/** An entry with everything inherited that it inherits. */
export interface LiveEntry extends ManifestEntry {
  snapshotId: Long
  sequenceNumber: Long
  fileSequenceNumber: Long
}

export const isLive = (entry: ManifestEntry): boolean => entry.status !== DELETED

/** Position deletes name their data file in this column; one whose bounds are equal concerns that file alone. */
const FILE_PATH_COLUMN = 2147483546

/** The one data file that a position delete file concerns; null when there may be several. */
export function onlyFile(file: DataFile): string | null {
  if (file.referencedDataFile !== null) return file.referencedDataFile
  const [lower, upper] = [file.lowerBounds.get(FILE_PATH_COLUMN), file.upperBounds.get(FILE_PATH_COLUMN)]
  if (!lower || !upper || Buffer.compare(lower, upper) !== 0) return null
  return Buffer.from(lower).toString('utf8')
}
