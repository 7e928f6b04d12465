/**
 * Brings a database to the schema of this version. Safe to run by several processes at once, and at every start.
 *
 * drizzle skips a migration silently when its `when` is not newer than the last one applied, so what was applied is compared with the journal
 * afterwards, by number and by `when`; migrate.test.ts keeps `when` rising.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator'
import { connect } from './connect.ts'

export const MIGRATIONS_FOLDER = fileURLToPath(new URL('./migrations', import.meta.url))

/** Any number will do, if it is always the same one. */
const MIGRATION_LOCK = 5_347_701

export interface MigrationEntry {
  tag: string
  when: number
}

/** The migrations of this version, oldest first. */
export async function migrationJournal(): Promise<MigrationEntry[]> {
  const journal: { entries: MigrationEntry[] } = JSON.parse(
    await readFile(`${MIGRATIONS_FOLDER}/meta/_journal.json`, 'utf8'),
  )
  return journal.entries
}

/**
 * @returns how many migrations were applied now.
 * @throws Error when the database was written by a newer version, or a migration was skipped.
 */
export async function migrate(url: string): Promise<number> {
  const journal = await migrationJournal()
  const { sql, db, close } = connect(url, { max: 1, name: 'streamforge migrate' })
  try {
    // Held by the one connection of this pool, and let go with it.
    await sql`SELECT pg_advisory_lock(${MIGRATION_LOCK})`
    const [found] = await sql<
      { table: string | null }[]
    >`SELECT to_regclass('drizzle.__drizzle_migrations')::text AS table`
    const applied = async () =>
      sql<{ when: number }[]>`SELECT created_at AS when FROM drizzle.__drizzle_migrations ORDER BY created_at`
    const before = found?.table ? await applied() : []
    const known = new Set(journal.map((entry) => entry.when))
    if (before.some(({ when }) => !known.has(when))) {
      throw new Error(
        'The database was migrated by a newer version of StreamForge than this one. Start that version, or give this one a database of its own (DATABASE_URL, or another data folder).',
      )
    }
    if (before.length === journal.length) return 0
    await applyMigrations(db, { migrationsFolder: MIGRATIONS_FOLDER })
    const after = new Set((await applied()).map(({ when }) => when))
    const skipped = journal.filter((entry) => !after.has(entry.when))
    if (skipped.length > 0) {
      throw new Error(
        `These migrations were not applied: ${skipped.map((entry) => entry.tag).join(', ')}. An entry of meta/_journal.json must have a "when" above all entries before it.`,
      )
    }
    return journal.length - before.length
  } finally {
    await close()
  }
}
