/**
 * What the end of a Parquet file says about it: that it is whole, how many rows it has, and which of its columns carry field ids.
 *
 * By hand, as a few bytes of each file are enough, and because DuckDB gives NULL for every column of a file without field ids. Invariant: a file that is not the one that the
 * manifest describes is an error before a row of it is read. Source: https://parquet.apache.org/docs/file-format/metadata/ and Thrift's compact protocol.
 */
import { type FileHandle, open } from 'node:fs/promises'

export interface Footer {
  rows: number
  /** Of columns of the first level and below. */
  fieldIds: ReadonlySet<number>
}

const MAGIC = 'PAR1'
const TAIL_BYTES = 8
/** The schema comes first in a footer; this much holds it, and all of most footers, in one read. */
const GUESS_BYTES = 16 * 1024

/** @param bytes as the manifest has it @throws Error with the reason, without the file's name, which the caller knows */
export async function readFooter(path: string, bytes: number): Promise<Footer> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size !== bytes) throw new Error(`it has ${size} bytes where the manifest says ${bytes}`)
    const tail = await readAt(file, Math.max(0, size - GUESS_BYTES), Math.min(size, GUESS_BYTES))
    if (tail.toString('latin1', tail.length - MAGIC.length) !== MAGIC || size < MAGIC.length + TAIL_BYTES)
      throw new Error('it is not a Parquet file, or its end is missing')
    const length = tail.readUInt32LE(tail.length - TAIL_BYTES)
    if (length > size - MAGIC.length - TAIL_BYTES) throw new Error('its footer is damaged')
    const start = tail.length - TAIL_BYTES - length
    const footer =
      start >= 0 ? tail.subarray(start, start + length) : await readAt(file, size - TAIL_BYTES - length, length)
    return parseFooter(footer)
  } finally {
    await file.close()
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

const [STOP, TRUE, FALSE, I8, I16, I32, I64, DOUBLE, BINARY, LIST, SET, STRUCT] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12,
] as const
const MAX_DEPTH = 32
/** FileMetaData: 2 is the schema, 3 the number of rows. SchemaElement: 9 is the field id. */
const [SCHEMA, ROWS, FIELD_ID] = [2, 3, 9]

/** @throws Error when it can't be understood */
export function parseFooter(footer: Buffer): Footer {
  const reader = createReader(footer)
  const fieldIds = new Set<number>()
  let rows = -1
  reader.struct((id, type) => {
    if (id === ROWS && type === I64) rows = Number(reader.zigzag())
    else if (id === SCHEMA && type === LIST)
      reader.list(() =>
        reader.struct((id, type) => {
          if (id === FIELD_ID && type === I32) fieldIds.add(Number(reader.zigzag()))
          else reader.skip(type)
          return true
        }),
      )
    else reader.skip(type)
    // What comes after is about row groups.
    return rows < 0
  })
  if (rows < 0) throw new Error('its footer is damaged')
  return { rows, fieldIds }
}

function createReader(bytes: Buffer) {
  let at = 0
  let depth = 0
  const damaged = (): never => {
    throw new Error('its footer is damaged')
  }
  const byte = (): number => (at < bytes.length ? bytes[at++]! : damaged())
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const next = byte()
      value |= BigInt(next & 0x7f) << shift
      if (next < 0x80) return value
    }
    return damaged()
  }
  const zigzag = (): bigint => {
    const value = varint()
    return (value >> 1n) ^ -(value & 1n)
  }
  const advance = (count: number): void => {
    at += count
    if (at > bytes.length) damaged()
  }
  /** @param element must take at least a byte, so that a damaged length ends where the bytes do */
  const list = (element: (type: number) => void): void => {
    const head = byte()
    const count = head >> 4 === 15 ? Number(varint()) : head >> 4
    for (let i = 0; i < count; i++) element(head & 15)
  }
  /** @param field says whether the rest is wanted */
  const struct = (field: (id: number, type: number) => boolean): void => {
    if (++depth > MAX_DEPTH) damaged()
    let id = 0
    for (let head = byte(); head !== STOP; head = byte()) {
      id = head >> 4 === 0 ? Number(zigzag()) : id + (head >> 4)
      if (!field(id, head & 15)) break
    }
    depth--
  }
  const skip = (type: number, inList = false): void => {
    switch (type) {
      case TRUE:
      case FALSE:
        if (inList) advance(1)
        break
      case I8:
        advance(1)
        break
      case I16:
      case I32:
      case I64:
        varint()
        break
      case DOUBLE:
        advance(8)
        break
      case BINARY:
        advance(Number(varint()))
        break
      case LIST:
      case SET:
        list((element) => skip(element, true))
        break
      case STRUCT:
        struct((_, each) => {
          skip(each)
          return true
        })
        break
      default: // a map, which Parquet's metadata has none of
        damaged()
    }
  }
  return { list, struct, skip, zigzag }
}
