/**
 * Messages of PostgreSQL's `pgoutput` plugin, protocol version 1, from the bytes of the replication stream. Pure; read by `source.ts`.
 *
 * Invariant: values are views of the message's bytes, in PostgreSQL's text form; nothing is interpreted here. An LSN is a number: 2^53 bytes of WAL are 9 PB.
 * Source: "Logical Replication Message Formats" in PostgreSQL's documentation.
 */

export interface Column {
  readonly name: string
  /** OID of its type. */
  readonly type: number
  /** Of the type: digits of a timestamp's fraction, for one; −1: none. */
  readonly modifier: number
}

export interface Relation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly columns: readonly Column[]
}

/** A value's bytes; null is NULL; undefined: a large value that was not touched, and is not sent. */
export type Value = Buffer | null | undefined
export type Tuple = readonly Value[]

export type Message =
  /** @property lsn of the commit: rises from transaction to transaction */
  | { readonly kind: 'begin'; readonly lsn: number; readonly committedUs: number; readonly xid: number }
  /** @property endLsn what may be acknowledged once the transaction is kept */
  | { readonly kind: 'commit'; readonly endLsn: number }
  | { readonly kind: 'relation'; readonly relation: Relation }
  | { readonly kind: 'insert'; readonly oid: number; readonly after: Tuple }
  /** @property before whole with REPLICA IDENTITY FULL, the old key where that has changed, else null */
  | {
      readonly kind: 'update'
      readonly oid: number
      readonly before: Tuple | null
      readonly isKey: boolean
      readonly after: Tuple
    }
  | { readonly kind: 'delete'; readonly oid: number; readonly before: Tuple; readonly isKey: boolean }
  | { readonly kind: 'truncate'; readonly oids: readonly number[] }
  /** Types, origins, messages: nothing that is carried on. */
  | { readonly kind: 'other' }

/** Between PostgreSQL's epoch, 2000-01-01, and 1970. */
const EPOCH_SHIFT_US = 946_684_800_000_000

const OTHER: Message = { kind: 'other' }

/** @throws Error when the bytes are no message of this protocol */
export function decodeMessage(bytes: Buffer): Message {
  const read = new Reader(bytes)
  switch (read.char()) {
    case 'B':
      return { kind: 'begin', lsn: read.int64(), committedUs: read.int64() + EPOCH_SHIFT_US, xid: read.int32() }
    case 'C':
      read.at += 1 + 8 // flags, and the commit's own LSN
      return { kind: 'commit', endLsn: read.int64() }
    case 'R':
      return { kind: 'relation', relation: readRelation(read) }
    case 'I': {
      const oid = read.int32()
      read.expect('N')
      return { kind: 'insert', oid, after: read.tuple() }
    }
    case 'U': {
      const oid = read.int32()
      const form = read.char()
      const before = form === 'N' ? null : read.tuple()
      if (before) read.expect('N')
      return { kind: 'update', oid, before, isKey: form === 'K', after: read.tuple() }
    }
    case 'D': {
      const oid = read.int32()
      const isKey = read.char() === 'K'
      return { kind: 'delete', oid, before: read.tuple(), isKey }
    }
    case 'T': {
      const count = read.int32()
      read.at += 1 // options
      return { kind: 'truncate', oids: Array.from({ length: count }, () => read.int32()) }
    }
    case 'Y':
    case 'O':
    case 'M':
      return OTHER
    default:
      throw new Error(
        `PostgreSQL sent a message "${String.fromCharCode(bytes[0]!)}" that pgoutput's version 1 does not have.`,
      )
  }
}

function readRelation(read: Reader): Relation {
  const oid = read.int32()
  const [schema, name] = [read.text(), read.text()]
  read.at += 1 // replica identity: `before` tells it, change by change
  const columns = Array.from({ length: read.int16() }, () => {
    read.at += 1 // whether it is part of the replica identity: with FULL all are
    return { name: read.text(), type: read.int32(), modifier: read.int32() | 0 }
  })
  // An empty schema is how pg_catalog is written.
  return { oid, schema: schema || 'pg_catalog', name, columns }
}

class Reader {
  readonly #bytes: Buffer
  at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  char(): string {
    return String.fromCharCode(this.#bytes[this.at++]!)
  }

  expect(char: string): void {
    if (this.char() !== char) throw new Error(`pgoutput's message has no "${char}" where one should be.`)
  }

  int16(): number {
    this.at += 2
    return this.#bytes.readInt16BE(this.at - 2)
  }

  /** OIDs and transaction ids have no sign. */
  int32(): number {
    this.at += 4
    return this.#bytes.readUInt32BE(this.at - 4)
  }

  int64(): number {
    this.at += 8
    return readInt64(this.#bytes, this.at - 8)
  }

  text(): string {
    const end = this.#bytes.indexOf(0, this.at)
    const text = this.#bytes.toString('utf8', this.at, end)
    this.at = end + 1
    return text
  }

  tuple(): Value[] {
    const bytes = this.#bytes
    const values: Value[] = []
    for (let left = this.int16(); left > 0; left--) {
      const form = bytes[this.at++]
      if (form === 0x6e) values.push(null)
      else if (form === 0x75) values.push(undefined)
      else {
        const length = this.int32()
        values.push(bytes.subarray(this.at, this.at + length))
        this.at += length
      }
    }
    return values
  }
}

export const readInt64 = (bytes: Buffer, at: number): number =>
  bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4)
