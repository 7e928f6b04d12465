/**
 * The tables as they are at one moment, into the log as records `r`, and a slot that begins at that very moment: no gap to the stream, and no double.
 *
 * A temporary slot with an exported snapshot holds the place; the tables are read by that snapshot; when all is in the log, the slot is copied to the one that stays.
 * Invariant: the slot that stays exists only behind a whole snapshot. One that was broken off leaves nothing in the database, and is begun anew: each partition that
 * holds something is told first, by a record `t`, that what it said of the table no longer counts. So rows of a broken-off snapshot may come twice.
 */
import type { Sql } from '../../../db/postgres/connect.ts'
import { connect } from '../../../db/postgres/connect.ts'
import { changeTopic } from '../../contract/cdc.ts'
import { type EventLog, type NewRecord, partitionKey } from '../../log/event-log.ts'
import type { Clock } from '../../time/clock.ts'
import { createAppender } from './appender.ts'
import { factsOf, publishedTables, quoteName, quoteText, relationOf } from './catalog.ts'
import { copiedRows } from './copy-text.ts'
import { createTableWriter, type Origin, type WriterDeps } from './envelope.ts'
import type { CdcObserver } from './observer.ts'
import type { Tuple } from './pgoutput.ts'
import { connectReplication } from './replication.ts'
import { type CdcSettings, snapshotSlot } from './settings.ts'
import type { Tail } from './tails.ts'
import { TEXT_SETTINGS } from './values.ts'

export interface SnapshotDeps {
  log: EventLog
  clock: Clock
  observer: CdcObserver
  writing: WriterDeps
  signal: AbortSignal
}

/** @param tails what the log holds of the tables @throws where it can't be finished; the next attempt begins anew */
export async function takeSnapshot(
  sql: Sql,
  settings: CdcSettings,
  tails: ReadonlyMap<string, Tail>,
  deps: SnapshotDeps,
): Promise<void> {
  const { clock, observer } = deps
  const holder = connectReplication(settings.url, clock)
  try {
    observer.snapshotBegins(
      settings.tables,
      [...tails.values()].some(({ isEmpty }) => !isEmpty),
    )
    const { lsn, snapshot } = await holder.createSnapshotSlot(snapshotSlot(settings.slot))
    const rows = await copyTables(settings, tails, { lsn, snapshot }, deps)
    await sql`SELECT pg_copy_logical_replication_slot(${snapshotSlot(settings.slot)}::name, ${settings.slot}::name, false)`
    observer.snapshotEnds(rows)
  } finally {
    await holder.close()
  }
}

async function copyTables(
  { url, tables, publication }: CdcSettings,
  tails: ReadonlyMap<string, Tail>,
  { lsn, snapshot }: { lsn: number; snapshot: string },
  { log, clock, observer, writing, signal }: SnapshotDeps,
): Promise<number> {
  const database = connect(url, { max: 1, name: 'streamforge-cdc-snapshot', idleInTransactionTimeoutMs: 0 })
  const appender = createAppender(
    log,
    () => {},
    () => {},
  )
  try {
    return await database.sql.begin('isolation level repeatable read read only', async (tx) => {
      await tx.unsafe(`SET TRANSACTION SNAPSHOT ${quoteText(snapshot)}`)
      const [{ db } = { db: '' }] = await tx<{ db: string }[]>`SELECT current_database() AS db`
      const sql = tx as unknown as Sql
      let index = 0
      let rowCount = 0
      const origin = (): Origin => ({
        db,
        commitLsn: lsn,
        lsn,
        lastCommitLsn: null,
        xid: null,
        atUs: clock.now() * 1_000,
        index: index++,
        snapshot: 'true',
      })
      const add = async (records: readonly NewRecord[]): Promise<void> => {
        if (signal.aborted) throw new Error('The snapshot was broken off; the next start begins it anew.')
        appender.add(records, null)
        if (appender.isFull) await appender.flush()
      }
      const published = await publishedTables(sql, publication)
      const sources = []
      for (const table of published.filter((one) => tables.includes(one.table))) {
        const relation = await relationOf(sql, table)
        const partitions = await log.partitionCount(changeTopic(table.table))
        const writer = createTableWriter(await factsOf(sql, relation, partitions), writing)
        sources.push({ writer, relation, filter: table.filter })
        await add(writer.truncate(origin()).filter(({ topic, partition }) => !isEmpty(tails, topic, partition!)))
      }
      // The very last row says that it is the last, so each waits for the next.
      let held: { write: (last: Origin['snapshot']) => NewRecord } | null = null
      for (const { writer, relation, filter } of sources) {
        let rows = 0
        for await (const tuple of rowsOf({ url, snapshot }, relation, filter)) {
          if (held) await add([held.write('true')])
          const at = origin()
          held = { write: (mark) => writer.row(tuple as Tuple, { ...at, snapshot: mark }) }
          rows++
        }
        rowCount += rows
        observer.snapshotRows(writer.topic, rows)
      }
      if (held) await add([held.write('last')])
      await appender.flush()
      await appender.settle()
      return rowCount
    })
  } finally {
    await appender.settle().catch(() => {})
    await database.close()
  }
}

const isEmpty = (tails: ReadonlyMap<string, Tail>, topic: string, partition: number): boolean =>
  tails.get(partitionKey({ topic, partition }))?.isEmpty ?? true

/** In a session of its own for each table: postgres.js leaves the socket paused behind a COPY that was read slower than it came, so nothing else can be asked there. */
async function* rowsOf(
  { url, snapshot }: { url: string; snapshot: string },
  { schema, name, columns }: { schema: string; name: string; columns: readonly { name: string }[] },
  filter: string | null,
): AsyncGenerator<Tuple> {
  const { sql } = connect(url, { max: 1, name: 'streamforge-cdc-snapshot', idleInTransactionTimeoutMs: 0 })
  try {
    // One connection, so these follow each other on it.
    await sql.unsafe('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    await sql.unsafe(`SET TRANSACTION SNAPSHOT ${quoteText(snapshot)}`)
    for (const [setting, value] of Object.entries(TEXT_SETTINGS))
      await sql.unsafe(`SET LOCAL ${quoteName(setting.toLowerCase())} = ${quoteText(value)}`)
    const list = columns.map((column) => quoteName(column.name)).join(', ')
    const where = filter === null ? '' : ` WHERE ${filter}`
    const copy = await sql
      .unsafe(`COPY (SELECT ${list} FROM ${quoteName(schema)}.${quoteName(name)}${where}) TO STDOUT`)
      .readable()
    yield* copiedRows(copy as AsyncIterable<Buffer>)
  } finally {
    await sql.end({ timeout: 0 })
  }
}
