/** Files of three formats, well-formed and broken, read row by row with their lines. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type FileFormat,
  formatOf,
  type Place,
  ROW_BYTES_MAX,
  type RowFile,
  readRows,
  type SourceRow,
} from './read-rows.ts'
import { splitJson } from './split-json.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rows-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function rows(text: string, format: FileFormat, delimiter?: string): Promise<SourceRow[]> {
  const path = join(folder, 'file')
  writeFileSync(path, text)
  const all: SourceRow[] = []
  for await (const row of readRows(path, { format, ...(delimiter ? { delimiter } : {}) })) all.push(row)
  return all
}
const contents = (all: SourceRow[]) =>
  all.map((r) => ('row' in r ? [r.line, { ...r.row }] : [r.line, r.problem.slice(0, 40)]))

describe('CSV', () => {
  it('is read with quotes, line breaks inside them, CRLF, a byte order mark and blank lines', async () => {
    const text = '\uFEFFid, name\r\n1,"a ""b"", c"\r\n\r\n2,"two\nlines"\r\n3,\r\n'
    expect(contents(await rows(text, 'csv'))).toEqual([
      [2, { id: '1', name: 'a "b", c' }],
      [5, { id: '2', name: 'two\nlines' }],
      [6, { id: '3', name: '' }],
    ])
  })

  it('gives bad rows between the good ones, in the order of their lines', async () => {
    const lines = Array.from({ length: 500 }, (_, i) => (i % 50 === 49 ? 'x"y"' : String(i)))
    const all = await rows(`a\n${lines.join('\n')}\n`, 'csv')
    expect(all.map((r) => r.line)).toEqual(lines.map((_, i) => i + 2))
    expect(all.filter((r) => 'problem' in r)).toHaveLength(10)
  })

  it('takes another delimiter', async () => {
    expect(contents(await rows('a;b\n1;2\n', 'csv', ';'))).toEqual([[2, { a: '1', b: '2' }]])
  })

  it('gives rows with too few or too many columns as bad rows, and goes on', async () => {
    expect(contents(await rows('a,b\n1,2\n3\n4,5,6\n7,8\n', 'csv'))).toEqual([
      [2, { a: '1', b: '2' }],
      [3, 'the row has 1 columns, the header has 2'],
      [4, 'the row has 3 columns, the header has 2'],
      [5, { a: '7', b: '8' }],
    ])
  })

  it('gives a row with a broken quote as a bad row, and goes on', async () => {
    const all = await rows('a,b\n1,2\n3,x"y"\n5,6\n', 'csv')
    expect(all.filter((r) => 'row' in r)).toHaveLength(2)
    expect(all.filter((r) => 'problem' in r)).toMatchObject([
      { problem: expect.stringContaining('not readable as CSV') },
    ])
  })

  it.each([
    ['a quote that is closed too early', '3,"x"y'],
    ['a quote in the middle', '3,x"y'],
    ['a quote that is never closed', '3,"x'],
    ['more than a row may have', `3,${'x'.repeat(ROW_BYTES_MAX + 100)}`],
  ])('by %s loses that line and no other', async (_, line) => {
    const all = await rows(`a,b\n1,2\n${line}\n5,6\n7,"8"\n`, 'csv')
    expect(contents(all)).toEqual([
      [2, { a: '1', b: '2' }],
      [3, expect.stringMatching(/^not readable as CSV: /)],
      [4, { a: '5', b: '6' }],
      [5, { a: '7', b: '8' }],
    ])
    expect(all[1]!.text).toBe(line.slice(0, 1000))
  })

  it('with hundreds of broken lines is read in no time', async () => {
    const lines = Array.from({ length: 4_000 }, (_, i) => (i % 20 === 0 ? `${i},"x"y` : `${i},"x"`))
    const all = await rows(`a,b\n${lines.join('\n')}\n`, 'csv')
    expect(all.map((row) => 'problem' in row)).toEqual(lines.map((line) => line.endsWith('y')))
  })

  it('keeps columns named like members of Object', async () => {
    const [row] = await rows('__proto__,constructor\n1,2\n', 'csv')
    expect(row && 'row' in row && Object.entries(row.row)).toEqual([
      ['__proto__', '1'],
      ['constructor', '2'],
    ])
  })

  it('without a header, or with a column twice, is refused', async () => {
    await expect(rows('', 'csv')).rejects.toThrow('is empty')
    await expect(rows('"a"b,c\n1,2\n', 'csv')).rejects.toThrow('The header of')
    await expect(rows('a,a\n1,2\n', 'csv')).rejects.toThrow('two columns named "a"')
    await expect(async () => {
      for await (const _ of readRows(join(folder, 'missing'), { format: 'csv' }));
    }).rejects.toThrow('ENOENT')
  })

  it('gives equal texts to equal rows only', async () => {
    const [a, b, c] = await rows('a,b\nx,yz\nxy,z\nx,yz\n', 'csv')
    expect(a!.text).toBe(c!.text)
    expect(a!.text).not.toBe(b!.text)
  })
})

describe('NDJSON', () => {
  it('is read line by line, broken lines are bad rows', async () => {
    expect(contents(await rows('{"a":1}\n\n{"a":\n[1]\n{"a":2}', 'ndjson'))).toEqual([
      [1, { a: 1 }],
      [3, expect.stringContaining('not valid JSON')],
      [4, 'not a JSON object'],
      [5, { a: 2 }],
    ])
  })

  it('gives up a line that is too large, and goes on', async () => {
    const all = await rows(`{"a":1}\n{"a":"${'x'.repeat(3 * ROW_BYTES_MAX)}"}\n{"a":2}\n`, 'ndjson')
    expect(contents(all)).toEqual([
      [1, { a: 1 }],
      [2, `larger than ${ROW_BYTES_MAX} bytes`],
      [3, { a: 2 }],
    ])
  })
})

describe('JSON', () => {
  it('is read as one array, with nested values and strings full of brackets', async () => {
    const text = '\uFEFF[\n {"a":"]},[{\\"\\\\"},\n {"b":{"c":[1,[2]]}},\n\n 7 ]\n'
    expect(contents(await rows(text, 'json'))).toEqual([
      [2, { a: ']},[{"\\' }],
      [3, { b: { c: [1, [2]] } }],
      [5, 'not a JSON object'],
    ])
    expect(await rows('[]', 'json')).toEqual([])
  })

  it('is also read as objects one after the other', async () => {
    expect(contents(await rows('{"a":1}\n{"a":2} {"a":3}', 'json'))).toEqual([
      [1, { a: 1 }],
      [2, { a: 2 }],
      [2, { a: 3 }],
    ])
  })

  it('gives what is cut off as a bad row', async () => {
    expect(contents(await rows('[{"a":1},{"a":', 'json'))).toEqual([
      [1, { a: 1 }],
      [1, expect.stringContaining('not valid JSON')],
    ])
  })

  it('gives up an element that is too large, and goes on', async () => {
    const all = await rows(`[{"a":1},\n{"a":"${'x'.repeat(3 * ROW_BYTES_MAX)}"},\n{"a":2}]`, 'json')
    expect(contents(all)).toEqual([
      [1, { a: 1 }],
      [2, `larger than ${ROW_BYTES_MAX} bytes`],
      [3, { a: 2 }],
    ])
  })

  it('is cut into the same values wherever the chunks end', () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue())),
        fc.nat(3),
        fc.integer({ min: 1, max: 9 }),
        (values, indent, size) => {
          const text = Buffer.from(JSON.stringify(values, null, indent)).toString('latin1')
          const split = splitJson('array', 1_000_000)
          const pieces = []
          for (let i = 0; i < text.length; i += size) pieces.push(...split.push(text.slice(i, i + size)))
          pieces.push(...split.end())
          expect(pieces.map((p) => JSON.stringify(JSON.parse(p.text)))).toEqual(values.map((v) => JSON.stringify(v)))
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('going on behind a row', () => {
  const piece = fc.constantFrom(
    'a',
    'é',
    '😀',
    ',',
    ',',
    '"',
    '""',
    '\n',
    '\n',
    '\r\n',
    ' ',
    '1',
    'xy',
    '"b,c"',
    '"d\ne"',
  )
  const jsonPiece = fc.constantFrom(
    '{"a":1}',
    '{"é":"]}"}',
    '[1]',
    ',',
    ',',
    '\n',
    ' ',
    '"',
    '{',
    '}',
    '7',
    '{"b":{"c":[2]}}',
    ']',
  )
  const textOf = (pieces: fc.Arbitrary<string>) => fc.array(pieces, { maxLength: 40 }).map((all) => all.join(''))
  const files = fc.oneof(
    fc.record({
      format: fc.constant<FileFormat>('csv'),
      text: fc
        .tuple(fc.constantFrom('', '\uFEFF'), fc.constantFrom('a,b\n', 'é,"b\nc"\r\n'), textOf(piece))
        .map((all) => all.join('')),
    }),
    fc.record({ format: fc.constant<FileFormat>('ndjson'), text: textOf(jsonPiece) }),
    fc.record({
      format: fc.constant<FileFormat>('json'),
      text: fc.tuple(fc.constantFrom('', '[', '\uFEFF [\n'), textOf(jsonPiece)).map((all) => all.join('')),
    }),
  )
  /** In memory, in chunks of a few bytes. */
  const inChunks = (text: string, size: number): RowFile => {
    const bytes = Buffer.from(text)
    const chunks = function* (from: number) {
      for (let i = from; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
    }
    return { name: 'file', open: (from) => Readable.from(chunks(from), { objectMode: false }) }
  }
  const read = async (file: RowFile, format: FileFormat, from?: Place) => {
    const all: SourceRow[] = []
    for await (const row of readRows(file, { format, from })) all.push(row)
    return all
  }

  it('gives the rows that follow it, with their lines and places', async () => {
    let places = 0
    await fc.assert(
      fc.asyncProperty(files, fc.integer({ min: 1, max: 9 }), async ({ format, text }, size) => {
        const whole = await read(inChunks(text, 1_000), format)
        expect(await read(inChunks(text, size), format)).toEqual(whole)
        for (const [i, { end }] of whole.entries()) {
          if (!end) continue
          places++
          expect(await read(inChunks(text, size), format, end), `${format} behind row ${i}`).toEqual(whole.slice(i + 1))
        }
      }),
      { numRuns: 200 },
    )
    expect(places).toBeGreaterThan(100)
  })

  it('reads no more of a large file than its header and what follows', async () => {
    const text = `id\n${Array.from({ length: 50_000 }, (_, i) => `row-${i}`).join('\n')}\n`
    const opened: number[] = []
    const file = inChunks(text, 65_536)
    const spied: RowFile = {
      name: 'file',
      open(from) {
        opened.push(from)
        return file.open(from)
      },
    }
    const [first] = await read(spied, 'csv', { byte: text.length - 10, line: 50_001 })
    expect(first).toMatchObject({ line: 50_001, row: { id: 'row-49999' } })
    expect(opened).toEqual([0, text.length - 10])
  })
})

it('knows formats by their names', () => {
  expect(['a.csv', 'b.JSON', 'c.ndjson', 'd.jsonl', 'e.parquet', 'f'].map(formatOf)).toEqual([
    'csv',
    'json',
    'ndjson',
    'ndjson',
    null,
    null,
  ])
})
