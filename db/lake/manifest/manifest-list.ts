/**
 * Manifest lists: one Avro file per snapshot that names its manifests, with counts and the range of partitions in each.
 */
import { readAvro, typeOf, writeAvro } from '../avro/container.ts'
import { fieldsById } from '../avro/field-ids.ts'
import type { Long } from '../types/json.ts'
import { MANIFEST_LIST_SCHEMA } from './manifest-schema.ts'

/** Of one partition field over all entries of a manifest. Bounds are single-value bytes; null where every value is. */
export interface FieldSummary {
  containsNull: boolean
  containsNan: boolean | null
  lower: Uint8Array | null
  upper: Uint8Array | null
}

export interface ManifestFile {
  path: string
  bytes: number
  specId: number
  content: 'data' | 'deletes'
  sequenceNumber: Long
  minSequenceNumber: Long
  addedSnapshotId: Long
  addedFiles: number
  existingFiles: number
  deletedFiles: number
  addedRows: Long
  existingRows: Long
  deletedRows: Long
  /** null: the writer left them out. */
  partitions: FieldSummary[] | null
  keyMetadata: Uint8Array | null
}

const type = typeOf(MANIFEST_LIST_SCHEMA)

export function writeManifestList(
  manifests: readonly ManifestFile[],
  snapshot: { snapshotId: Long; parentId: Long | null; sequenceNumber: Long },
): Buffer {
  const records = manifests.map((manifest) => ({
    manifest_path: manifest.path,
    manifest_length: manifest.bytes,
    partition_spec_id: manifest.specId,
    content: manifest.content === 'data' ? 0 : 1,
    sequence_number: manifest.sequenceNumber,
    min_sequence_number: manifest.minSequenceNumber,
    added_snapshot_id: manifest.addedSnapshotId,
    added_files_count: manifest.addedFiles,
    existing_files_count: manifest.existingFiles,
    deleted_files_count: manifest.deletedFiles,
    added_rows_count: manifest.addedRows,
    existing_rows_count: manifest.existingRows,
    deleted_rows_count: manifest.deletedRows,
    partitions:
      manifest.partitions?.map(({ containsNull, containsNan, lower, upper }) => ({
        contains_null: containsNull,
        contains_nan: containsNan,
        lower_bound: lower && Buffer.from(lower),
        upper_bound: upper && Buffer.from(upper),
      })) ?? null,
    key_metadata: manifest.keyMetadata && Buffer.from(manifest.keyMetadata),
  }))
  return writeAvro(MANIFEST_LIST_SCHEMA, type, records, {
    'snapshot-id': String(snapshot.snapshotId),
    'parent-snapshot-id': String(snapshot.parentId),
    'sequence-number': String(snapshot.sequenceNumber),
    'format-version': '2',
  })
}

/** @throws Error in a sentence without the file's name, which the caller knows */
export function readManifestList(file: Buffer): ManifestFile[] {
  const { schema, records } = readAvro(file)
  const { names, schemas } = fieldsById(schema)
  const items = (schemas.get(507) as { items?: unknown }[] | { items?: unknown } | undefined) ?? undefined
  const array = Array.isArray(items) ? items.find((branch) => branch?.items) : items
  const summary = array ? fieldsById(array.items).names : new Map<number, string>()
  return records.map((record) => {
    const get = (id: number): unknown => (record as Record<string, unknown>)[names.get(id) ?? ''] ?? null
    const count = (id: number): number => Number(get(id) ?? 0)
    return {
      path: String(get(500)),
      bytes: count(501),
      specId: count(502),
      content: get(517) === 1 ? 'deletes' : 'data',
      sequenceNumber: (get(515) ?? 0) as Long,
      minSequenceNumber: (get(516) ?? 0) as Long,
      addedSnapshotId: (get(503) ?? 0) as Long,
      addedFiles: count(504),
      existingFiles: count(505),
      deletedFiles: count(506),
      addedRows: (get(512) ?? 0) as Long,
      existingRows: (get(513) ?? 0) as Long,
      deletedRows: (get(514) ?? 0) as Long,
      partitions: (get(507) as Record<string, unknown>[] | null)?.map((each) => readSummary(each, summary)) ?? null,
      keyMetadata: get(519) as Uint8Array | null,
    }
  })
}

function readSummary(record: Record<string, unknown>, names: Map<number, string>): FieldSummary {
  const get = (id: number): unknown => record[names.get(id) ?? ''] ?? null
  return {
    containsNull: get(509) === true,
    containsNan: get(518) as boolean | null,
    lower: get(510) as Uint8Array | null,
    upper: get(511) as Uint8Array | null,
  }
}
