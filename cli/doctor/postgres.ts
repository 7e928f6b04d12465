/** PostgreSQL: the right one, migrated, with room for connections, and able to be backed up. Reads only. */
import { connect, type Database, type Sql } from '../../db/postgres/connect.ts'
import { migrationJournal } from '../../db/postgres/migrate.ts'
import { counted } from '../human.ts'
import { Broken, type Family, ok, warning } from './check.ts'
import { clockFinding, SKEW_MATTERS, SKEW_REMEDY } from './clocks.ts'
import type { Place } from './place.ts'

const VERSION_MIN = 16
/** Of `max_connections`. */
const CONNECTIONS_WARN = 0.8
/** Autovacuum freezes at 200 million; at two thousand million PostgreSQL stops taking writes. */
const XID_AGE_WARN = 1_000_000_000

export const openDoctorsDatabase = (url: string, answerMs: number): Database =>
  connect(url, { max: 2, name: 'streamforge-doctor', statementTimeoutMs: answerMs })

export function postgresFamily(sql: Sql, url: string, { clock }: Pick<Place, 'clock'>): Family {
  const { hostname, port } = new URL(url)
  return {
    part: 'postgres',
    checks: [
      {
        name: `answers at ${hostname}:${port || 5432}`,
        matters: 'Results, access and the catalog of the lake are there: reading fails, and the streams wait.',
        remedy:
          'Is it running, and does DATABASE_URL say where and with which password? The embedded one writes to postgres.log.',
        gate: true,
        async run() {
          const [row] = await sql<{ version: string }[]>`SELECT current_setting('server_version') AS version`.catch(
            (error: Error & { code?: string }) => {
              throw new Broken(`It does not let us in: ${error.message || error.code}.`)
            },
          )
          const version = row?.version ?? ''
          if (Number.parseInt(version, 10) < VERSION_MIN)
            throw new Broken(`It is PostgreSQL ${version}.`, `Use PostgreSQL ${VERSION_MIN} or newer.`)
          return ok(`PostgreSQL ${version}`)
        },
      },
      {
        name: 'its tables are those of this version',
        matters: 'A process finds columns missing, or refuses to start.',
        remedy: 'Start a role of this version: it migrates the database first. Migrations go forward only.',
        async run() {
          const journal = await migrationJournal()
          const applied = await sql<{ when: number }[]>`SELECT created_at AS when FROM drizzle.__drizzle_migrations`
          const done = new Set(applied.map(({ when }) => Number(when)))
          const missing = journal.filter(({ when }) => !done.has(when))
          if (missing.length > 0) throw new Broken(`Not applied: ${missing.map(({ tag }) => tag).join(', ')}.`)
          if (done.size > journal.length)
            return warning(
              `It has ${counted(done.size - journal.length, 'migration')} that this version does not know.`,
              'Use the newer version.',
            )
          return ok(counted(journal.length, 'migration'))
        },
      },
      {
        name: 'it has connections left',
        matters: 'A process that finds none waits, and its clients with it.',
        remedy:
          'Raise max_connections, or put a pool in front; an edge takes up to 6, a streams process 3, a worker and a lake-writer 3 each.',
        async run() {
          const [row] = await sql<{ used: number; max: number }[]>`
            SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used, current_setting('max_connections')::int AS max`
          const { used = 0, max = 0 } = row ?? {}
          return used > max * CONNECTIONS_WARN ? warning(`${used} of ${max} are taken.`) : ok(`${used} of ${max}`)
        },
      },
      {
        name: 'it can be backed up while it runs',
        matters: 'With wal_level=minimal there is neither a copy of a running server nor recovery to a point in time.',
        remedy: 'Set wal_level to replica or logical and restart it.',
        async run() {
          const [row] = await sql<{ level: string }[]>`SELECT current_setting('wal_level') AS level`
          return row?.level === 'minimal' ? warning('wal_level is minimal.') : ok(`wal_level ${row?.level}`)
        },
      },
      {
        name: 'nobody holds its log back',
        matters:
          'A replication slot that nobody reads keeps WAL until the disk is full, or until PostgreSQL gives it up.',
        remedy: 'Drop the slot with pg_drop_replication_slot(name) when nobody is to read it any more.',
        async run() {
          const slots = await sql<{ slot_name: string; wal_status: string; kept: string }[]>`
            SELECT slot_name, wal_status, pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) AS kept
            FROM pg_replication_slots WHERE NOT active`
          const [slot] = slots
          return slot
            ? warning(`The slot ${slot.slot_name} is not read and keeps ${slot.kept} (${slot.wal_status}).`)
            : ok()
        },
      },
      {
        name: 'no erasure has failed',
        matters: 'Somebody who is to be forgotten is still there, and there are terms for that.',
        remedy:
          '"streamforge erasures show ID" has the reason; asking again for the same person goes on where it stopped.',
        async run() {
          const failed = await sql<
            { id: string }[]
          >`SELECT id FROM erasures WHERE state = 'failed' ORDER BY requested_at LIMIT 5`
          return failed.length > 0 ? warning(`Failed: ${failed.map(({ id }) => id).join(', ')}.`) : ok()
        },
      },
      {
        name: 'it is vacuumed',
        matters: 'PostgreSQL stops taking writes before transaction ids are used up.',
        remedy: 'Look for old transactions and disabled autovacuum; "VACUUM (FREEZE)" by the superuser helps at once.',
        async run() {
          const [row] = await sql<{ age: number }[]>`
            SELECT age(datfrozenxid)::bigint AS age FROM pg_database WHERE datname = current_database()`
          const age = row?.age ?? 0
          return age > XID_AGE_WARN ? warning(`Its oldest transaction id is ${age} transactions old.`) : ok()
        },
      },
      {
        name: 'its clock',
        matters: SKEW_MATTERS,
        remedy: SKEW_REMEDY,
        async run() {
          const beforeMs = clock.now()
          const [row] = await sql<{ now: number }[]>`SELECT clock_timestamp() AS now`
          return clockFinding({ theirMs: row?.now ?? 0, beforeMs, afterMs: clock.now() })
        },
      },
    ],
  }
}
