/**
 * Changes of one table as the records of its topic: Debezium's envelope around the rows, the primary key as key, a tombstone behind a delete. Pure; JSON is put together
 * as text, since a row's names and everything that a transaction's changes share are the same from change to change.
 *
 * Invariant: a change gives the same records, in the same order and with the same positions, whenever it is read. Only `ts_ms` of the envelope differs.
 */
import { CDC_SERVER, CHANGE_POSITION, type ChangeOp, changeTopic, UNAVAILABLE } from '../../contract/cdc.ts'
import type { NewRecord } from '../../log/event-log.ts'
import type { Message, Relation, Tuple } from './pgoutput.ts'
import { formatPosition } from './position.ts'
import { jsonOf, type TypeInfo, type WriteValue, writerOf } from './values.ts'

/** A change gives at most so many records: a delete, a tombstone and an insert, where its key was changed. */
export const RECORDS_PER_CHANGE = 3

/** What a change's records say of where it comes from. */
export interface Origin {
  readonly db: string
  /** Of the commit; of a snapshot, where the stream goes on behind it. */
  readonly commitLsn: number
  /** Of the change itself. */
  readonly lsn: number
  /** Of the commit before, as far as it is known. */
  readonly lastCommitLsn: number | null
  /** null in a snapshot. */
  readonly xid: number | null
  readonly atUs: number
  /** Of the transaction's changes, or of the snapshot's rows, from 0. */
  readonly index: number
  readonly snapshot: 'true' | 'last' | 'false'
}

export interface TableFacts {
  readonly relation: Relation
  /** Columns of the primary key. */
  readonly key: readonly string[]
  readonly types: ReadonlyMap<number, TypeInfo>
  readonly partitions: number
}

/** @property version of this program, which Debezium's place for its own tells */
export interface WriterDeps {
  readonly version: string
  readonly now: () => number
}

export interface TableWriter {
  readonly topic: string
  /** @returns records in the order of their positions */
  change(message: Extract<Message, { kind: 'insert' | 'update' | 'delete' }>, origin: Origin): NewRecord[]
  /** A row as a snapshot read it. */
  row(tuple: Tuple, origin: Origin): NewRecord
  /** All rows are gone: one record to each partition, since an order exists only within one. */
  truncate(origin: Origin): NewRecord[]
}

const ABSENT = JSON.stringify(UNAVAILABLE)
const NO_VALUE = Buffer.alloc(0)

export function createTableWriter(table: TableFacts, { version, now }: WriterDeps): TableWriter {
  const { relation, key, types, partitions } = table
  const topic = changeTopic(`${relation.schema}.${relation.name}`)
  const columns = relation.columns.map(({ name, type, modifier }) => ({
    prefix: `${JSON.stringify(name)}:`,
    write: writerOf(type, modifier, types),
  }))
  const keyIndexes = key.map((name) => relation.columns.findIndex((column) => column.name === name))
  const sourceHead = `{"version":${JSON.stringify(version)},"connector":"postgresql","name":"${CDC_SERVER}","ts_ms":`
  const place = `"schema":${JSON.stringify(relation.schema)},"table":${JSON.stringify(relation.name)}`

  const member = ({ prefix, write }: { prefix: string; write: WriteValue }, value: Tuple[number], was: Tuple[number]) =>
    prefix + jsonOf(value === undefined ? was : value, write, ABSENT)

  /** @param was the row before, where it is whole: a value that was not touched is taken from it */
  function rowJson(tuple: Tuple, was: Tuple | null): string {
    let json = '{'
    for (let i = 0; i < columns.length; i++)
      json += (i === 0 ? '' : ',') + member(columns[i]!, tuple[i], was === null ? undefined : was[i])
    return `${json}}`
  }
  const keyJson = (tuple: Tuple): string =>
    `{${keyIndexes.map((i) => member(columns[i]!, tuple[i], undefined)).join(',')}}`

  const envelope = (op: ChangeOp, before: string, after: string, origin: Origin): Buffer => {
    const { db, lsn, lastCommitLsn, xid, atUs, snapshot } = origin
    const nowMs = now()
    const sequence = `[${lastCommitLsn === null ? 'null' : `\\"${lastCommitLsn}\\"`},\\"${lsn}\\"]`
    const source =
      `${sourceHead}${Math.floor(atUs / 1_000)},"snapshot":"${snapshot}","db":${JSON.stringify(db)},"sequence":"${sequence}",` +
      `"ts_us":${atUs},"ts_ns":${atUs}000,${place},"txId":${xid},"lsn":${lsn},"xmin":null}`
    return Buffer.from(
      `{"before":${before},"after":${after},"source":${source},"transaction":null,"op":"${op}","ts_ms":${nowMs},"ts_us":${nowMs}000,"ts_ns":${nowMs}000000}`,
    )
  }
  const headers = ({ commitLsn, index, snapshot }: Origin, nth: number): Record<string, string> => ({
    [CHANGE_POSITION]: formatPosition({
      lsn: commitLsn,
      n: index * RECORDS_PER_CHANGE + nth,
      isSnapshot: snapshot !== 'false',
    }),
  })
  const tombstone = (keyText: string, origin: Origin): NewRecord => ({
    topic,
    key: keyText,
    value: NO_VALUE,
    tombstone: true,
    headers: headers(origin, 1),
  })

  return {
    topic,
    change(message, origin) {
      if (message.kind === 'insert') {
        const value = envelope('c', 'null', rowJson(message.after, null), origin)
        return [{ topic, key: keyJson(message.after), value, headers: headers(origin, 0) }]
      }
      const { before, isKey } = message
      const was = before && !isKey ? before : null
      const wasJson = was ? rowJson(was, null) : before ? keyJson(before) : 'null'
      if (message.kind === 'delete') {
        const keyText = keyJson(message.before)
        return [
          { topic, key: keyText, value: envelope('d', wasJson, 'null', origin), headers: headers(origin, 0) },
          tombstone(keyText, origin),
        ]
      }
      const keyText = keyJson(message.after)
      const row = rowJson(message.after, was)
      const oldKey = before ? keyJson(before) : keyText
      if (oldKey === keyText)
        return [{ topic, key: keyText, value: envelope('u', wasJson, row, origin), headers: headers(origin, 0) }]
      // As Debezium has it: under another key it is another row.
      return [
        {
          topic,
          key: oldKey,
          value: envelope('d', wasJson, 'null', origin),
          headers: { ...headers(origin, 0), '__debezium.newkey': keyText },
        },
        tombstone(oldKey, origin),
        {
          topic,
          key: keyText,
          value: envelope('c', 'null', row, origin),
          headers: { ...headers(origin, 2), '__debezium.oldkey': oldKey },
        },
      ]
    },
    row: (tuple, origin) => ({
      topic,
      key: keyJson(tuple),
      value: envelope('r', 'null', rowJson(tuple, null), origin),
      headers: headers(origin, 0),
    }),
    truncate: (origin) =>
      Array.from({ length: partitions }, (_, partition) => ({
        topic,
        partition,
        key: null,
        value: envelope('t', 'null', 'null', origin),
        headers: headers(origin, 0),
      })),
  }
}
