/** Log lines of children, as the one log and as the screen show them. */
import { expect, it } from 'vitest'
import { isWarning, renderLine } from './log-lines.ts'

const line = JSON.stringify({
  level: 'warn',
  time: '2026-01-02T03:04:05.678Z',
  component: 'streams',
  store: 'results',
  err: { type: 'Error', message: 'connection refused', stack: 'long' },
  msg: 'A store did not answer; trying again',
})

it('a person reads when, who, what and why', () => {
  expect(renderLine('streams-1', line, true)).toBe(
    '03:04:05 streams-1 warn: A store did not answer; trying again (results): connection refused',
  )
  expect(isWarning(line)).toBe(true)
})

it('a program gets the line with the process added', () => {
  expect(JSON.parse(renderLine('streams-1', line, false))).toEqual({ ...JSON.parse(line), process: 'streams-1' })
})

it.each([true, false])('what is no log line is passed on with the name (for people: %s)', (forPeople) => {
  expect(renderLine('edge', 'node: warning', forPeople)).toBe('edge: node: warning')
  expect(renderLine('edge', '{"half', forPeople)).toBe('edge: {"half')
})
