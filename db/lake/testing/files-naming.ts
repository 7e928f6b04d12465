/**
 * Which files below a place of a lake have any of some texts in them: their bytes as they lie there, the columns of Parquet files (those that no schema names any more included), the records of Avro
 * files. What a judge of an erasure searches with: it knows nothing of tables, snapshots or manifests.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readAvro } from '../avro/container.ts'
import type { Lake } from '../commit/lake.ts'
import { literalPath, openDuck, queryObjects, quote } from '../parquet/duck.ts'

/** @returns their URIs */
export async function filesNaming(lake: Lake, place: string, texts: readonly string[]): Promise<string[]> {
  const duck = await openDuck({ memoryMb: 128, threads: 1 })
  const copies = await mkdtemp(join(duck.folder, 'copies-'))
  const found: string[] = []
  try {
    for await (const page of lake.files.list(`${place}/`))
      for (const { uri } of page) {
        const bytes = await lake.files.read(uri)
        const has = (content: Buffer) => texts.some((text) => content.includes(text))
        if (has(bytes)) found.push(uri)
        else if (uri.endsWith('.parquet')) {
          const path = await lake.files.local(uri, copies)
          // A row as JSON: every column, nested ones too; bytes as text where they are printable.
          const names = texts.map((text) => `contains(CAST(file AS VARCHAR), ${quote(text)})`).join(' OR ')
          const [rows] = await queryObjects(
            duck.connection,
            `SELECT count(*)::DOUBLE AS named FROM read_parquet(${literalPath(path)}, hive_partitioning = false) AS file WHERE ${names}`,
          )
          if (Number(rows?.named) > 0) found.push(uri)
        } else if (uri.endsWith('.avro')) {
          const decoded = readAvro(bytes).records.map((record) => Buffer.concat([...bytesIn(record)]))
          if (decoded.some(has)) found.push(uri)
        }
      }
    return found.sort()
  } finally {
    await rm(copies, { recursive: true, force: true })
    await duck.close()
  }
}

function* bytesIn(value: unknown): Generator<Buffer> {
  if (typeof value === 'string') yield Buffer.from(`${value}\n`)
  else if (value instanceof Uint8Array) yield Buffer.concat([value, Buffer.from('\n')])
  else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) yield* bytesIn(each)
}
