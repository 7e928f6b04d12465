/** A snapshot's summary: what it added and removed, and totals carried forward from its parent's. All values are text, as Iceberg wants it. Pure. */
import { DATA, type DataFile, EQUALITY_DELETES, POSITION_DELETES } from '../manifest/data-file.ts'
import { partitionKey } from '../types/partition-spec.ts'
import type { Snapshot } from './table-metadata.ts'

export type Operation = 'append' | 'replace' | 'overwrite' | 'delete'

interface Sum {
  dataFiles: number
  deleteFiles: number
  records: number
  bytes: number
  positionDeletes: number
  equalityDeletes: number
}

function sum(files: readonly DataFile[]): Sum {
  const total: Sum = { dataFiles: 0, deleteFiles: 0, records: 0, bytes: 0, positionDeletes: 0, equalityDeletes: 0 }
  for (const { content, recordCount, bytes } of files) {
    total.bytes += bytes
    if (content === DATA) {
      total.dataFiles++
      total.records += recordCount
    } else {
      total.deleteFiles++
      if (content === POSITION_DELETES) total.positionDeletes += recordCount
      if (content === EQUALITY_DELETES) total.equalityDeletes += recordCount
    }
  }
  return total
}

/** @param extra the caller's own keys, e.g. the log's offsets; Iceberg's keys win over them */
export function summaryOf(
  operation: Operation,
  { added, removed }: { added: readonly DataFile[]; removed: readonly DataFile[] },
  parent: Snapshot | null,
  extra: Readonly<Record<string, string>> = {},
): Snapshot['summary'] {
  const [plus, minus] = [sum(added), sum(removed)]
  const summary: Record<string, string> = {}
  const count = (key: string, n: number): void => {
    if (n > 0) summary[key] = String(n)
  }
  count('added-data-files', plus.dataFiles)
  count('deleted-data-files', minus.dataFiles)
  count('added-records', plus.records)
  count('deleted-records', minus.records)
  count('added-delete-files', plus.deleteFiles)
  count('removed-delete-files', minus.deleteFiles)
  count('added-position-deletes', plus.positionDeletes)
  count('removed-position-deletes', minus.positionDeletes)
  count('added-equality-deletes', plus.equalityDeletes)
  count('removed-equality-deletes', minus.equalityDeletes)
  count('added-files-size', plus.bytes)
  count('removed-files-size', minus.bytes)
  const partitions = new Set([...added, ...removed].map((file) => partitionKey(file.specId, file.partition)))
  summary['changed-partition-count'] = String(partitions.size)
  const total = (key: string, change: number): void => {
    const before = parent === null ? '0' : parent.summary?.[key]
    // A parent without totals was written by an engine that keeps none: a total made up here would be wrong for ever.
    if (before !== undefined && /^\d+$/.test(before)) summary[key] = String(BigInt(before) + BigInt(change))
  }
  total('total-records', plus.records - minus.records)
  total('total-data-files', plus.dataFiles - minus.dataFiles)
  total('total-files-size', plus.bytes - minus.bytes)
  total('total-delete-files', plus.deleteFiles - minus.deleteFiles)
  total('total-position-deletes', plus.positionDeletes - minus.positionDeletes)
  total('total-equality-deletes', plus.equalityDeletes - minus.equalityDeletes)
  return { ...extra, ...summary, operation }
}
