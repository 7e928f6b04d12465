/** Tables of many small files: made once, then copied file by file for each that compacts them, commits and all, so that everyone has the same before them. */
import { appendFiles, type DataFile, type Lake, openWriter, tableName } from '../../db/lake/index.ts'
import { columnsOf, createEvents } from './table.ts'

export interface SmallFiles {
  /** The files of each commit. */
  commits: readonly (readonly DataFile[])[]
  /** Folder of the table, a URI. */
  location: string
}

/** @param days one file for each in every commit */
export async function writeSmallFiles(
  lake: Lake,
  path: string,
  { rows, commits, days }: { rows: number; commits: number; days: number },
): Promise<SmallFiles> {
  const { name, metadata } = await createEvents(lake, path)
  const done: DataFile[][] = []
  for (let i = 0; i < commits; i++) {
    const from = Math.floor((i * rows) / commits)
    const count = Math.floor(((i + 1) * rows) / commits) - from
    const writer = await openWriter(lake, metadata, { threads: 1 })
    await writer.append(columnsOf({ from, rows: count, days }), count)
    const files = await writer.finish()
    await appendFiles(lake, name, files)
    done.push(files)
  }
  return { commits: done, location: metadata.location }
}

export async function copyTable(lake: Lake, { commits, location }: SmallFiles, path: string): Promise<void> {
  const { metadata } = await createEvents(lake, path)
  for (const files of commits) {
    const copies = files.map((file) => ({ ...file, path: file.path.replace(location, metadata.location) }))
    for (const [i, copy] of copies.entries())
      await lake.files.writeFile(copy.path, await lake.files.local(files[i]!.path, ''))
    await appendFiles(lake, tableName(path), copies)
  }
}
