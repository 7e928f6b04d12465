/**
 * Which delete files concern which data files. Pure.
 *
 * Position deletes apply to files not younger than they are, equality deletes to older ones; those of an unpartitioned spec to all partitions.
 * Source: https://iceberg.apache.org/spec/#scan-planning
 */
import { type DataFile, EQUALITY_DELETES, type LiveEntry, onlyFile } from '../manifest/data-file.ts'
import { specById, type TableMetadata } from '../metadata/table-metadata.ts'
import type { Long } from '../types/json.ts'
import { partitionKey } from '../types/partition-spec.ts'
import { fieldById, type Schema } from '../types/schema.ts'
import type { Field } from '../types/types.ts'

/** A delete file with what it takes to apply it. */
export interface DeleteFile extends DataFile {
  readonly sequenceNumber: Long
  /** Of equality deletes: the columns that must be equal, also those that have since been dropped. null: one of them is unknown, or within a nested one. */
  readonly equalityFields: readonly Field[] | null
  /** Of equality deletes: whether they concern every partition. */
  readonly everywhere: boolean
}

/** @param schema the scan's, whose types win over those of the table's other schemas */
export function indexDeletes(entries: readonly LiveEntry[], metadata: TableMetadata, schema: Schema) {
  const byPath = new Map<string, DeleteFile[]>()
  const byPartition = new Map<string, DeleteFile[]>()
  const everywhere: DeleteFile[] = []
  const put = (index: Map<string, DeleteFile[]>, key: string, file: DeleteFile): void => {
    const known = index.get(key)
    if (known) known.push(file)
    else index.set(key, [file])
  }
  const schemas = [schema, ...[...metadata.schemas].reverse()]
  for (const { file, sequenceNumber } of entries) {
    const byEquality = file.content === EQUALITY_DELETES
    const deleteFile: DeleteFile = {
      ...file,
      sequenceNumber,
      equalityFields: byEquality ? fieldsOf(schemas, file.equalityIds ?? []) : [],
      everywhere: byEquality && specById(metadata, file.specId).fields.length === 0,
    }
    const path = byEquality ? null : onlyFile(file)
    if (path !== null) put(byPath, path, deleteFile)
    else if (deleteFile.everywhere) everywhere.push(deleteFile)
    else put(byPartition, partitionKey(file.specId, file.partition), deleteFile)
  }
  const none: readonly DeleteFile[] = []
  return ({ file, sequenceNumber }: LiveEntry): readonly DeleteFile[] => {
    if (entries.length === 0) return none
    return [
      ...(byPath.get(file.path) ?? []),
      ...(byPartition.get(partitionKey(file.specId, file.partition)) ?? []),
      ...everywhere,
    ].filter((each) =>
      each.content === EQUALITY_DELETES ? each.sequenceNumber > sequenceNumber : each.sequenceNumber >= sequenceNumber,
    )
  }
}

/** A column that was dropped deletes by its values all the same: files from before still have them. */
function fieldsOf(schemas: readonly Schema[], ids: readonly number[]): Field[] | null {
  const fields: Field[] = []
  for (const id of ids) {
    const field = schemas.map((schema) => fieldById(schema, id)).find((found) => found !== undefined)
    if (!field || typeof field.type !== 'string') return null
    fields.push(field)
  }
  return fields.length > 0 ? fields : null
}
