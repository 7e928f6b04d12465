/**
 * The text form of COPY … TO STDOUT → tuples, of which a snapshot consists. Chunks of any size in, whole rows out.
 * Source: "COPY", "Text Format", in PostgreSQL's documentation.
 */
import type { Value } from './pgoutput.ts'

const [NEWLINE, TAB, BACKSLASH, LETTER_N] = [0x0a, 0x09, 0x5c, 0x4e] as const

/** PostgreSQL writes these six and no others; any other escaped byte stands for itself. */
const ESCAPED: Readonly<Record<number, number>> = { 98: 8, 102: 12, 110: 10, 114: 13, 116: 9, 118: 11 }

/** The rows of COPY's output; a tuple's values are valid as long as one holds them. */
export async function* copiedRows(chunks: AsyncIterable<Buffer>): AsyncGenerator<Value[]> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    // A newline in a value is escaped, so this one ends the row.
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, at)) {
      yield fields(bytes.subarray(at, end))
      at = end + 1
    }
    rest = bytes.subarray(at)
  }
}

function fields(line: Buffer): Value[] {
  const values: Value[] = []
  for (let start = 0; start <= line.length; ) {
    const tab = line.indexOf(TAB, start)
    const end = tab < 0 ? line.length : tab
    values.push(plainOf(line.subarray(start, end)))
    start = end + 1
  }
  return values
}

function plainOf(field: Buffer): Buffer | null {
  const first = field.indexOf(BACKSLASH)
  if (first < 0) return field
  if (field.length === 2 && field[1] === LETTER_N) return null
  const plain = Buffer.allocUnsafe(field.length)
  let length = field.copy(plain, 0, 0, first)
  for (let at = first; at < field.length; at++) {
    const byte = field[at]!
    plain[length++] = byte === BACKSLASH ? (ESCAPED[field[++at]!] ?? field[at]!) : byte
  }
  return plain.subarray(0, length)
}
