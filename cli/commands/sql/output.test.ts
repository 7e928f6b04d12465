/** What `sql` writes: tables for people, JSON and CSV for programs. */
import { expect, test } from 'vitest'
import type { SqlColumn, SqlValue } from '../../../db/lake/index.ts'
import { type Format, openOutput, uniqueNames } from './output.ts'

function written(format: Format, columns: SqlColumn[], rows: SqlValue[][]): { out: string; note: string } {
  let out = ''
  const output = openOutput(format, (text) => {
    out += text
  })
  output.columns(columns)
  for (const row of rows) output.row(row)
  const note = output.end()
  return { out, note }
}

const COLUMNS: SqlColumn[] = [
  { name: 'city', type: 'VARCHAR' },
  { name: 'n', type: 'BIGINT' },
  { name: 'at', type: 'TIMESTAMP WITH TIME ZONE' },
]

test('a table: numbers to the right, wide characters counted, NULL told from nothing', () => {
  const { out } = written('table', COLUMNS, [
    ['東京', 7n, '2026-01-31T12:00:00.000000Z'],
    ['', 1234n, '2026-01-31T12:00:00.120000Z'],
    [null, null, null],
    ['a\nb\x1b[2J', -1n, '2026-01-31T12:00:00.123456Z'],
  ])
  expect(out).toBe(
    ' city        |    n | at\n' +
      '-------------+------+-----------------------------\n' +
      ' 東京        |    7 | 2026-01-31T12:00:00Z\n' +
      '             | 1234 | 2026-01-31T12:00:00.120Z\n' +
      ' NULL        | NULL | NULL\n' +
      ' a\\nb\\x1b[2J |   -1 | 2026-01-31T12:00:00.123456Z\n',
  )
})

test('a table without rows has its header, and what is too wide is cut with a note', () => {
  expect(written('table', COLUMNS.slice(0, 2), []).out).toBe(' city | n\n------+---\n')
  const { out, note } = written('table', [{ name: 'x', type: 'VARCHAR' }], [['é'.repeat(100)]])
  expect(out.split('\n')[2]).toBe(` ${'é'.repeat(79)}…`)
  expect(note).toMatch(/^Values wider than 80 are cut/)
})

test('a plan keeps its lines', () => {
  const columns = ['explain_key', 'explain_value'].map((name) => ({ name, type: 'VARCHAR' }))
  expect(written('table', columns, [['physical_plan', '┌─┐\n│\x1b│\n└─┘\n']]).out).toBe('┌─┐\n│\\x1b│\n└─┘\n')
})

test('more rows than are measured are written all the same', () => {
  const rows = Array.from({ length: 2_500 }, (_, i) => [i])
  const lines = written('table', [{ name: 'i', type: 'INTEGER' }], rows)
    .out.trimEnd()
    .split('\n')
  expect(lines).toHaveLength(2_502)
  expect(lines.at(-1)!.trim()).toBe('2499')
})

test('JSON keeps every digit, and names each key once', () => {
  const columns = ['id', 'id', 'money', 'raw', 'nested', 'odd', 'nothing'].map((name) => ({ name, type: '' }))
  const nested = { a: [1n, null, new Uint8Array([255])], m: new Map([['k', Number.NaN]]) }
  const rows = [
    [2n ** 63n - 1n, 1, '9999999999999999.99', new Uint8Array([0, 171]), nested, Number.NEGATIVE_INFINITY, null],
  ]
  const { out } = written('json', columns, [...rows, [1, 2, 'x', null, [], 'ü"\n', true]])
  expect(out).toBe(
    `[\n{"id":9223372036854775807,"id_2":1,"money":"9999999999999999.99","raw":"\\\\x00ab","nested":{"a":[1,null,"\\\\xff"],"m":{"k":"NaN"}},"odd":"-Infinity","nothing":null},\n` +
      `{"id":1,"id_2":2,"money":"x","raw":null,"nested":[],"odd":"ü\\"\\n","nothing":true}\n]\n`,
  )
  expect(JSON.parse(written('json', columns, []).out)).toEqual([])
  expect(uniqueNames(['id', 'id', 'id_2', 'id'])).toEqual(['id', 'id_3', 'id_2', 'id_4'])
})

test('CSV tells NULL from an empty text, and quotes what must be', () => {
  const { out } = written(
    'csv',
    [...COLUMNS.slice(0, 2), { name: 'a "b", c', type: 'VARCHAR' }],
    [
      ['', 1n, null],
      ['a,b', 2n, 'x\ny'],
      ['q"q', 3n, 'é'],
    ],
  )
  expect(out).toBe('city,n,"a ""b"", c"\n"",1,\n"a,b",2,"x\ny"\n"q""q",3,é\n')
})
