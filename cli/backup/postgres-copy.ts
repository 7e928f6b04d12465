/**
 * A copy of a PostgreSQL that runs, file by file, by its own functions for that (pg_backup_start, pg_backup_stop): the npm package that the embedded one comes from has
 * neither pg_dump nor pg_basebackup. A copy of files keeps the numbers of transactions, which the live stream's ids are; a dump would not.
 *
 * Invariants: the copy holds everything that was committed before it ended, and starts as after a crash; the WAL that it needs for that is held back while it is made.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ReservedSql } from 'postgres'
import type { Sql } from '../../db/postgres/connect.ts'
import { CommandFailed } from '../command.ts'
import { copyOne, copyTree } from './copy-tree.ts'

/** Made anew by every start, or of this very server: the folders are wanted, what is in them is not. "Low-level base backup" in PostgreSQL's manual, section 25.3. */
const EMPTY_FOLDERS = /^(pg_wal|pg_replslot|pg_dynshmem|pg_notify|pg_serial|pg_snapshots|pg_stat_tmp|pg_subtrans)\/./
const NOT_COPIED = /^(postmaster\.(pid|opts)|backup_label.*|tablespace_map.*|pg_internal\.init.*)$|(^|\/)pgsql_tmp/
/** What it names must be there, so it goes last. */
const CONTROL = 'global/pg_control'
const WAL = 'pg_wal'

/** What can't be seen in a copied server: those are here when PostgreSQL looks for them. */
const WAL_FOLDERS = ['archive_status', 'summaries']

/**
 * @param beforeEnd runs while everything that it reads by the session is still going to be in the copy
 * @throws CommandFailed where the server wrote more meanwhile than it keeps
 */
export async function copyRunningPostgres<R>(
  sql: Sql,
  { from, to }: { from: string; to: string },
  beforeEnd: (session: ReservedSql) => Promise<R>,
): Promise<R> {
  // postgres.js reserves a connection that is open already, and waits for ever for one that has to be opened.
  await sql`SELECT 1`
  const session = await sql.reserve()
  try {
    // It ends with the session, whatever happens.
    const slot = `backup_${process.pid}`
    await session`SELECT pg_create_physical_replication_slot(${slot}, true, true)`
    const [begun] = await session<
      { file: string }[]
    >`SELECT pg_walfile_name(pg_backup_start('streamforge backup', true)) AS file`
    await copyTree(from, to, {
      wants: (path) => !EMPTY_FOLDERS.test(path) && !NOT_COPIED.test(path) && path !== CONTROL,
    })
    await copyOne(join(from, CONTROL), join(to, CONTROL))
    const seen = await beforeEnd(session)
    const [ended] = await session<{ label: string; file: string }[]>`
      SELECT labelfile AS label, pg_walfile_name(lsn) AS file FROM pg_backup_stop(false)`
    if (!begun || !ended) throw new Error('PostgreSQL did not say where the backup begins and ends.')
    for (const folder of WAL_FOLDERS) await mkdir(join(to, WAL, folder), { recursive: true, mode: 0o700 })
    for (const segment of await segmentsBetween(session, begun.file, ended.file)) {
      if (!(await copyOne(join(from, WAL, segment), join(to, WAL, segment))))
        throw new CommandFailed(
          'PostgreSQL wrote more during the backup than it keeps. Try again when less is going on.',
        )
    }
    await writeFile(join(to, 'backup_label'), ended.label, { mode: 0o600 })
    return seen
  } finally {
    session.release()
  }
}

/** Names sort as the log goes on; those beyond the end are kept by the server for later use and hold old content. @throws CommandFailed where the first is gone */
async function segmentsBetween(session: ReservedSql, first: string, last: string): Promise<string[]> {
  const rows = await session<{ name: string }[]>`
    SELECT name FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$' AND name >= ${first} AND name <= ${last} ORDER BY name`
  if (rows[0]?.name !== first || rows.at(-1)?.name !== last)
    throw new CommandFailed('PostgreSQL wrote more during the backup than it keeps. Try again when less is going on.')
  return rows.map(({ name }) => name)
}
