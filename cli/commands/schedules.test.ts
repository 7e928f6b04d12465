import { describe, expect, test } from 'vitest'
import { UsageError } from '../command.ts'
import { scheduledTimes } from './schedules/act.ts'
import { whenText } from './schedules/ls.ts'

const NOW = Date.UTC(2026, 10, 21, 9)
const DAILY = { id: 'daily-aggregation', at: { minute: 15, hour: 0 }, aboutDayBefore: true }
const HOURLY = { id: 'compact-tables', at: { minute: 5, everyHours: 1 }, aboutDayBefore: false }
const times = (of: typeof DAILY | typeof HOURLY, from: string, to: string) =>
  scheduledTimes(of, from, to, NOW).map((ms) => new Date(ms).toISOString().slice(0, 16))

describe('a backfill', () => {
  test('of days is of the days that the runs are about', () => {
    expect(times(DAILY, '2026-11-17', '2026-11-19')).toEqual([
      '2026-11-18T00:15',
      '2026-11-19T00:15',
      '2026-11-20T00:15',
    ])
    expect(times(HOURLY, '2026-11-17', '2026-11-17')).toHaveLength(24)
  })

  test('of moments is of the times at which runs would have been due', () => {
    expect(times(DAILY, '2026-11-18T00:00:00Z', '2026-11-18T12:00:00Z')).toEqual(['2026-11-18T00:15'])
    expect(times(HOURLY, '3h', '90m')).toEqual(['2026-11-21T06:05', '2026-11-21T07:05'])
  })

  test('that can not be meant is told', () => {
    const refused = (from: string, to: string, of: typeof DAILY | typeof HOURLY = DAILY) => {
      expect(() => times(of, from, to)).toThrow(UsageError)
      try {
        times(of, from, to)
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(refused('2026-11-19', '2026-11-17')).toBe('--from 2026-11-19 is after --to 2026-11-17.')
    expect(refused('2026-11-21', '2026-11-21')).toMatch(/^The run due at 2026-11-22 00:15:00Z is yet to come/)
    expect(refused('2026-11-18T01:00:00Z', '2026-11-18T12:00:00Z')).toMatch(/never due/)
    expect(refused('2026-01-01', '2026-11-01', HOURLY)).toMatch(/at most 500 at once/)
    expect(refused('then', '2026-11-01')).toMatch(/^--from takes ISO 8601/)
  })
})

test('times read as people say them', () => {
  expect(whenText(DAILY.at)).toBe('daily 00:15')
  expect(whenText(HOURLY.at)).toBe('hourly at :05')
  expect(whenText({ minute: 35, everyHours: 2 })).toBe('every 2 h at :35')
})
