/**
 * The lake's tables that the platform fills, as data: names, columns, and the column whose day partitions them. Those of the input topics follow from the topics' Avro
 * schemas, so that a field which a topic gains becomes a column.
 *
 * Invariant: every row says which record of the log it comes from; (topic, partition, offset) is unique within a table. Times are UTC, money is in minor units, as in the log.
 */
import { VALUE_SCHEMAS } from './avro.ts'
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS } from './topics.ts'

/** As the lake's own `Column`; types are Iceberg's. */
export interface LakeColumn {
  readonly name: string
  readonly type: 'string' | 'long' | 'int' | 'boolean' | 'timestamptz' | 'binary'
  readonly required?: boolean
  readonly doc?: string
}

export interface LakeTable {
  /** `namespace.table` */
  readonly name: string
  readonly columns: readonly LakeColumn[]
  /** Partitioned by the day of this column. */
  readonly partitionedBy: string
}

/** Where a row comes from and when it came: the same in every table. */
export const TRACE_COLUMNS: readonly LakeColumn[] = [
  { name: 'log_partition', type: 'int', required: true, doc: 'Partition of the topic that the record was read from' },
  { name: 'log_offset', type: 'long', required: true, doc: "The record's offset in its partition" },
  { name: 'log_appended_at', type: 'timestamptz', required: true, doc: 'When the log accepted the record' },
  { name: 'ingested_at', type: 'timestamptz', required: true, doc: 'When the lake-writer wrote the row' },
]

/** Rows of a compacted file are sorted by these columns, as far as the table has them: one user's history then lies together. */
export const SORTED_BY: readonly string[] = ['user_id', 'event_time']

const DOCS: Readonly<Record<string, string>> = {
  event_time: "When it happened, corrected for the client's clock",
  original_time: 'The time that the client gave',
  properties: 'Whatever else the client sent, as JSON',
  bot: 'Whether a program rather than a person did it; null where nobody can tell',
  revenue_minor: 'In minor units of the currency',
  amount_minor: 'In minor units of the currency',
  fare_minor: 'In minor units of the currency',
  duration_s: 'Seconds',
  distance_m: 'Metres',
}

type FieldType = string | readonly FieldType[] | { type: string; logicalType?: string }

function columnOf({ name, type }: { name: string; type: FieldType }): LakeColumn {
  const isOptional = Array.isArray(type)
  const doc = DOCS[name]
  return {
    name,
    type: columnType(name, isOptional ? (type as readonly FieldType[])[1]! : type),
    ...(isOptional ? {} : { required: true }),
    ...(doc === undefined ? {} : { doc }),
  }
}

function columnType(name: string, type: FieldType): LakeColumn['type'] {
  if (type === 'string' || type === 'long' || type === 'boolean') return type
  if (typeof type === 'object' && 'type' in type) {
    if (type.logicalType === 'timestamp-millis') return 'timestamptz'
    if (type.type === 'enum') return 'string'
  }
  throw new Error(`The lake has no column type for the field ${name}: ${JSON.stringify(type)}`)
}

const rawTable = (name: string, topic: InputTopic): LakeTable => {
  // Records, all of them, by their declaration in avro.ts.
  const { fields } = VALUE_SCHEMAS[topic] as unknown as { fields: { name: string; type: FieldType }[] }
  return { name, columns: [...fields.map(columnOf), ...TRACE_COLUMNS], partitionedBy: 'event_time' }
}

/** Every accepted record of the input topics. The log may hold an event twice (a client that sent again): so does its table, under two offsets. */
export const RAW_TABLES: Readonly<Record<InputTopic, LakeTable>> = {
  [CLICKSTREAM]: rawTable('raw.clickstream_events', CLICKSTREAM),
  [ORDERS]: rawTable('raw.orders', ORDERS),
  [TRIPS]: rawTable('raw.trips', TRIPS),
}

