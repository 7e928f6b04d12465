/**
 * What the lake-writer fills: each table with its topics, and how a record of them becomes a row. The diagram of this part on one page.
 *
 * Invariant: a row depends on its record alone, so that writing a range of records again gives the same rows.
 */
import { PRODUCTS } from '../cdc/tables.ts'
import { createDecoder, type Decoder, type SchemaRegistry, Undecodable } from '../contract/codec.ts'
import { isControl } from '../contract/erasure.ts'
import type { Order } from '../contract/events.ts'
import {
  CDC_PRODUCTS_TABLE,
  CONVERSION_ABOVE,
  CONVERSIONS_TABLE,
  DEAD_LETTERS_TABLE,
  type LakeTable,
  RAW_TABLES,
} from '../contract/lake-tables.ts'
import { currencyDecimals } from '../contract/money.ts'
import { deadLetterTopic, INPUT_TOPICS, type InputTopic, ORDERS } from '../contract/topics.ts'
import { isNote, readDeadLetter } from '../dead-letters/dead-letter.ts'
import { type ColumnBatch, columnBatch, type RowObject } from '../lake-tables/columns.ts'
import { letterRow } from '../lake-tables/letter-row.ts'
import { productRow } from '../lake-tables/product-row.ts'
import type { LogRecord, TopicPartition } from '../log/event-log.ts'

export interface ReaderDeps {
  registry: SchemaRegistry
  /** For JSON values that name no currency. */
  currency: string
  now: () => number
}

export interface RowReader {
  /** Fetches what `read` needs to know of these records; fails, to be tried again, where the registry gives no answer. */
  prepare(records: readonly LogRecord[]): Promise<void> | undefined
  /** @returns null for a record that is no row of this table. @throws Undecodable */
  read(at: TopicPartition, record: LogRecord): RowObject | null
}

export interface TableJob {
  readonly table: LakeTable
  readonly topics: readonly string[]
  /** Whether nothing is read and no table made before a topic has had a first record. */
  readonly waits?: boolean
  reader(deps: ReaderDeps): RowReader
}

/** @param foreign names of other producers' topics: their dead letters are kept too */
export const lakeJobs = (foreign: readonly string[] = []): readonly TableJob[] => [
  ...INPUT_TOPICS.map(rawJob),
  { table: DEAD_LETTERS_TABLE, topics: [...INPUT_TOPICS, ...foreign].map(deadLetterTopic), reader: () => deadLetters },
  { table: CONVERSIONS_TABLE, topics: [ORDERS], reader: (deps) => eventRows(ORDERS, deps, asConversion) },
  { table: CDC_PRODUCTS_TABLE, topics: [PRODUCTS.topic], waits: true, reader: productChanges },
]

const rawJob = (topic: InputTopic): TableJob => ({
  table: RAW_TABLES[topic],
  topics: [topic],
  reader: (deps) => eventRows(topic, deps, (event) => event),
})

function eventRows<T extends InputTopic>(
  topic: T,
  { registry, currency, now }: ReaderDeps,
  rowOf: (event: ReturnType<Decoder<RowEvent<T>>['decode']>) => object | null,
): RowReader {
  const decoder = createDecoder(topic, registry, currency, now)
  return {
    prepare: (records) => decoder.prepare(records),
    read: ({ partition }, record) => {
      if (isControl(record)) return null
      const { value, offset, appendedAtMs } = record
      return rowOf(decoder.decode(value, { appendedAtMs, partition, offset })) as RowObject | null
    },
  }
}
type RowEvent<T extends InputTopic> = ReturnType<ReturnType<typeof createDecoder<T>>['decode']>

function asConversion(order: Order): object | null {
  const { status, amount_minor: revenue_minor, currency } = order
  const isKnown = /^[A-Za-z]{3}$/.test(currency)
  if (status !== 'success' || !isKnown || revenue_minor <= CONVERSION_ABOVE * 10 ** currencyDecimals(currency))
    return null
  return { ...order, revenue_minor }
}

const deadLetters: RowReader = {
  prepare: () => undefined,
  read(at, record) {
    const found = readDeadLetter(at, record)
    if (isNote(found))
      return {
        kind: 'replay',
        cause: found.replayOf,
        died_at: found.atMs,
        replayed_to: found.replayedTo,
        log_topic: at.topic,
      }
    return letterRow(found, at.topic)
  },
}

/** Those that nobody can read are put aside by the projection, which reads them as well. */
function productChanges({ currency }: ReaderDeps): RowReader {
  return {
    prepare: () => undefined,
    read: (_, record) => (isControl(record) ? null : productRow(record, currency)),
  }
}

export interface RowBatch {
  columns: ColumnBatch['columns']
  rows: number
  /** Records that nobody can read: the streams have put them aside. */
  undecodable: number
}

/** The rows of some records of one partition. @param ingestedAtMs epoch ms */
export function rowsOf(
  table: LakeTable,
  reader: RowReader,
  at: TopicPartition,
  records: readonly LogRecord[],
  ingestedAtMs: number,
): RowBatch {
  const batch = columnBatch(table, ingestedAtMs)
  let undecodable = 0
  for (const record of records) {
    let row: RowObject | null
    try {
      row = reader.read(at, record)
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error
      undecodable++
      continue
    }
    if (row === null) continue
    const { offset, appendedAtMs } = record
    batch.add(row, { partition: at.partition, offset, appendedAtMs })
  }
  return { columns: batch.columns, rows: batch.rows, undecodable }
}
