import { expect, test } from 'vitest'
import * as definitions from './definitions/index.ts'
import { TASK_QUEUE } from './policy.ts'
import { SCHEDULES, scheduleId, timesOf } from './schedules.ts'

test('every schedule starts a workflow that there is, under an id of its own, and says what it is for', () => {
  for (const { id, workflow, note } of SCHEDULES) {
    expect(Object.keys(definitions), id).toContain(workflow)
    expect(note, id).not.toBe('')
  }
  expect(new Set(SCHEDULES.map(({ id }) => id)).size).toBe(SCHEDULES.length)
})

test('a queue that is not the default one has schedules of its own', () => {
  expect(scheduleId(TASK_QUEUE, 'compact-tables')).toBe('compact-tables')
  expect(scheduleId('blue', 'compact-tables')).toBe('blue:compact-tables')
})

test('it is known when a schedule is due', () => {
  const iso = (times: readonly number[]) => times.map((ms) => new Date(ms).toISOString().slice(0, 16))
  const [from, to] = [Date.UTC(2026, 10, 18, 0, 15), Date.UTC(2026, 10, 20, 0, 15)]
  expect(iso(timesOf({ minute: 15, hour: 0 }, from, to))).toEqual([
    '2026-11-18T00:15',
    '2026-11-19T00:15',
    '2026-11-20T00:15',
  ])
  expect(iso(timesOf({ minute: 35, everyHours: 6 }, from, from + 86_400_000))).toEqual([
    '2026-11-18T00:35',
    '2026-11-18T06:35',
    '2026-11-18T12:35',
    '2026-11-18T18:35',
  ])
  expect(timesOf({ minute: 15, hour: 0 }, from + 1, to - 1)).toHaveLength(1)
  expect(timesOf({ minute: 15, hour: 0 }, to, from)).toEqual([])
})
