/** What operators see of the lake-writer: metrics, log lines, health. */
import { expect, it } from 'vitest'
import type { Logger } from '../../observability/log.ts'
import { createRegistry } from '../../observability/metrics.ts'
import { VirtualClock } from '../testing/virtual-clock.ts'
import { watchLake } from './health.ts'
import { joinLakeObservers } from './observer.ts'
import { createLakeTelemetry } from './telemetry.ts'

const START_MS = Date.parse('2026-03-01T12:00:00Z')
const table = 'raw.orders'

function world() {
  const clock = new VirtualClock(START_MS)
  const lines: string[] = []
  const say = (level: string) => (_: object, text: string) => void lines.push(`${level}: ${text}`)
  const logger = { debug: say('debug'), warn: say('warn'), error: say('error') } as unknown as Logger // all that is used
  const metrics = createRegistry()
  const watch = watchLake({ owner: 'me', clock })
  const tell = joinLakeObservers(createLakeTelemetry(metrics, logger, clock), watch.observer)
  const value = async (name: string) =>
    Number(new RegExp(`^${name}\\{table="raw.orders"\\} (\\S+)$`, 'm').exec(await metrics.metrics())?.[1])
  return { clock, lines, tell, value, report: watch.report }
}

it('counts rows, commits, files, seconds, lag, and what is missing', async () => {
  const { tell, value, lines, report } = world()
  tell.lag(table, 7, 4)
  tell.read(table, { rows: 5, undecodable: 2 })
  tell.committed(table, { rows: 5, files: 2, seconds: 0.3 })
  tell.lost(table, { topic: 'transactions.orders', partition: 1 }, { from: 10, to: 14 })
  expect(await value('streamforge_lake_rows_total')).toBe(5)
  expect(await value('streamforge_lake_commits_total')).toBe(1)
  expect(await value('streamforge_lake_files_total')).toBe(2)
  expect(await value('streamforge_lake_undecodable_records_total')).toBe(2)
  expect(await value('streamforge_lake_lost_records_total')).toBe(4)
  expect(await value('streamforge_lake_lag_records')).toBe(7)
  expect(await value('streamforge_lake_commit_duration_seconds_sum')).toBe(0.3)
  expect(await value('streamforge_lake_last_commit_timestamp_seconds')).toBe(START_MS / 1000)
  expect(lines).toContainEqual(expect.stringMatching(/^error: Retention removed records/))
  expect(report()).toEqual({
    status: 'ok',
    owner: 'me',
    uptime_seconds: 0,
    lag: 7,
    tables: [
      { table, partitions: 4, lag: 7, rows: 5, commits: 1, last_commit: '2026-03-01T12:00:00.000Z', problem: null },
    ],
  })
})

it('is on standby without partitions, stuck when a table has not got on for a minute, and well again', async () => {
  const { clock, tell, report } = world()
  expect(report().status).toBe('standby')
  tell.lag(table, 1, 4)
  tell.retrying(table, 'lake files', new Error('S3 is away'), 50)
  await clock.advance(59_000)
  tell.failed(table, new Error('S3 is still away'), 500)
  expect(report().status).toBe('ok')
  await clock.advance(2_000)
  expect(report()).toMatchObject({
    status: 'stuck',
    tables: [{ problem: { since: '2026-03-01T12:00:00.000Z', message: 'S3 is still away' } }],
  })
  tell.read(table, { rows: 0, undecodable: 0 })
  expect(report().status).toBe('ok')
})