/** Every record of the topics `dlq.*`: dead letters, and the notes of their replays. */
export const DEAD_LETTERS_TABLE: LakeTable = {
  name: 'raw.dead_letters',
  columns: [
    { name: 'kind', type: 'string', required: true, doc: 'letter, or replay: the note that one was replayed' },
    { name: 'cause', type: 'string', required: true, doc: 'Names the record that died, the same in letter and replay' },
    { name: 'died_at', type: 'timestamptz', required: true, doc: 'When it was put aside, or replayed' },
    { name: 'source_topic', type: 'string' },
    { name: 'source_partition', type: 'int' },
    { name: 'source_offset', type: 'long' },
    { name: 'source_appended_at', type: 'timestamptz' },
    { name: 'reason', type: 'string' },
    { name: 'message', type: 'string' },
    { name: 'key', type: 'string' },
    { name: 'value', type: 'binary', doc: 'The record as it came' },
    { name: 'cut_from_bytes', type: 'long', doc: 'How long the value was, where only its beginning was kept' },
    { name: 'headers', type: 'string', doc: "The record's own, as JSON" },
    { name: 'replayed_to', type: 'string', doc: 'Of a replay: topic:partition:offset' },
    { name: 'log_topic', type: 'string', required: true, doc: 'The topic of dead letters that holds the record' },
    ...TRACE_COLUMNS,
  ],
  partitionedBy: 'died_at',
}

/** Every change of a product of a shop whose database is followed; none while nobody follows one. Columns are the shop's where it has one of that name, else null. */
export const CDC_PRODUCTS_TABLE: LakeTable = {
  name: 'raw.cdc_products',
  columns: [
    {
      name: 'op',
      type: 'string',
      required: true,
      doc: 'c, u, d, r (read by a snapshot), t (all rows of log_partition are gone)',
    },
    {
      name: 'source_lsn',
      type: 'long',
      doc: "Where the change stands in the shop's WAL; of a snapshot, where that begins",
    },
    { name: 'id', type: 'string', doc: "The row's; null for t" },
    { name: 'sku', type: 'string' },
    { name: 'name', type: 'string' },
    { name: 'category', type: 'string' },
    { name: 'brand', type: 'string', doc: "In extra as well: the demo shop's table has no such column" },
    { name: 'price', type: 'string', doc: 'As the shop has it, to the last digit' },
    {
      name: 'price_minor',
      type: 'long',
      doc: 'In minor units of the currency, rounded to them; null for what is no amount of it',
    },
    { name: 'currency', type: 'string', doc: "The platform's where the shop names none" },
    { name: 'stock', type: 'long' },
    { name: 'updated_at', type: 'timestamptz', doc: 'As the shop has it' },
    { name: 'deleted', type: 'boolean', required: true },
    { name: 'extra', type: 'string', doc: 'Whatever else the table has, as JSON' },
    {
      name: 'unchanged',
      type: 'string',
      doc: 'Columns that were not sent, because they are as before: names, as a JSON array',
    },
    {
      name: 'event_time',
      type: 'timestamptz',
      required: true,
      doc: "When it was committed, or read by a snapshot, by the clock of the shop's database",
    },
    ...TRACE_COLUMNS,
  ],
  partitionedBy: 'event_time',
}

/** In major units of the order's currency: a purchase that earned more is a conversion. */
export const CONVERSION_ABOVE = 50

/** Orders that succeeded and earned more than {@link CONVERSION_ABOVE}; one row per record, as in `raw.orders`. */
export const CONVERSIONS_TABLE: LakeTable = {
  name: 'marketing_events.processed_conversions',
  columns: [
    { name: 'order_id', type: 'string', required: true },
    { name: 'user_id', type: 'string', required: true },
    { name: 'product_id', type: 'string' },
    { name: 'category', type: 'string' },
    { name: 'quantity', type: 'long' },
    { name: 'revenue_minor', type: 'long', required: true, doc: 'In minor units of the currency' },
    { name: 'currency', type: 'string', required: true },
    { name: 'region', type: 'string' },
    { name: 'event_time', type: 'timestamptz', required: true, doc: DOCS.event_time! },
    { name: 'received_at', type: 'timestamptz', required: true },
    ...TRACE_COLUMNS,
  ],
  partitionedBy: 'event_time',
}
