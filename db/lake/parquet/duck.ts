/**
 * A DuckDB of one's own for reading and writing Parquet: in memory, bounded, spilling into a folder of its own that goes with it; a killed process's goes with the next.
 *
 * Invariant: it loads no extension from elsewhere and reads no configuration of the user's.
 */
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { makeOwnFolder } from '../../own-folder.ts'

export interface Duck {
  readonly connection: DuckDBConnection
  /** For files that are written and copied elsewhere. */
  readonly folder: string
  close(): Promise<void>
}

export interface DuckOptions {
  memoryMb?: number
  threads?: number
  /** Where its folder is made; default: the system's place for temporary files. */
  parent?: string
}

export async function openDuck({ memoryMb = 512, threads = 2, parent = tmpdir() }: DuckOptions = {}): Promise<Duck> {
  const folder = await makeOwnFolder(parent, 'streamforge-duck')
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${memoryMb}MB`,
    threads: String(threads),
    temp_directory: join(folder, 'spilled'),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    preserve_insertion_order: 'true',
  })
  const connection = await instance.connect()
  await connection.run("SET TimeZone = 'UTC'")
  return {
    connection,
    folder,
    async close() {
      connection.closeSync()
      instance.closeSync()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const INTERRUPTED_AGAIN_MS = 50

/**
 * Interrupts what runs there once the signal is aborted, also what begins only then: DuckDB forgets an interruption when it begins a statement, so one that came just before it would
 * let the statement run to its end. It is repeated until it is called off.
 * @returns calls it off: before the DuckDB is closed
 */
export function interruptedBy(signal: AbortSignal | undefined, { connection }: Duck): () => void {
  let repeated: NodeJS.Timeout | undefined
  const interrupt = (): void => {
    connection.interrupt()
    repeated ??= setInterval(interrupt, INTERRUPTED_AGAIN_MS).unref()
  }
  if (signal?.aborted) interrupt()
  else signal?.addEventListener('abort', interrupt)
  return () => {
    signal?.removeEventListener('abort', interrupt)
    clearInterval(repeated)
  }
}

export const isOutOfMemory = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('Out of Memory Error')

/** What is freed goes back to the system sooner: some 90 MB less are resident beside the limit, for some more CPU where much is freed. */
export async function returnMemorySooner({ connection }: Duck): Promise<void> {
  await connection.run("SET allocator_flush_threshold = '8MB'")
  await connection.run("SET allocator_bulk_deallocation_flush_threshold = '16MB'")
}

/** Each thread holds a row group of what it reads and of what it sorts: where the limit is too low for all of them, the work is done again by one. */
export async function withLessMemory<T>({ connection }: Duck, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const [threads] = await queryObjects(connection, "SELECT current_setting('threads')::INTEGER AS count")
    if (!isOutOfMemory(error) || threads?.count === 1) throw error
    await connection.run('SET threads = 1')
    try {
      return await work()
    } finally {
      await connection.run(`SET threads = ${threads?.count}`)
    }
  }
}

/** For text within SQL; identifiers take double quotes. SQL ends at a NUL, so one within the text is spelt out. */
export const quote = (text: string): string =>
  text.includes('\0') ? `(${text.split('\0').map(quote).join(' || chr(0) || ')})` : `'${text.replaceAll("'", "''")}'`
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
/** read_parquet takes its paths for patterns: what would be one is put in brackets. */
export const literalPath = (path: string): string => quote(path.replace(/[*?[]/g, '[$&]'))

export async function queryObjects(connection: DuckDBConnection, sql: string): Promise<Record<string, unknown>[]> {
  return (await connection.runAndReadAll(sql)).getRowObjectsJS()
}
