/** Tables and figures as a terminal shows them. */
import { expect, test } from 'vitest'
import { ago, counted, humanBytes, humanCount, humanTime } from './human.ts'
import { cut, printable, textTable, textWidth } from './text-table.ts'

test('columns are aligned by what they take on the screen', () => {
  expect(textWidth('abc')).toBe(3)
  expect(textWidth('köy')).toBe(3)
  expect(textWidth('e\u0301')).toBe(1)
  expect(textWidth('東京')).toBe(4)
  expect(textWidth('a😀b')).toBe(4)
  expect(
    textTable(
      ['NAME', 'N'],
      [
        ['東京', '7'],
        ['a', '1,234'],
      ],
      [1],
    ),
  ).toBe('NAME      N\n東京      7\na     1,234\n')
})

test('what is too wide is cut, and what moves the cursor is made visible', () => {
  expect(cut('abcdef', 6)).toBe('abcdef')
  expect(cut('abcdefg', 6)).toBe('abcde…')
  expect(cut('東京東京', 6)).toBe('東京…')
  expect(printable('a\n\tb\x1b[2J\u202ec')).toBe('a\\n\\tb\\x1b[2J\\u202ec')
})

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 kB'],
  [9_949, '9.9 kB'],
  [12_345, '12 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [128e6, '128 MB'],
  [5.04e9, '5.0 GB'],
])('%d bytes are %s', (bytes, text) => {
  expect(humanBytes(bytes)).toBe(text)
})

test('counts and times', () => {
  expect(humanCount(1_234_567)).toBe('1,234,567')
  expect(counted(1, 'row')).toBe('1 row')
  expect(counted(0, 'row')).toBe('0 rows')
  expect(ago(0, 900)).toBe('just now')
  expect(ago(0, 59_999)).toBe('59 s ago')
  expect(ago(0, 3 * 3_600_000 + 1)).toBe('3 h ago')
  expect(ago(120_000, 0)).toBe('in 2 min')
  expect(humanTime(1_700_000_000_123)).toBe('2023-11-14 22:13:20Z')
})
