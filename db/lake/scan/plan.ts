/**
 * Scan planning: the files of a snapshot that may hold rows meeting the conditions. Manifests are left out by their ranges of partitions, files by partition and by bounds.
 *
 * Invariant: no file with a matching row is left out, and every delete file that concerns a planned file is named with it.
 */
import type { Lake } from '../commit/lake.ts'
import { inBatches } from '../files/in-batches.ts'
import { DATA, type DataFile, isLive } from '../manifest/data-file.ts'
import type { PartitionedBy } from '../manifest/manifest.ts'
import type { ManifestFile } from '../manifest/manifest-list.ts'
import { partitionedBy } from '../manifest/manifest-reader.ts'
import type { Snapshot, TableMetadata } from '../metadata/table-metadata.ts'
import { readBound } from '../types/bounds.ts'
import type { Long } from '../types/json.ts'
import { fieldById, fieldNamed, type Schema } from '../types/schema.ts'
import type { Field } from '../types/types.ts'
import { type DeleteFile, indexDeletes } from './deletes.ts'
import { mayMatch, onPartition, type Predicate } from './predicate.ts'
import { chooseSnapshot, type SnapshotChoice, schemaOfSnapshot } from './snapshot.ts'

export interface ScanFile {
  file: DataFile
  sequenceNumber: Long
  snapshotId: Long
  /** Delete files that may remove rows of it. */
  deletes: readonly DeleteFile[]
}

export interface ScanPlan {
  /** The table's place, for errors. */
  location: string
  snapshot: Snapshot | null
  schema: Schema
  files: ScanFile[]
  predicates: readonly Predicate[]
  manifests: { total: number; read: number }
}

/** What it takes to read a plan, or some of its files. */
export type PlannedFiles = Pick<ScanPlan, 'files' | 'schema' | 'predicates'> &
  Partial<Pick<ScanPlan, 'location' | 'snapshot'>>

export interface ScanOptions extends SnapshotChoice {
  where?: readonly Predicate[]
}

/** @throws Error when a column or the snapshot is unknown */
export async function planScan(lake: Lake, metadata: TableMetadata, options: ScanOptions = {}): Promise<ScanPlan> {
  const snapshot = chooseSnapshot(metadata, options)
  const schema = schemaOfSnapshot(metadata, snapshot)
  const predicates = options.where ?? []
  const conditions = predicates.map((predicate) => ({ predicate, field: fieldNamed(schema, predicate.column) }))
  const manifests = await lake.manifests.list(snapshot)
  const wanted = manifests.filter(
    (manifest) =>
      (manifest.content === 'deletes' || manifest.addedFiles + manifest.existingFiles > 0) &&
      manifestMayMatch(metadata, manifest, conditions),
  )
  const read = await inBatches(wanted, async (manifest) => {
    const by = partitionedBy(metadata, manifest.specId)
    const live = (await lake.manifests.entries(metadata, manifest)).filter(isLive)
    return live.filter(
      ({ file }) =>
        partitionMayMatch(by, file, conditions) && (file.content !== DATA || boundsMayMatch(file, conditions)),
    )
  })
  const entries = read.flat()
  const deletes = indexDeletes(
    entries.filter((entry) => entry.file.content !== DATA),
    metadata,
    schema,
  )
  const files = entries
    .filter((entry) => entry.file.content === DATA)
    .map((entry) => ({
      file: entry.file,
      sequenceNumber: entry.sequenceNumber,
      snapshotId: entry.snapshotId,
      deletes: deletes(entry),
    }))
  const { location } = metadata
  return { location, snapshot, schema, files, predicates, manifests: { total: manifests.length, read: wanted.length } }
}

export type Condition = { predicate: Predicate; field: Field }

function manifestMayMatch(metadata: TableMetadata, manifest: ManifestFile, conditions: readonly Condition[]): boolean {
  if (manifest.partitions === null || conditions.length === 0) return true
  const { spec, types } = partitionedBy(metadata, manifest.specId)
  // Deletes of an unpartitioned spec concern all partitions; they have no ranges to be left out by.
  return spec.fields.every((field, i) =>
    conditions.every(({ predicate, field: column }) => {
      const summary = manifest.partitions?.[i]
      if (field['source-id'] !== column.id || !summary) return true
      const condition = onPartition(predicate, field.transform, column.type)
      const type = types[i]!
      const range = {
        lower: readBound(type, summary.lower ?? undefined),
        upper: readBound(type, summary.upper ?? undefined),
        mayHaveNull: summary.containsNull,
        mayHaveValue: summary.lower !== null || summary.containsNan !== false || !summary.containsNull,
      }
      return condition === null || mayMatch(type, range, condition)
    }),
  )
}

function partitionMayMatch({ spec, types }: PartitionedBy, file: DataFile, conditions: readonly Condition[]): boolean {
  return spec.fields.every((field, i) =>
    conditions.every(({ predicate, field: column }) => {
      if (field['source-id'] !== column.id) return true
      const condition = onPartition(predicate, field.transform, column.type)
      const value = file.partition[i] ?? null
      const range = {
        lower: value ?? undefined,
        upper: value ?? undefined,
        mayHaveNull: value === null,
        mayHaveValue: value !== null,
      }
      return condition === null || mayMatch(types[i]!, range, condition)
    }),
  )
}

/** Whether the file's figures let it have a row that meets all conditions. */
export function boundsMayMatch(file: DataFile, conditions: readonly Condition[]): boolean {
  return conditions.every(({ predicate, field: { id, type } }) => {
    if (typeof type !== 'string') return true
    const nulls = file.nullCounts.get(id)
    const values = file.valueCounts.get(id)
    const lower = readBound(type, file.lowerBounds.get(id))
    const upper = readBound(type, file.upperBounds.get(id))
    // A column that the file does not have is null in every row of it, and then has no figures at all.
    const mayHaveNull = nulls === undefined || nulls > 0
    const mayHaveValue = nulls === undefined || values === undefined || values > nulls
    return mayMatch(type, { lower, upper, mayHaveNull, mayHaveValue }, predicate)
  })
}

/** The columns asked for, in the schema's order when none are named. */
export const projected = (schema: Schema, names?: readonly string[]): Field[] =>
  names ? names.map((name) => fieldById(schema, fieldNamed(schema, name).id)!) : [...schema.fields]
