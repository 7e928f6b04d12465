import { readdir } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { MIGRATIONS_FOLDER, migrationJournal } from './migrate.ts'

// drizzle skips an entry whose `when` is not above the last one applied, and says nothing (drizzle-orm #5769, #5316).
it('has migrations whose `when` rises strictly', async () => {
  const times = (await migrationJournal()).map((entry) => entry.when)
  expect(times).toEqual([...new Set(times)].sort((a, b) => a - b))
})

it('has a journal entry for every migration file, in the order of their numbers', async () => {
  const files = (await readdir(MIGRATIONS_FOLDER)).filter((name) => name.endsWith('.sql')).sort()
  expect((await migrationJournal()).map((entry) => `${entry.tag}.sql`)).toEqual(files)
})
