/** For `npm run db:generate` alone: compares the schemas named below with the newest snapshot and writes the migration between them. It needs no database. */
import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'postgresql',
  schema: [
    './db/postgres/schema.ts',
    './db/postgres/batch-schema.ts',
    './db/postgres/cdc-schema.ts',
    './db/postgres/edge-schema.ts',
    './db/postgres/rollup-schema.ts',
  ],
  out: './db/postgres/migrations',
})
