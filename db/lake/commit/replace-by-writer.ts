/**
 * A scope's rows replaced by what another engine writes. It writes into a table of its own, made for this with the target's schema and partitioning, whose files lie within the target's folder; the
 * files it has there when it is done become the target's in one commit, and the table for it is forgotten.
 *
 * Invariants: until the commit the target is as it was; field ids and partitions fit, since both tables have the same; what is left by a process that was killed is found by the sweep of the
 * target's orphans.
 */
import { type TableName, tableText } from '../catalog/catalog.ts'
import type { DataFile } from '../manifest/data-file.ts'
import { currentSchema, currentSnapshot, defaultSpec, type TableMetadata } from '../metadata/table-metadata.ts'
import { dataFolder } from '../parquet/copy.ts'
import { planScan } from '../scan/plan.ts'
import type { ReplacedByQuery } from '../sql/replace-by-query.ts'
import { CommitRefused, forget, UnknownOutcome } from './commit.ts'
import { createTable, type Lake, loadTable, type Table } from './lake.ts'
import { planScope, replaceScope, type Scope } from './scope.ts'

export interface WriterReplacement {
  scope: Scope
  /** Of the table that is made for it. One that is left from before is replaced: only one writer of a name can come to its end. */
  scratch: TableName
  /** Has the engine write all rows of the scope. */
  write(): Promise<void>
  /** Keys of the caller's own in the snapshot's summary. */
  summary?: Readonly<Record<string, string>>
  signal?: AbortSignal | undefined
}

/** @throws CommitRefused when the target, or the table for it, was changed meanwhile: do it again; what `write` throws; UnknownOutcome */
export async function replaceByWriter(
  lake: Lake,
  target: Table,
  { scope, scratch, write, summary, signal }: WriterReplacement,
): Promise<ReplacedByQuery> {
  const { name, metadata } = target
  const plan = await planScope(lake, target, scope)
  const folder = `${dataFolder(metadata)}/${lake.ids.uuid()}`
  await lake.catalog.drop(scratch)
  const made = await createTable(
    lake,
    scratch,
    { schema: currentSchema(metadata), spec: defaultSpec(metadata) },
    folder,
  )
  const same = async (): Promise<Table> => {
    const now = await loadTable(lake, scratch).catch(() => null)
    if (now?.metadata['table-uuid'] === made.metadata['table-uuid']) return now
    throw new CommitRefused(`The table ${tableText(scratch)} was taken by another writer of it. Nothing was committed.`)
  }
  let kept = false
  try {
    signal?.throwIfAborted()
    await write()
    signal?.throwIfAborted()
    const added = await filesOf(lake, target, await same())
    try {
      const after = await replaceScope(lake, name, plan, { added, ...(summary && { summary }) })
      kept = true
      return {
        rows: added.reduce((sum, file) => sum + file.recordCount, 0),
        files: added.length,
        snapshotId: currentSnapshot(after.metadata)?.['snapshot-id'] ?? null,
      }
    } catch (error) {
      kept = error instanceof UnknownOutcome
      throw error
    }
  } finally {
    const left = await same().catch(() => null)
    if (left) await lake.catalog.drop(scratch, left.metadataLocation).catch(() => {})
    await sweep(lake, kept ? `${folder}/metadata` : folder)
  }
}

/** The files of the table that was written, as files of the target. @throws Error in a sentence for what can't be one */
async function filesOf(lake: Lake, { name, metadata }: Table, written: Table): Promise<DataFile[]> {
  const shape = (of: TableMetadata) =>
    JSON.stringify([
      currentSchema(of).fields.map(({ id, name, type }) => [id, name, type]),
      defaultSpec(of).fields.map((field) => [field['source-id'], field['field-id'], field.transform]),
    ])
  if (shape(metadata) !== shape(written.metadata))
    throw new Error(
      `The columns or the partitioning of ${tableText(written.name)} were changed by its writer; they must be those of ${tableText(name)}.`,
    )
  const place = `${lake.files.normalise(metadata.location)}/`
  const { files } = await planScan(lake, written.metadata)
  return files.map(({ file, deletes }) => {
    if (deletes.length > 0)
      throw new Error(`The writer of ${tableText(name)} deleted rows it had written; it must only insert.`)
    if (file.format !== 'PARQUET')
      throw new Error(
        `The writer of ${tableText(name)} wrote ${file.path} as ${file.format}; set its format to Parquet.`,
      )
    if (!lake.files.normalise(file.path).startsWith(place))
      throw new Error(
        `The writer of ${tableText(name)} put ${file.path} outside of the table's folder ${metadata.location}.`,
      )
    return { ...file, specId: metadata['default-spec-id'] }
  })
}

/** What can't be removed now is left for the removal of orphans. */
async function sweep(lake: Lake, prefix: string): Promise<void> {
  try {
    for await (const page of lake.files.list(`${prefix}/`))
      await forget(
        lake,
        page.map(({ uri }) => uri),
      )
  } catch {
    // As above.
  }
}
