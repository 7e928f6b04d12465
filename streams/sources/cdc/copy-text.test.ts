/** COPY's text form, against its own rules written the other way round. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { copiedRows } from './copy-text.ts'

const escaped = (text: string): string =>
  text.replace(
    /[\b\f\n\r\t\v\\]/g,
    (c) =>
      `\\${({ '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't', '\v': 'v' } as Record<string, string>)[c] ?? c}`,
  )

async function* inChunks(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    yield bytes.subarray(at, at + size)
    at += size
  }
}

test('rows come out as they went in, whatever they hold and however they are cut', async () => {
  const value = fc.option(
    fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: fc.constantFrom('\\', '\t', '\n', 'N', 'n', 'a') })),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(value, { minLength: 1, maxLength: 5 }), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }),
      async (rows, sizes) => {
        const text = rows
          .map((row) => `${row.map((field) => (field === null ? '\\N' : escaped(field))).join('\t')}\n`)
          .join('')
        const read: (string | null)[][] = []
        for await (const tuple of copiedRows(inChunks(Buffer.from(text), sizes)))
          read.push(tuple.map((field) => field?.toString() ?? null))
        expect(read).toEqual(rows)
      },
    ),
  )
})
