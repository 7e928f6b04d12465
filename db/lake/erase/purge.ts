/**
 * Everything before a snapshot leaves the table: older snapshots, tags and branches on them, the log of metadata files; then the files that only they named are removed.
 *
 * A list of those files is written before the commit that forgets their names, so that a process that is killed behind it leaves to the next what is still to be removed. Invariant: a file goes only if
 * no snapshot of the committed metadata reaches it.
 */
import type { TableName } from '../catalog/catalog.ts'
import { CommitRefused, commit } from '../commit/commit.ts'
import { type Lake, loadTable } from '../commit/lake.ts'
import { metadataFolder } from '../commit/manifests.ts'
import { namedOnlyBy } from '../maintenance/expire.ts'
import { metadataFiles, reachableFiles } from '../maintenance/reachable.ts'
import { removeSnapshots } from '../metadata/changes.ts'
import { ancestors, type TableMetadata } from '../metadata/table-metadata.ts'
import type { Long } from '../types/json.ts'

export interface Purged {
  snapshots: number
  refs: string[]
}

export interface Removed {
  files: number
  bytes: number
}

/**
 * The commit. @param from the oldest snapshot that stays; it and what came after it
 * @throws CommitRefused when it is no longer part of `main`: the table was rolled back
 */
export async function purgeBefore(lake: Lake, name: TableName, from: Long): Promise<Purged> {
  let purged: Purged = { snapshots: 0, refs: [] }
  await commit(lake, name, async ({ metadata }) => {
    const kept = since(metadata, from)
    if (kept === null)
      throw new CommitRefused(`The table was set back behind the snapshot ${from} meanwhile; look at it again.`)
    const gone = new Set(metadata.snapshots.map((each) => each['snapshot-id']).filter((id) => !kept.has(id)))
    const refs = Object.entries(metadata.refs)
    const after: TableMetadata = {
      ...removeSnapshots(metadata, gone, lake.clock.now()),
      refs: Object.fromEntries(refs.filter(([, ref]) => kept.has(ref['snapshot-id']))),
      'metadata-log': [],
    }
    purged = {
      snapshots: gone.size,
      refs: refs.filter(([, ref]) => !kept.has(ref['snapshot-id'])).map(([ref]) => ref),
    }
    const files = await namedOnlyBy(lake, metadata, gone, after)
    files.push(...metadata['metadata-log'].map((each) => lake.files.normalise(each['metadata-file'])))
    const list = `${listPrefix(metadata)}${lake.ids.uuid()}.json`
    await lake.files.write(list, Buffer.from(JSON.stringify(files)))
    return { metadata: after, written: [list] }
  })
  return purged
}

/** The snapshots of `main` from this one on; null where it is none of them. */
function since(metadata: TableMetadata, from: Long): Set<Long> | null {
  const kept = new Set<Long>()
  for (const snapshot of ancestors(metadata, metadata['current-snapshot-id'])) {
    kept.add(snapshot['snapshot-id'])
    if (snapshot['snapshot-id'] === from) return kept
  }
  return null
}

const listPrefix = (metadata: TableMetadata): string => `${metadataFolder(metadata)}/to-remove-`

/** Removes what lists of this table name, whoever wrote them, and the lists. */
export async function removeListed(lake: Lake, name: TableName): Promise<Removed> {
  const removed: Removed = { files: 0, bytes: 0 }
  const lists: string[] = []
  const first = (await loadTable(lake, name)).metadata
  for await (const page of lake.files.list(listPrefix(first))) lists.push(...page.map(({ uri }) => uri))
  for (const list of lists) {
    const listed = JSON.parse((await lake.files.read(list)).toString('utf8')) as string[]
    const table = await loadTable(lake, name)
    const needed = new Set([...(await reachableFiles(lake, table.metadata)), ...metadataFiles(lake, table)])
    const gone = new Set(listed.filter((uri) => !needed.has(uri)))
    for await (const page of lake.files.list(`${table.metadata.location}/`))
      for (const { uri, bytes } of page)
        if (gone.has(lake.files.normalise(uri))) {
          removed.files++
          removed.bytes += bytes
        }
    await lake.files.delete([...gone])
    // What is still named is so because the commit of this list is yet to come, or never came.
    if (gone.size === listed.length) await lake.files.delete([list])
  }
  return removed
}
