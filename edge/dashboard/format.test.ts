import { describe, expect, it } from 'vitest'
import { axis, changeText, counted, duration, money, moneyShort, pointsText, rate, short, time } from './format.ts'

describe('numbers as the page shows them', () => {
  it.each([
    [0.125, '+12.5%'],
    [-0.03, '−3%'],
    [0, '0%'],
    [8.99, '+899%'],
    [9, '×10'],
    [1234, '×1,235'],
  ])('a change by %d is %s', (share, text) => {
    expect(changeText(share)).toBe(text)
  })

  it('a change of a share is in points, not in percent of percent', () => {
    expect(pointsText(0.004)).toBe('+0.4 pts')
    expect(pointsText(-0.1)).toBe('−10 pts')
  })

  it('money has the digits of its currency, and is short from ten thousand on', () => {
    expect(money(49.9, 'TRY')).toBe('₺49.90')
    expect(money(500, 'JPY')).toBe('¥500')
    expect(moneyShort(9999.5, 'TRY')).toBe('₺9,999.50')
    expect(moneyShort(2_184_000, 'TRY')).toBe('₺2.18M')
  })

  it('rates have a digit behind the point while they are small', () => {
    expect([rate(0.52), rate(49.96), rate(1234.5)]).toEqual(['0.5', '50', '1,235'])
    expect([short(99_999), short(250_000)]).toEqual(['99,999', '250K'])
    expect([axis(9999), axis(10_000)]).toEqual(['9,999', '10K'])
  })

  it('one is not many', () => {
    expect([counted(1, 'order'), counted(2, 'order'), counted(0, 'query', 'queries')]).toEqual([
      '1 order',
      '2 orders',
      '0 queries',
    ])
  })

  it.each([
    [8_400, '8 s'],
    [185_000, '3 min 5 s'],
    [7_800_000, '2 h 10 min'],
    [86_400_000, '1 day'],
    [432_000_000, '5 days'],
  ])('%d ms are %s', (ms, text) => {
    expect(duration(ms)).toBe(text)
  })

  it('a time of another day has its date', () => {
    const now = '2026-01-31T12:00:00.000Z'
    expect(time('2026-01-31T11:59:58.000Z', now)).toBe('11:59:58')
    expect(time('2026-01-29T11:59:58.000Z', now)).toBe('2026-01-29 11:59:58')
  })
})
