/** Text and bytes at their edges, through the whole path: what is written comes back, conditions find it by the bounds it has, and partitions are named by it. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  appendFiles,
  createTable,
  type Lake,
  loadTable,
  openWriter,
  partitionBy,
  planScan,
  type Row,
  schemaOf,
  tableName,
} from './index.ts'
import { allRows, temporaryLakes } from './testing/temporary-lake.ts'

const lakeIn = temporaryLakes()
const name = tableName('raw.texts')
const schema = schemaOf([
  { name: 'id', type: 'long', required: true },
  { name: 'text', type: 'string' },
  { name: 'raw', type: 'binary' },
])
const small = { memoryMb: 64, threads: 1 }

async function append(lake: Lake, rows: Row[]) {
  const writer = await openWriter(lake, (await loadTable(lake, name)).metadata, small)
  await writer.appendRows(rows)
  return appendFiles(lake, name, await writer.finish())
}
const rowsOf = (texts: readonly string[]): Row[] =>
  texts.map((text, i) => ({ id: BigInt(i), text, raw: new Uint8Array(Buffer.from(text)) }))
/** A file for each text, so that each has bounds of its own. */
async function lakeOf(texts: readonly string[]) {
  const lake = await lakeIn()
  await createTable(lake, name, { schema })
  for (const row of rowsOf(texts)) await append(lake, [row])
  return lake
}

const EDGES = [
  '',
  '\0',
  'a\0b',
  '\0'.repeat(40),
  '\u007f\u0001',
  '\\x00',
  "'; DROP TABLE x; --",
  '"\\\n\r\t',
  '\u{1f600}'.repeat(17),
  `${'a'.repeat(15)}\u{1f600}b`,
  `${'a'.repeat(16)}\u{1f600}`,
  '\ud7ff'.repeat(17),
  '\u{10ffff}'.repeat(16),
  '\u{10ffff}'.repeat(17),
  `a${'\u{10ffff}'.repeat(40)}`,
  '\ufeffbom',
  'e\u0301',
  'é',
  'x'.repeat(20_000),
]

test('every edge comes back, and is found by its value', async () => {
  const lake = await lakeOf(EDGES)
  const all = await allRows(lake, name, small)
  expect(all.map((row) => row.text)).toEqual(EDGES)
  expect(all.map((row) => Buffer.from(row.raw as Uint8Array).toString())).toEqual(EDGES)
  for (const [i, value] of EDGES.entries()) {
    for (const column of ['text', 'raw']) {
      const wanted = column === 'text' ? value : new Uint8Array(Buffer.from(value))
      for (const op of ['=', '>=', '<='] as const) {
        const found = await allRows(lake, name, { ...small, where: [{ column, op, value: wanted }], columns: ['id'] })
        expect(
          found.map((row) => Number(row.id)),
          `${column} ${op} ${JSON.stringify(value).slice(0, 60)}`,
        ).toContain(i)
      }
    }
  }
}, 120_000)

test('bounds of long texts end at whole characters and cover them', async () => {
  const lake = await lakeOf(EDGES)
  const { files } = await planScan(lake, (await loadTable(lake, name)).metadata)
  const ids = new Map<string, Buffer>(EDGES.map((text) => [text, Buffer.from(text)]))
  expect(files).toHaveLength(EDGES.length)
  for (const { file } of files) {
    const [lower, upper] = [file.lowerBounds.get(2), file.upperBounds.get(2)]
    for (const bound of [lower, upper]) {
      if (!bound) continue
      const text = Buffer.from(bound).toString()
      expect(Buffer.from(text).equals(Buffer.from(bound))).toBe(true)
      expect([...text].length).toBeLessThanOrEqual(16)
    }
    if (!lower) continue
    const covered = [...ids.values()].some(
      (bytes) =>
        Buffer.compare(Buffer.from(lower), bytes) <= 0 && (!upper || Buffer.compare(Buffer.from(upper), bytes) >= 0),
    )
    expect(covered).toBe(true)
  }
  // No text of sixteen characters lies above sixteen of the highest: there is no such bound.
  const highest = files.filter(({ file }) => file.lowerBounds.get(2)?.[0] === 0xf4 && file.recordCount === 1)
  expect(highest.some(({ file }) => file.upperBounds.get(2) === undefined)).toBe(true)
}, 60_000)

test('half a surrogate pair becomes a replacement character, and is found as such', async () => {
  const lake = await lakeOf(['x\ud800y', '\udc00'])
  expect((await allRows(lake, name, small)).map((row) => row.text)).toEqual(['x\ufffdy', '\ufffd'])
  const where = [{ column: 'text', op: '=' as const, value: 'x\ud800y' }]
  expect(await allRows(lake, name, { ...small, where })).toHaveLength(1)
})

test('partitions by any text: their folders are bounded, apart from each other and within the table', async () => {
  const lake = await lakeIn()
  const spec = partitionBy(schema, [{ column: 'text', transform: 'identity' }])
  const { metadata } = await createTable(lake, name, { schema, spec })
  const texts = [...EDGES, '..', '.', 'a/b', '%41', '\ud800', 'null', 'ü'.repeat(100)]
  await append(lake, rowsOf(texts))
  const rows = await allRows(lake, name, small)
  expect(rows.map((row) => row.text)).toEqual(texts.map((text) => Buffer.from(text).toString()))
  const { files } = await planScan(lake, (await loadTable(lake, name)).metadata)
  for (const { file } of files) {
    const folder = file.path.slice(`${metadata.location}/data/`.length).split('/')
    expect(folder).toHaveLength(2)
    expect(folder[0]!.length).toBeLessThanOrEqual('text='.length + 100)
    expect(() => decodeURIComponent(folder[0]!)).not.toThrow()
  }
  for (const value of ['', 'a\0b', '..', '\u{10ffff}'.repeat(17)]) {
    const found = await allRows(lake, name, { ...small, where: [{ column: 'text', op: '=', value }] })
    expect(found).toHaveLength(1)
  }
}, 60_000)

test('any texts together: no condition loses a row', async () => {
  const character = fc.oneof(
    fc.constantFrom('\0', '\ufeff', 'a', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  )
  const text = fc.array(character, { maxLength: 24 }).map((parts) => parts.join(''))
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 2, maxLength: 12 }), async (texts) => {
      const lake = await lakeIn()
      await createTable(lake, name, { schema })
      const half = texts.length >> 1
      const rows = rowsOf(texts)
      await append(lake, rows.slice(0, half))
      await append(lake, rows.slice(half))
      const bytes = texts.map((each) => Buffer.from(each))
      const pivot = bytes[0]!
      for (const op of ['<=', '>='] as const) {
        const where = [{ column: 'text', op, value: texts[0]! }]
        const found = (await allRows(lake, name, { ...small, where, columns: ['id'] })).map((row) => Number(row.id))
        const wanted = bytes.flatMap((each, i) => {
          const order = Buffer.compare(each, pivot)
          return (op === '<=' ? order <= 0 : order >= 0) ? [i] : []
        })
        expect(found).toEqual(wanted)
      }
    }),
    { numRuns: 8 },
  )
}, 120_000)
