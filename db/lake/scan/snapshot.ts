/** Which snapshot is meant: the current one, one by its id, the one at a time, or a branch's or tag's. Pure; errors name what there is. */
import {
  currentSchema,
  currentSnapshot,
  type Snapshot,
  schemaById,
  snapshotById,
  type TableMetadata,
} from '../metadata/table-metadata.ts'
import type { Long } from '../types/json.ts'
import type { Schema } from '../types/schema.ts'

/** At most one of them. */
export interface SnapshotChoice {
  snapshotId?: Long
  /** Epoch milliseconds: what was current then. */
  asOfMs?: number
  ref?: string
}

/** null: a table that has never been written, and none was asked for. */
export function chooseSnapshot(
  metadata: TableMetadata,
  { snapshotId, asOfMs, ref }: SnapshotChoice = {},
): Snapshot | null {
  if (snapshotId !== undefined) return known(metadata, snapshotId, `the snapshot ${snapshotId}`)
  if (ref !== undefined) {
    const found = metadata.refs[ref]
    if (!found)
      throw new Error(
        `The table has no branch or tag "${ref}". It has ${Object.keys(metadata.refs).join(', ') || 'none'}.`,
      )
    return known(metadata, found['snapshot-id'], `the snapshot of "${ref}"`)
  }
  if (asOfMs === undefined) return currentSnapshot(metadata)
  const then = metadata['snapshot-log'].findLast((entry) => entry['timestamp-ms'] <= asOfMs)
  if (!then) {
    const first = metadata['snapshot-log'][0]
    throw new Error(
      `The table has no snapshot as of ${new Date(asOfMs).toISOString()}. ${first ? `Its oldest is of ${new Date(first['timestamp-ms']).toISOString()}.` : 'It has none at all.'}`,
    )
  }
  return known(metadata, then['snapshot-id'], `the snapshot as of ${new Date(asOfMs).toISOString()}`)
}

function known(metadata: TableMetadata, id: Long, what: string): Snapshot {
  const snapshot = snapshotById(metadata, id)
  if (!snapshot) throw new Error(`The table no longer has ${what}: it has expired, or never was.`)
  return snapshot
}

/** Travelling in time shows the columns of then; the current snapshot shows those of now. */
export function schemaOfSnapshot(metadata: TableMetadata, snapshot: Snapshot | null): Schema {
  const id = snapshot?.['schema-id']
  const isCurrent = snapshot === null || snapshot['snapshot-id'] === metadata['current-snapshot-id']
  return isCurrent || id === undefined ? currentSchema(metadata) : schemaById(metadata, id)
}
