import { expect, it } from 'vitest'
import { tickText } from './ticks.ts'

const at = (iso: string) => Date.parse(iso) / 1000
const HOUR = 3600
const DAY = 24 * HOUR

it.each([
  ['seconds', '2026-01-31T12:00:05Z', 30, '12:00:05'],
  ['minutes', '2026-01-31T12:05:00Z', 300, '12:05'],
  ['midnight among hours', '2026-01-31T00:00:00Z', 3 * HOUR, 'Jan 31'],
  ['days', '2026-01-31T00:00:00Z', 2 * DAY, 'Jan 31'],
  ['months', '2026-03-01T00:00:00Z', 31 * DAY, 'Mar'],
  ['a new year among months', '2026-01-01T00:00:00Z', 31 * DAY, 'Jan 2026'],
])('%s', (_, iso, step, text) => {
  expect(tickText(at(iso), step)).toBe(text)
})

it('the first of some months says its year', () => {
  expect(tickText(at('2025-12-01T00:00:00Z'), 31 * DAY, true)).toBe('Dec 2025')
})
