/**
 * Updates of a table's snapshots, branches and tags. Pure.
 *
 * Invariants: sequence numbers only grow; `current-snapshot-id` is the head of `main`; times in the snapshot log don't go back, whatever a client's clock says, since readers insist on that.
 */
import { removeSnapshots } from '../metadata/changes.ts'
import { type Snapshot, type SnapshotRef, snapshotById } from '../metadata/table-metadata.ts'
import { amend, canonical, type Draft } from './draft.ts'
import { badRequest, CatalogRefused } from './refused.ts'
import type { UpdateOf } from './requests.ts'

const MAIN = 'main'

export function addSnapshot(draft: Draft, { snapshot: given }: UpdateOf<'add-snapshot'>): Draft {
  const { metadata } = draft
  const id = given['snapshot-id']
  const snapshot = given as Snapshot // checked with the body, and without nulls
  if (snapshotById(metadata, id)) throw badRequest(`The table has a snapshot ${id} already.`)
  const [sequence, last] = [snapshot['sequence-number'], metadata['last-sequence-number']]
  if (sequence <= last)
    throw new CatalogRefused(
      'commit_failed',
      `The snapshot ${id} has the sequence number ${sequence}, and the table is at ${last} already. Read it again and repeat the change on what it is now.`,
    )
  const schemaId = snapshot['schema-id']
  if (schemaId !== undefined && !metadata.schemas.some((each) => each['schema-id'] === schemaId))
    throw badRequest(`The snapshot ${id} names the schema ${schemaId}, which the table does not have.`)
  return amend(
    draft,
    {
      snapshots: [...metadata.snapshots, snapshot],
      'last-sequence-number': sequence,
      'last-updated-ms': Math.max(metadata['last-updated-ms'], snapshot['timestamp-ms']),
    },
    { snapshots: new Set([...draft.added.snapshots, id]) },
  )
}

export function setRef(draft: Draft, update: UpdateOf<'set-snapshot-ref'>): Draft {
  const { metadata, added } = draft
  const { action: _, 'ref-name': name, 'snapshot-id': id } = update
  const snapshot = snapshotById(metadata, id)
  if (!snapshot) throw badRequest(`"${name}" can't be set to the snapshot ${id}: the table does not have it.`)
  if (name === MAIN && update.type !== 'branch') throw badRequest('"main" is a branch, and can be no tag.')
  const ref: SnapshotRef = { 'snapshot-id': id, type: update.type }
  for (const key of ['max-ref-age-ms', 'max-snapshot-age-ms', 'min-snapshots-to-keep'] as const) {
    const value = update[key]
    if (value == null) continue
    if (update.type === 'tag' && key !== 'max-ref-age-ms') throw badRequest(`A tag has no ${key}.`)
    Object.assign(ref, { [key]: value })
  }
  const known = metadata.refs[name]
  if (known && canonical(known) === canonical(ref)) return draft
  const refs = { ...metadata.refs, [name]: ref }
  if (name !== MAIN || metadata['current-snapshot-id'] === id) return amend(draft, { refs })
  // What was current only within this commit never was so for anybody else.
  const log = metadata['snapshot-log']
  const before = added.snapshots.has(log.at(-1)?.['snapshot-id'] ?? -1) ? log.slice(0, -1) : log
  const time = added.snapshots.has(id) ? snapshot['timestamp-ms'] : metadata['last-updated-ms']
  const timestamp = Math.max(time, before.at(-1)?.['timestamp-ms'] ?? 0)
  return amend(draft, {
    refs,
    'current-snapshot-id': id,
    'snapshot-log': [...before, { 'timestamp-ms': timestamp, 'snapshot-id': id }],
    'last-updated-ms': Math.max(metadata['last-updated-ms'], timestamp),
  })
}

export function removeRef(draft: Draft, { 'ref-name': name }: UpdateOf<'remove-snapshot-ref'>): Draft {
  const { [name]: gone, ...refs } = draft.metadata.refs
  if (!gone) return draft
  return amend(draft, { refs, ...(name === MAIN ? { 'current-snapshot-id': -1, 'snapshot-log': [] } : {}) })
}

/** Heads of branches and tags are looked for when all updates are applied: a commit may move them afterwards. */
export const dropSnapshots = (draft: Draft, { 'snapshot-ids': ids }: UpdateOf<'remove-snapshots'>): Draft =>
  ids.some((id) => snapshotById(draft.metadata, id))
    ? amend(draft, removeSnapshots(draft.metadata, new Set(ids), draft.metadata['last-updated-ms']))
    : draft

type StatisticsKey = 'statistics' | 'partition-statistics'

/** One file of each kind for a snapshot: the last one told. */
export function setStatistics(draft: Draft, key: StatisticsKey, file: UpdateOf<'set-statistics'>['statistics']): Draft {
  const id = file['snapshot-id']
  if (!snapshotById(draft.metadata, id))
    throw badRequest(`Statistics name the snapshot ${id}, which the table does not have.`)
  const others = (draft.metadata[key] ?? []).filter((each) => each['snapshot-id'] !== id)
  return amend(draft, { [key]: [...others, file] })
}

export function removeStatistics(draft: Draft, key: StatisticsKey, id: Snapshot['snapshot-id']): Draft {
  const all = draft.metadata[key] ?? []
  const kept = all.filter((each) => each['snapshot-id'] !== id)
  return kept.length === all.length ? draft : amend(draft, { [key]: kept })
}
