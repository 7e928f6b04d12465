/** Many small files of a day, some with a person in them: two are written, and copied under as many names as are wanted. */
import {
  appendFiles,
  type Columns,
  type DataFile,
  type Lake,
  loadTable,
  openWriter,
  type TableName,
} from '../../db/lake/index.ts'
import { columnsOf } from './table.ts'

/** Stands between the ids of others, so that no file's bounds exclude it. */
export const PERSON = 'user-000abc-to-forget'

const DAY_MICROS = 86_400_000_000

interface Templates {
  withPerson: DataFile
  without: DataFile
}

export async function writeDay(
  lake: Lake,
  name: TableName,
  { day, rows }: { day: number; rows: number },
): Promise<Templates> {
  const { metadata } = await loadTable(lake, name)
  const write = async (person: boolean): Promise<DataFile> => {
    const columns = columnsOf({ from: day * rows, rows, days: 1 })
    const later = (times: Columns[string] = []) => Array.from(times, (time) => Number(time) + day * DAY_MICROS)
    const users = Array.from(columns.user_id!, (user, i) => (person && i === 0 ? PERSON : user))
    const moved = { event_time: later(columns.event_time), received_at: later(columns.received_at), user_id: users }
    const writer = await openWriter(lake, metadata, { threads: 1 })
    await writer.append({ ...columns, ...moved }, rows)
    return (await writer.finish())[0]!
  }
  return { withPerson: await write(true), without: await write(false) }
}

export async function copyDay(
  lake: Lake,
  name: TableName,
  templates: Templates,
  counts: Readonly<Record<keyof Templates, number>>,
): Promise<void> {
  const copies: DataFile[] = []
  for (const kind of ['withPerson', 'without'] as const) {
    const file = templates[kind]
    const local = await lake.files.local(file.path, '')
    for (let i = 0; i < counts[kind]; i++) {
      const path = file.path.replace(/[^/]*$/, `${lake.ids.uuid()}.parquet`)
      await lake.files.writeFile(path, local)
      copies.push({ ...file, path })
    }
  }
  await lake.files.delete([templates.withPerson.path, templates.without.path])
  await appendFiles(lake, name, copies)
}
