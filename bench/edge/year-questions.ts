/**
 * How long the database takes for the questions of the API when it holds a year of results (`year-of-results.ts`): each is asked five times, the median counts.
 *
 *     node --import ./cli/typescript.mjs bench/edge/year-questions.ts [--days 365] [--partitions 4] [--url postgres://…]
 *
 * With a URL a database that is filled already is only asked, an empty one is filled and stays.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { connect, type Sql } from '../../db/postgres/connect.ts'
import { migrate } from '../../db/postgres/migrate.ts'
import { fraudAlerts } from '../../db/postgres/queries/alerts.ts'
import { dailyKpis } from '../../db/postgres/queries/daily.ts'
import { funnel } from '../../db/postgres/queries/funnel.ts'
import { overview } from '../../db/postgres/queries/overview.ts'
import { topProducts } from '../../db/postgres/queries/products.ts'
import { topRegions } from '../../db/postgres/queries/regions.ts'
import { userSessions } from '../../db/postgres/queries/sessions.ts'
import { eventsTimeseries, revenueTimeseries } from '../../db/postgres/queries/timeseries.ts'
import { startEmbeddedPostgres } from '../../db/postgres/server.ts'
import { fillYear } from './year-of-results.ts'

const DAY_MS = 86_400_000
const END_MS = Date.UTC(2026, 10, 21)
const ROUNDS = 5

const { values } = parseArgs({
  options: { days: { type: 'string' }, partitions: { type: 'string' }, url: { type: 'string' } },
})
if (values.url) await fillAndAsk(values.url)
else {
  const folder = await mkdtemp(join(tmpdir(), 'streamforge-year-'))
  const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres'), password: 'of this run only' })
  try {
    await fillAndAsk(server.url)
  } finally {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function fillAndAsk(url: string): Promise<void> {
  await migrate(url)
  const { sql, close } = connect(url, { max: 4 })
  try {
    const [filled] = await sql`SELECT 1 FROM tasks LIMIT 1`
    if (!filled) {
      const startedAt = performance.now()
      const rows = await fillYear(sql, {
        endMs: END_MS,
        ...(values.days && { days: Number(values.days) }),
        ...(values.partitions && { partitions: Number(values.partitions) }),
      })
      for (const [table, count] of Object.entries(rows))
        console.log(`${table.padEnd(32)}${count.toLocaleString('en').padStart(12)} rows`)
      console.log(`filled in ${((performance.now() - startedAt) / 1000).toFixed(0)} s\n`)
    }
    for (const [name, ask] of Object.entries(questions(sql, END_MS)))
      console.log(`${name.padEnd(32)}${(await medianMs(ask)).toFixed(1).padStart(12)} ms`)
  } finally {
    await close()
  }
}

async function medianMs(ask: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now()
    await ask()
    times.push(performance.now() - startedAt)
  }
  return times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!
}

/** The questions of the API that a year makes hard, by name. `to` is where the results end. */
function questions(sql: Sql, to: number): Record<string, () => Promise<unknown>> {
  const last = (days: number) => ({ from: to - days * DAY_MS, to })
  const products = { limit: 10, by: 'views', currency: 'TRY' } as const
  return {
    'overview of an hour': () => overview(sql, { ...last(1 / 24), now: to }),
    'overview of a month': () => overview(sql, { ...last(30), now: to }),
    'overview of a year': () => overview(sql, { ...last(365), now: to }),
    'events by day, a year': () => eventsTimeseries(sql, { ...last(365), bucketMs: DAY_MS }),
    'events by minute, a day': () => eventsTimeseries(sql, { ...last(1), bucketMs: 60_000 }),
    'revenue by day, a year': () => revenueTimeseries(sql, { ...last(365), bucketMs: DAY_MS }),
    'revenue by hour, a month': () => revenueTimeseries(sql, { ...last(30), bucketMs: DAY_MS / 24 }),
    'top products of a month': () => topProducts(sql, { ...last(30), ...products }),
    'top products of a year': () => topProducts(sql, { ...last(365), ...products }),
    'regions of a month': () => topRegions(sql, { ...last(30), limit: 10 }),
    'regions of a year': () => topRegions(sql, { ...last(365), limit: 10 }),
    'funnel of a month': () => funnel(sql, last(30)),
    'funnel of a year': () => funnel(sql, last(365)),
    'the newest alerts': () => fraudAlerts(sql, { limit: 50 }),
    'alerts of half a year ago': () => fraudAlerts(sql, { limit: 50, from: to - 190 * DAY_MS, to: to - 180 * DAY_MS }),
    'sessions of a user': () => userSessions(sql, 'user-7', { limit: 20 }),
    'figures of the days of a year': () => dailyKpis(sql, { from: dayOf(to - 365 * DAY_MS), to: dayOf(to) }),
  }
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
