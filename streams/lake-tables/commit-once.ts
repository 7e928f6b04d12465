/**
 * Data files become part of a table exactly once, in one commit with a mark of how far the table has come by them. What the mark is, the caller says: the log's offsets, the rows of a file.
 *
 * Invariants: nothing is committed unless the table is exactly where the files begin, which is checked in the commit's own compare-and-swap; so an attempt that is made again, late, or by two
 * at once commits at most once. Files that may have been committed are never removed.
 */
import {
  appendFiles,
  CommitRefused,
  type DataFile,
  type Lake,
  loadTable,
  type TableMetadata,
  tableName,
  UnknownOutcome,
} from '../../db/lake/index.ts'

type Texts = Readonly<Record<string, string>>

/** From where to where the files take the table. */
export interface Step {
  /** @throws CommitRefused unless the table is exactly where the files begin */
  requireBefore(metadata: TableMetadata): void
  /** Whether the table is where the files end: it has them. */
  isAfter(metadata: TableMetadata): boolean
  /** The mark, for the snapshot's summary and the table's properties. */
  after(metadata: TableMetadata): { summary: Texts; properties: Texts }
}

export interface Target {
  lake: Lake
  /** `namespace.table` */
  table: string
  /** Of the table that the files were written for. */
  uuid: string
}

/**
 * @param again makes the attempt, as often as the caller wants
 * @throws CommitRefused where another has written meanwhile, and what `again` lets pass
 */
export async function commitOnce(
  { lake, table, uuid }: Target,
  files: readonly DataFile[],
  step: Step,
  again: (attempt: () => Promise<void>) => Promise<void> = (attempt) => attempt(),
): Promise<void> {
  const name = tableName(table)
  let mayBeThere = false
  try {
    await again(async () => {
      try {
        await appendFiles(lake, name, files, {
          check(metadata) {
            requireSame(table, uuid, metadata)
            step.requireBefore(metadata)
          },
          summary: (metadata) => step.after(metadata).summary,
          properties: (metadata) => step.after(metadata).properties,
        })
      } catch (error) {
        if (error instanceof UnknownOutcome) mayBeThere = true
        if (!(error instanceof CommitRefused)) throw error
        // The attempt before this one has done it after all; or another has written the very same rows.
        if (!step.isAfter((await loadTable(lake, name)).metadata)) throw error
      }
    })
  } catch (error) {
    // What can't be removed now is left for the removal of orphans.
    if (!mayBeThere && error instanceof CommitRefused)
      await lake.files.delete(files.map(({ path }) => path)).catch(() => {})
    throw error
  }
}

/** One of the same name that was made meanwhile lacks what the other had, and has other field ids. @throws CommitRefused */
export function requireSame(table: string, uuid: string, metadata: TableMetadata): void {
  if (metadata['table-uuid'] !== uuid) throw new CommitRefused(`${table} was dropped, and made anew.`)
}
