/**
 * How long the API takes to answer from a year of results: so many requests a second, due at fixed times, by turns over the questions of a dashboard and of programs, asked of one edge
 * with a real PostgreSQL. First each as many clients at once ask it, which is what the edge's cache is for; then with ranges that differ from request to request, so that the database
 * is asked each time.
 */
import { randomBytes } from 'node:crypto'
import { connect } from '../../db/postgres/connect.ts'
import { createTokens } from '../../edge/auth/tokens.ts'
import { systemClock } from '../../streams/time/clock.ts'
import { startPart } from '../child.ts'
import type { IngestAnswer, IngestSettings } from '../ingest-process.ts'
import { treeCpuSeconds } from '../measure.ts'
import { type Benchmark, number } from '../report.ts'
import { startDatabase, withFolder } from '../stores.ts'
import type { OpenFigures, OpenLoad } from './open-load.ts'
import { fillYear } from './year-of-results.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const WARM_UP_SECONDS = 5
/** Ranges of one question, each a minute before the other: at 500 requests a second it is more than the cache's second until one comes again. */
const RANGES = 120

export const edgeRead: Benchmark = {
  name: 'edge/read',
  options: {
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '20' },
    days: { type: 'string', default: '365' },
  },
  async run(options, show) {
    const [perSecond, seconds, days] = [Number(options.rate), Number(options.seconds), Number(options.days)]
    await withFolder(async (folder) => {
      const server = await startDatabase(folder)
      try {
        const endMs = Math.floor(systemClock.now() / DAY_MS) * DAY_MS
        const rows = await filled(server.url, { endMs, days })
        const jwtSecret = randomBytes(32).toString('hex')
        const settings: IngestSettings = {
          folder,
          postgresUrl: server.url,
          writeKey: 'wk_bench',
          jwtSecret,
          // As `streamforge edge` has them.
          poolMax: 6,
        }
        const edge = startPart<IngestAnswer>(new URL('../ingest-process.ts', import.meta.url), settings)
        const { url } = await edge.next()
        try {
          const token = await createTokens(jwtSecret, systemClock).issue({ username: 'bench', role: 'viewer' })
          const load = { url, headers: { authorization: `Bearer ${token}` }, perSecond }
          const forms = { 'as many ask them': asMany(endMs, days), 'with ranges of their own': eachItsOwn(endMs) }
          for (const [form, questions] of Object.entries(forms)) {
            await applied({ ...load, seconds: WARM_UP_SECONDS, questions })
            const cpuBefore = treeCpuSeconds(edge.pid)
            const { failed, latencies } = await applied({ ...load, seconds, questions })
            const cpuSeconds = treeCpuSeconds(edge.pid) - cpuBefore
            if (failed > 0) throw new Error(`${failed} of ${perSecond * seconds} requests failed, ${form}.`)
            const all = Object.entries(latencies)
            const worst = Math.max(...all.map(([, { p99Ms }]) => p99Ms))
            show({
              benchmark: `${number(perSecond)} requests/s over ${all.length} questions, ${form}; ${number(days)} days, ${number(rows)} rows`,
              target: '',
              result: `**p99 ${worst.toFixed(0)} ms** of the slowest question`,
              details: [
                ...all.map(([name, l]) => `${name} p50 ${l.p50Ms.toFixed(1)}, p99 ${l.p99Ms.toFixed(1)} ms`),
                `${((cpuSeconds / (perSecond * seconds)) * 1e3).toFixed(2)} ms of the edge's CPU a request`,
              ],
            })
          }
        } finally {
          await edge.end()
        }
      } finally {
        await server.stop()
      }
    })
  },
}

async function filled(url: string, year: { endMs: number; days: number }): Promise<number> {
  const { sql, close } = connect(url, { max: 4, name: 'streamforge bench' })
  try {
    return Object.values(await fillYear(sql, year)).reduce((sum, rows) => sum + rows, 0)
  } finally {
    await close()
  }
}

async function applied(load: OpenLoad): Promise<OpenFigures> {
  const part = startPart<OpenFigures>(new URL('./open-load.ts', import.meta.url), load)
  const figures = await part.next()
  await part.end()
  return figures
}

type Questions = NonNullable<OpenLoad['questions']>

const range = (to: number, lengthMs: number): string =>
  `from=${new Date(to - lengthMs).toISOString()}&to=${new Date(to).toISOString()}`
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/** The same for everybody, long ranges among them. */
const asMany = (endMs: number, days: number): Questions => ({
  'overview of a month': [`/metrics/overview?${range(endMs, 30 * DAY_MS)}`],
  'events of all days': [`/metrics/events_timeseries?${range(endMs, days * DAY_MS)}&bucket=1d`],
  'revenue of all days': [`/metrics/revenue_timeseries?${range(endMs, days * DAY_MS)}&bucket=1d`],
  'top products of a month': [`/metrics/top_products?${range(endMs, 30 * DAY_MS)}`],
  'funnel of a month': [`/metrics/funnel?${range(endMs, 30 * DAY_MS)}`],
  'regions of a month': [`/metrics/regions?${range(endMs, 30 * DAY_MS)}`],
  'days of all': [`/metrics/daily?from=${dayOf(endMs - days * DAY_MS)}&to=${dayOf(endMs)}`],
  alerts: ['/fraud-alerts'],
  pipelines: ['/health/pipelines'],
})

const eachItsOwn = (endMs: number): Questions => {
  const ranged = (path: string, lengthMs: number, more = ''): string[] =>
    Array.from({ length: RANGES }, (_, i) => `${path}?${range(endMs - i * MINUTE_MS, lengthMs)}${more}`)
  return {
    'overview of an hour': ranged('/metrics/overview', HOUR_MS),
    'events of an hour': ranged('/metrics/events_timeseries', HOUR_MS, '&bucket=1m'),
    'revenue of an hour': ranged('/metrics/revenue_timeseries', HOUR_MS, '&bucket=1m'),
    'top products of an hour': ranged('/metrics/top_products', HOUR_MS),
    'alerts of an hour': ranged('/fraud-alerts', HOUR_MS),
    'sessions of a user': Array.from({ length: RANGES }, (_, i) => `/sessions/user-${i * i}`),
  }
}
