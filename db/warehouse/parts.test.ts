import fc from 'fast-check'
import { expect, it } from 'vitest'
import { changesOf } from './parts.ts'

const parts = fc.dictionary(fc.constantFrom('d1', 'd2', 'd3', 'd4', 'd5'), fc.constantFrom('x', 'y', 'z'))

it('copies what differs, removes what it replaces or what is gone, and touches no day that is to be left', () => {
  fc.assert(
    fc.property(parts, parts, fc.subarray(['d1', 'd2', 'd3', 'd4', 'd5']), (before, now, held) => {
      const { remove, copy, waiting, after } = changesOf(before, now, new Set(held))
      for (const day of new Set([...Object.keys(before), ...Object.keys(now)])) {
        const isSame = before[day] === now[day]
        const isHeld = held.includes(day)
        expect(remove.includes(day)).toBe(!isSame && !isHeld)
        expect(copy.includes(day)).toBe(!isSame && !isHeld && day in now)
        expect(waiting.includes(day)).toBe(!isSame && isHeld)
        expect(after[day]).toBe(isHeld ? before[day] : now[day])
      }
      // Once more does nothing.
      expect(changesOf(after, now, new Set(held))).toMatchObject({ remove: [], copy: [], waiting, after })
    }),
  )
})
