/**
 * Looks for texts in everything that a platform keeps, each kind of store read in its own form: what is compressed, packed or in columns is decoded first.
 *
 * Invariant: every file of the lake and every checkpoint is read, also one that nothing names.
 */
import { join } from 'node:path'
import { type Lake, openJdbcCatalog, openLake, openLakeFiles } from '../../db/lake/index.ts'
import { filesNaming } from '../../db/lake/testing/files-naming.ts'
import { openLmdb } from '../../db/lmdb.ts'
import { openFolderObjects } from '../../db/objects/folder.ts'
import type { BulkObjectStore } from '../../db/objects/object-store.ts'
import type { Sql } from '../../db/postgres/connect.ts'
import { TOPICS } from '../../streams/contract/topics.ts'
import { openEmbeddedLog } from '../../streams/log/embedded.ts'
import type { EventLog } from '../../streams/log/event-log.ts'

export interface Found {
  kind: 'postgres' | 'warehouse' | 'features' | 'log' | 'checkpoint' | 'parquet' | 'manifest' | 'metadata'
  /** Table, topic or file. */
  place: string
  text: string
}

/** What a platform keeps, in whichever form. */
export interface Places {
  sql: Sql
  /** What the star schema is copied to. */
  warehouse?: Sql | undefined
  /** Every key of the features with its value. */
  features(): AsyncIterable<Buffer>
  log: Pick<EventLog, 'bounds' | 'read'>
  objects: BulkObjectStore
}

export async function findIn(places: Places, texts: readonly string[]): Promise<Found[]> {
  const { sql, warehouse, features, log, objects } = places
  const found: Found[] = []
  const look = (kind: Found['kind'], place: string, content: string | Buffer): void => {
    for (const text of texts)
      if (content.includes(text) && !found.some((f) => f.kind === kind && f.place === place && f.text === text))
        found.push({ kind, place, text })
  }
  await inPostgres('postgres', sql, texts, look)
  if (warehouse) await inPostgres('warehouse', warehouse, texts, look)
  for await (const entry of features()) look('features', 'features', entry)
  await inLog(log, look)
  await inCheckpoints(objects, look)
  await inLake(openLake(await openJdbcCatalog(sql), openLakeFiles(objects)), texts, look)
  return found
}

export interface Place {
  /** Of a platform in the embedded form. */
  dataDir: string
  sql: Sql
  warehouse?: Sql
  texts: readonly string[]
}

export async function findText({ dataDir, sql, warehouse, texts }: Place): Promise<Found[]> {
  const log = await openEmbeddedLog({ folder: join(dataDir, 'log') })
  try {
    const objects = await openFolderObjects(join(dataDir, 'objects'))
    return await findIn({ sql, warehouse, features: () => inLmdb(join(dataDir, 'features')), log, objects }, texts)
  } finally {
    await log.close()
  }
}

type Look = (kind: Found['kind'], place: string, content: string | Buffer) => void

/** Every row of every table, as a dump has them; bytes are hexadecimal there. */
async function inPostgres(kind: Found['kind'], sql: Sql, texts: readonly string[], look: Look): Promise<void> {
  const hexOf = new Map(texts.map((text) => [Buffer.from(text).toString('hex'), text]))
  const tables = await sql<{ schema: string; name: string }[]>`
    SELECT schemaname AS schema, tablename AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`
  for (const { schema, name } of tables)
    for (const { line } of await sql<{ line: string }[]>`SELECT t::text AS line FROM ${sql(schema)}.${sql(name)} t`) {
      look(kind, name, line)
      for (const [hex, text] of hexOf) if (line.includes(hex)) look(kind, name, text)
    }
}

async function* inLmdb(folder: string): AsyncGenerator<Buffer> {
  const environment = await openLmdb(folder)
  try {
    environment.refresh()
    for (const name of ['clicks', 'orders', 'forgotten', 'meta']) {
      const entries = environment.root.openDB<Buffer, Uint8Array>(name, { encoding: 'binary', keyEncoding: 'binary' })
      for (const { key, value } of entries.getRange()) yield Buffer.concat([key, value])
    }
  } finally {
    await environment.close()
  }
}

async function inLog(log: Places['log'], look: Look): Promise<void> {
  for (const { name: topic, partitions } of TOPICS)
    for (let partition = 0; partition < partitions; partition++) {
      let { earliest: offset, next } = await log.bounds({ topic, partition })
      while (offset < next)
        for (const record of await log.read({ topic, partition }, offset, 1_000)) {
          look('log', topic, `${record.key} ${JSON.stringify(record.headers)}`)
          look('log', topic, record.value)
          offset = record.offset + 1
        }
    }
}

/** Every file of the lake, whatever names it. */
async function inLake(lake: Lake, texts: readonly string[], look: Look): Promise<void> {
  for (const text of texts)
    for (const file of await filesNaming(lake, lake.files.warehouse, [text])) look(kindOf(file), file, text)
}

const kindOf = (file: string): Found['kind'] =>
  file.endsWith('.parquet') ? 'parquet' : file.endsWith('.avro') ? 'manifest' : 'metadata'

/** They are not compressed. What runs removes some meanwhile. */
async function inCheckpoints(objects: BulkObjectStore, look: Look): Promise<void> {
  for (const key of await objects.list('checkpoints/')) {
    const bytes = await objects.get(key)
    if (bytes) look('checkpoint', key, bytes)
  }
}
