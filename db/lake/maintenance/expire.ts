/**
 * Snapshot expiry: old snapshots leave the metadata, then the files that only they needed are removed.
 *
 * Invariant: the commit comes first; a file is removed only if no snapshot of the committed metadata reaches it. The heads of branches and tags never expire.
 */
import type { TableName } from '../catalog/catalog.ts'
import { commit } from '../commit/commit.ts'
import { type Lake, loadTable } from '../commit/lake.ts'
import { removeSnapshots } from '../metadata/changes.ts'
import { ancestors, type TableMetadata } from '../metadata/table-metadata.ts'
import { lakeSpan } from '../spans.ts'
import type { Long } from '../types/json.ts'
import { reachableFiles } from './reachable.ts'

export interface ExpireOptions {
  /** Snapshots made before go; epoch milliseconds. */
  olderThanMs: number
  /** As many of `main`'s newest stay whatever their age. Default: 1. */
  retainLast?: number
  /** Lists what would be done, and does nothing. */
  dryRun?: boolean
}

export interface Expired {
  snapshots: Long[]
  files: string[]
}

/**
 * Pure. What is kept: heads of branches and tags, a branch's newest, and what is younger than asked for. A branch's own `min-snapshots-to-keep` and `max-snapshot-age-ms` only
 * ever keep more: whoever set them on the table meant it.
 */
export function snapshotsToExpire(
  metadata: TableMetadata,
  { olderThanMs, retainLast = 1 }: ExpireOptions,
  nowMs: number,
): Set<Long> {
  const keep = new Set<Long>()
  for (const ref of Object.values(metadata.refs)) {
    keep.add(ref['snapshot-id'])
    if (ref.type !== 'branch') continue
    const count = Math.max(retainLast, ref['min-snapshots-to-keep'] ?? 0)
    const keptAge = nowMs - (ref['max-snapshot-age-ms'] ?? 0)
    let i = 0
    for (const snapshot of ancestors(metadata, ref['snapshot-id']))
      if (i++ < count || snapshot['timestamp-ms'] >= keptAge) keep.add(snapshot['snapshot-id'])
  }
  const old = metadata.snapshots.filter((each) => each['timestamp-ms'] < olderThanMs)
  return new Set(old.map((each) => each['snapshot-id']).filter((id) => !keep.has(id)))
}

/** @throws as `commit` does */
export const expireSnapshots = (lake: Lake, name: TableName, options: ExpireOptions): Promise<Expired> =>
  lakeSpan('expire', name, () => expire(lake, name, options))

async function expire(lake: Lake, name: TableName, options: ExpireOptions): Promise<Expired> {
  let before = (await loadTable(lake, name)).metadata
  let ids = snapshotsToExpire(before, options, lake.clock.now())
  let after = removeSnapshots(before, ids, lake.clock.now())
  if (!options.dryRun && ids.size > 0) {
    const table = await commit(lake, name, ({ metadata }) => {
      before = metadata
      ids = snapshotsToExpire(metadata, options, lake.clock.now())
      return ids.size === 0 ? null : { metadata: removeSnapshots(metadata, ids, lake.clock.now()) }
    })
    after = table.metadata
  }
  if (ids.size === 0) return { snapshots: [], files: [] }
  const files = await namedOnlyBy(lake, before, ids, after)
  if (!options.dryRun) await lake.files.delete(files)
  return { snapshots: [...ids], files }
}

/** @returns files that the snapshots `ids` of `before` name, and no snapshot of `after` */
export async function namedOnlyBy(
  lake: Lake,
  before: TableMetadata,
  ids: ReadonlySet<Long>,
  after: TableMetadata,
): Promise<string[]> {
  const gone = { ...before, snapshots: before.snapshots.filter((each) => ids.has(each['snapshot-id'])) }
  const statistics = (key: 'statistics' | 'partition-statistics') =>
    (before[key] ?? []).filter((each) => ids.has(each['snapshot-id']))
  const needed = await reachableFiles(lake, after)
  const had = await reachableFiles(
    lake,
    {
      ...gone,
      statistics: statistics('statistics'),
      'partition-statistics': statistics('partition-statistics'),
    },
    { skip: needed },
  )
  return [...had].filter((file) => !needed.has(file)).sort()
}
