/** Times as clients write them; what isn't a date is NaN, never another date. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseTime, toEpochMs, toIso } from './time-text.ts'

describe('time text', () => {
  it.each([
    ['2019-10-01T00:00:00.000Z', Date.UTC(2019, 9, 1)],
    ['2019-10-01T00:00:00Z', Date.UTC(2019, 9, 1)],
    ['2019-10-01 00:00:00 UTC', Date.UTC(2019, 9, 1)],
    ['2019-10-01 02:50', Date.UTC(2019, 9, 1, 2, 50)],
    ['2019-10-01', Date.UTC(2019, 9, 1)],
    ['2019-10-01T02:50:01.5', Date.UTC(2019, 9, 1, 2, 50, 1, 500)],
    ['2019-10-01T02:50:01,123456789Z', Date.UTC(2019, 9, 1, 2, 50, 1, 123)],
    ['2019-10-01T02:50:01+03:00', Date.UTC(2019, 8, 30, 23, 50, 1)],
    ['2019-10-01T02:50:01-0330', Date.UTC(2019, 9, 1, 6, 20, 1)],
    ['2020-02-29T12:00:00Z', Date.UTC(2020, 1, 29, 12)],
    ['0099-01-01T00:00:00Z', new Date(0).setUTCFullYear(99, 0, 1)],
  ])('reads %s', (text, ms) => {
    expect(parseTime(text)).toBe(ms)
    expect(toEpochMs(text)).toBe(ms)
  })

  it.each([
    '2019-02-29',
    '2019-02-30T00:00:00.000Z',
    '2019-04-31T00:00:00.000Z',
    '2019-02-30T00:00:00Z',
    '2019-13-01',
    '2019-13-01T00:00:00.000Z',
    '2019-00-01',
    '2019-01-00',
    '2019-01-01T24:00:00Z',
    '2019-01-01T24:00:00.000Z',
    '2019-01-01T23:60:00Z',
    '2019-01-01T23:59:60.000Z',
    '01.02.2019 10:00',
    'Tue Mar 01T 2019 00:00:Z',
    '2019-10-01T0x:00:00.000Z',
    '2019-10-01T00:00:00.0 0Z',
    '2019/10/01T00:00:00.000Z',
    'yesterday',
    '',
  ])('refuses %j', (text) => {
    expect(toEpochMs(text)).toBeNaN()
  })

  it('takes epoch milliseconds as they are, cut to whole ones', () => {
    expect(toEpochMs(1_569_888_000_000.9)).toBe(1_569_888_000_000)
    expect(toEpochMs(Number.POSITIVE_INFINITY)).toBeNaN()
    expect(toEpochMs(Number.NaN)).toBeNaN()
  })

  it('reads back every time it writes', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
        (d) => {
          expect(toEpochMs(toIso(d.getTime()))).toBe(d.getTime())
          expect(parseTime(toIso(d.getTime()))).toBe(d.getTime())
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('decides alike whether the text takes the fast way or the slow one', () => {
    const two = fc.integer({ min: 0, max: 70 }).map((n) => String(n).padStart(2, '0'))
    fc.assert(
      fc.property(fc.integer({ min: 1970, max: 2100 }), two, two, two, two, two, (year, mo, d, h, mi, s) => {
        const text = `${year}-${mo}-${d}T${h}:${mi}:${s}.250Z`
        expect(toEpochMs(text)).toBe(parseTime(text))
      }),
      { numRuns: 3000 },
    )
  })
})
