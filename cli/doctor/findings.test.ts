/** What the doctor makes of figures: clocks, disks, memory, pages of metrics. */
import { expect, it } from 'vitest'
import { clockFinding, skewMs } from './clocks.ts'
import { valuesOf } from './lake.ts'
import { diskFinding, memoryFinding } from './machine.ts'

it('a clock is wrong only by what the way there and its own exactness do not explain', () => {
  const asked = { beforeMs: 10_000, afterMs: 10_400 }
  expect(skewMs({ theirMs: 10_200, ...asked })).toBe(0)
  expect(skewMs({ theirMs: 9_000, toMs: 1_000, ...asked })).toBe(0)
  expect(skewMs({ theirMs: 13_400, ...asked })).toBe(3_000)
  expect(skewMs({ theirMs: 5_000, toMs: 1_000, ...asked })).toBe(-4_000)
  expect(clockFinding({ theirMs: 11_000, ...asked })).toMatchObject({ status: 'ok' })
  expect(clockFinding({ theirMs: 13_400, ...asked })).toEqual({
    status: 'warning',
    problem: 'Its clock is 3.0 s ahead of the one here.',
  })
  expect(() => clockFinding({ theirMs: 10_000 - 120_000, ...asked })).toThrow('120.0 s behind')
})

it('a disk is told of while there is time to act', () => {
  expect(diskFinding(50e9, 100e9).status).toBe('ok')
  expect(diskFinding(50e9, 1_000e9).status).toBe('warning')
  expect(diskFinding(4e9, 10e9).status).toBe('warning')
  expect(() => diskFinding(0.1e9, 10e9)).toThrow(/Only .* are free/)
})

it('memory is held against what the form takes', () => {
  expect(memoryFinding({ bytes: 4e9, isContainers: false }, 2e9).status).toBe('ok')
  expect(memoryFinding({ bytes: 1e9, isContainers: true }, 2e9)).toMatchObject({
    status: 'warning',
    problem: expect.stringContaining('the limit of this container'),
  })
  expect(memoryFinding(null, 2e9).status).toBe('unseen')
})

it('metrics are read by table, whatever other labels there are', () => {
  const page = 'x{table="raw.orders",role="l"} 3\nx{table="raw.trips"} 0\nxy{table="raw.trips"} 9\n'
  expect(valuesOf(page, 'x')).toEqual([
    ['raw.orders', 3],
    ['raw.trips', 0],
  ])
})
