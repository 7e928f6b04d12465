/**
 * From entries to the line that a manifest list has about their manifest: counts, sequence numbers, the range of partitions. Pure.
 *
 * Invariant: a partition range covers every entry of the manifest, removed ones included, so that pruning by it never loses a file.
 */
import { compareValues } from '../types/bounds.ts'
import type { Long } from '../types/json.ts'
import { toBytes } from '../types/single-value.ts'
import type { Value } from '../types/types.ts'
import { ADDED, DELETED, EXISTING, type LiveEntry, type ManifestEntry } from './data-file.ts'
import type { PartitionedBy } from './manifest.ts'
import type { FieldSummary, ManifestFile } from './manifest-list.ts'

/**
 * @param sequenceNumber the snapshot's, which entries without one inherit; it may change when a commit is tried again
 */
export function describeManifest(
  entries: readonly ManifestEntry[],
  by: PartitionedBy,
  file: { path: string; bytes: number; content: 'data' | 'deletes'; snapshotId: Long; sequenceNumber: Long },
): ManifestFile {
  const files = [0, 0, 0]
  const rows = [0, 0, 0]
  let minSequenceNumber: Long = file.sequenceNumber
  for (const { status, sequenceNumber, file } of entries) {
    files[status]!++
    rows[status]! += file.recordCount
    if (status !== DELETED && sequenceNumber !== null && sequenceNumber < minSequenceNumber)
      minSequenceNumber = sequenceNumber
  }
  return {
    path: file.path,
    bytes: file.bytes,
    specId: by.spec['spec-id'],
    content: file.content,
    sequenceNumber: file.sequenceNumber,
    minSequenceNumber,
    addedSnapshotId: file.snapshotId,
    addedFiles: files[ADDED]!,
    existingFiles: files[EXISTING]!,
    deletedFiles: files[DELETED]!,
    addedRows: rows[ADDED]!,
    existingRows: rows[EXISTING]!,
    deletedRows: rows[DELETED]!,
    partitions: by.spec.fields.map((_, i) => summarise(by.types[i]!, entries, i)),
    keyMetadata: null,
  }
}

function summarise(type: string, entries: readonly ManifestEntry[], i: number): FieldSummary {
  let containsNull = false
  let containsNan = false
  let lower: Value | null = null
  let upper: Value | null = null
  for (const { file } of entries) {
    const value = file.partition[i] ?? null
    if (value === null) containsNull = true
    else if (Number.isNaN(value)) containsNan = true
    else {
      if (lower === null || compareValues(type, value, lower) < 0) lower = value
      if (upper === null || compareValues(type, value, upper) > 0) upper = value
    }
  }
  return {
    containsNull,
    containsNan,
    lower: lower === null ? null : toBytes(type, lower),
    upper: upper === null ? null : toBytes(type, upper),
  }
}

/** Gives entries what they inherit from their manifest. */
export const inherit = (entries: readonly ManifestEntry[], manifest: ManifestFile): LiveEntry[] =>
  entries.map((entry) => ({
    ...entry,
    snapshotId: entry.snapshotId ?? manifest.addedSnapshotId,
    sequenceNumber: entry.sequenceNumber ?? manifest.sequenceNumber,
    fileSequenceNumber: entry.fileSequenceNumber ?? manifest.sequenceNumber,
  }))
