/** `streamforge migrate` as the job that goes before everything else. */
import { expect, test } from 'vitest'
import { connect } from '../../db/postgres/connect.ts'
import { migrationJournal } from '../../db/postgres/migrate.ts'
import { withPostgres } from '../../db/testing/postgres.ts'
import { runCommand } from '../testing/run-command.ts'
import { migrate } from './migrate.ts'

const postgres = withPostgres()

test("an empty database gets all tables, the catalog's among them; the next time nothing is done", async () => {
  const url = await postgres.emptyDatabase()
  const run = () => runCommand(migrate, [], { env: { DATABASE_URL: url } })
  const { length } = await migrationJournal()
  expect(await run()).toEqual({ code: 0, out: `${length} migrations were applied.\n`, err: '' })
  const { sql, close } = connect(url, { max: 1 })
  try {
    const [found] =
      await sql`SELECT to_regclass('iceberg_tables') IS NOT NULL AS catalog, to_regclass('tasks') IS NOT NULL AS tasks`
    expect(found).toEqual({ catalog: true, tasks: true })
  } finally {
    await close()
  }
  expect(await run()).toEqual({ code: 0, out: 'The database was up to date.\n', err: '' })
})

test('a database that is not there, or was not named, is a sentence', async () => {
  const nowhere = await runCommand(migrate, [], { env: { DATABASE_URL: 'postgres://nobody:secret@127.0.0.1:1/none' } })
  expect(nowhere).toMatchObject({ code: 1, out: '' })
  expect(nowhere.err).toMatch(/^The database at 127\.0\.0\.1:1 \(DATABASE_URL\) can't be used: .*ECONNREFUSED/)
  expect(nowhere.err).not.toContain('secret')
  const unnamed = await runCommand(migrate, [])
  expect(unnamed).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/^There is no database to migrate: set DATABASE_URL/),
  })
})
