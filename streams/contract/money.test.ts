/** Decimal amounts become integers of the minor unit as they were written, in each currency's own number of decimals. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AMOUNT_MAX, currencyDecimals, toMajor, toMinor } from './money.ts'

describe('money', () => {
  it('knows the decimals of a currency', () => {
    expect(['JPY', 'TRY', 'KWD', 'XYZ'].map(currencyDecimals)).toEqual([0, 2, 3, 2])
    expect(() => currencyDecimals('lira')).toThrow(RangeError)
  })

  it.each([
    [1.005, 'TRY', 101],
    [35.79, 'USD', 3579],
    [0.1 + 0.2, 'TRY', 30],
    [4.35, 'GBP', 435],
    [1.115, 'TRY', 112],
    [2.675, 'TRY', 268],
    [1.004, 'TRY', 100],
    [0.004, 'TRY', 0],
    [0.005, 'TRY', 1],
    [1234.5, 'JPY', 1235],
    [1234.4999, 'JPY', 1234],
    [1.2345, 'KWD', 1235],
    [999_999_999.99, 'TRY', 99_999_999_999],
    [-1.005, 'TRY', -101],
    [0, 'TRY', 0],
  ])('%d %s is %d minor units', (amount, currency, minor) => {
    expect(toMinor(amount, currency)).toBe(minor)
  })

  it('never gives a negative zero', () => {
    expect(Object.is(toMinor(-0, 'TRY'), 0)).toBe(true)
    expect(Object.is(toMinor(-0.001, 'TRY'), 0)).toBe(true)
  })

  it('gives back every minor amount that was made major', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('JPY', 'TRY', 'KWD'),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (currency, share) => {
          const minor = Math.floor(share * AMOUNT_MAX) * 10 ** currencyDecimals(currency)
          for (const m of [minor, minor + 1, minor + 9, Math.floor(minor / 997)]) {
            expect(toMinor(toMajor(m, currency), currency)).toBe(m)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('reads decimal text of up to two decimals as its digits say', () => {
    fc.assert(
      fc.property(fc.nat(99_999_999), fc.nat(99), (units, cents) => {
        expect(toMinor(Number(`${units}.${String(cents).padStart(2, '0')}`), 'TRY')).toBe(units * 100 + cents)
      }),
      { numRuns: 2000 },
    )
  })

  it('rounds a half away from zero, at three decimals as they were written', () => {
    fc.assert(
      fc.property(fc.nat(9_999_999), fc.nat(999), (units, mills) => {
        const expected = units * 100 + Math.floor((mills + 5) / 10)
        expect(toMinor(Number(`${units}.${String(mills).padStart(3, '0')}`), 'TRY')).toBe(expected)
      }),
      { numRuns: 2000 },
    )
  })
})
