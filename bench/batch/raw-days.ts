/**
 * Days of raw events as a shop has them, made by DuckDB from row numbers: visits of a dozen clicks, random ids, one order for 33 clicks, one trip for 33; of a thousand clicks two come again the same
 * day, and one is a copy of the day before's. Files are those that compaction leaves.
 */
import { appendFiles, ensureTable, type Lake, tableName } from '../../db/lake/index.ts'
import { copyToDataFiles } from '../../db/lake/parquet/copy.ts'
import { type Duck, openDuck } from '../../db/lake/parquet/duck.ts'
import { dayMicros, dayNumber } from '../../db/models/render.ts'
import { RAW_TABLES } from '../../streams/contract/lake-tables.ts'
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS } from '../../streams/contract/topics.ts'

const TARGET_BYTES = 128 * 1024 * 1024

export interface RawDay {
  day: string
  clicks: number
}

/** Also the rows of orders and trips. */
export const rowsOf = ({ clicks }: RawDay): number => clicks + 2 * Math.floor(clicks / 33)

/** Of the clicks, those that are no copies of others in the lake. */
export const clicksOnce = ({ clicks }: RawDay, hasDayBefore: boolean): number =>
  clicks - countOf(clicks, 500, 1) - (hasDayBefore ? countOf(clicks, 1_000, 2) : 0)

/** Of the numbers below `n`: those that leave `rest` when divided by `by`. */
const countOf = (n: number, by: number, rest: number): number => Math.max(0, Math.ceil((n - rest) / by))

export async function writeRawDay(lake: Lake, raw: RawDay): Promise<void> {
  const duck = await openDuck({ memoryMb: 2_000 })
  try {
    await duck.connection.run('SET preserve_insertion_order = false')
    const others = Math.floor(raw.clicks / 33)
    await write(lake, duck, raw.day, CLICKSTREAM, clicks(raw))
    await write(lake, duck, raw.day, ORDERS, orders(raw.day, others))
    await write(lake, duck, raw.day, TRIPS, trips(raw.day, others))
  } finally {
    await duck.close()
  }
}

async function write(lake: Lake, duck: Duck, day: string, topic: InputTopic, query: string): Promise<void> {
  const { name, columns, partitionedBy } = RAW_TABLES[topic]
  const table = await ensureTable(lake, tableName(name), {
    columns,
    partitionedBy: [{ column: partitionedBy, transform: 'day' }],
  })
  const types = {
    string: 'VARCHAR',
    long: 'BIGINT',
    int: 'INTEGER',
    boolean: 'BOOLEAN',
    timestamptz: 'TIMESTAMPTZ',
    binary: 'BLOB',
  }
  await duck.connection.run(`CREATE OR REPLACE VIEW made AS ${query}`)
  const known = new Set((await duck.connection.runAndReadAll('FROM made LIMIT 0')).columnNames())
  const select = columns.map(
    (column) => `CAST(${known.has(column.name) ? column.name : 'NULL'} AS ${types[column.type]}) AS ${column.name}`,
  )
  const files = await copyToDataFiles(lake, duck, table.metadata, `SELECT ${select.join(', ')} FROM made`, {
    partition: [dayNumber(day)],
    specId: table.metadata['default-spec-id'],
    targetBytes: TARGET_BYTES,
  })
  await appendFiles(lake, table.name, files)
}

const VISIT_CLICKS = 12
const USERS = 400_000
const oneOf = (values: readonly string[], by: string): string =>
  `[${values.map((value) => `'${value}'`).join(', ')}][1 + ((${by}) % ${values.length})::BIGINT]`

/** Times, log and all, of rows with `micros` (epoch microseconds) and `i`. */
const TRACE = `make_timestamp(micros)::TIMESTAMPTZ AS event_time, make_timestamp(micros + 40000)::TIMESTAMPTZ AS received_at,
  make_timestamp(micros + 60000)::TIMESTAMPTZ AS log_appended_at, make_timestamp(micros + 9000000)::TIMESTAMPTZ AS ingested_at`

function clicks({ day, clicks }: RawDay): string {
  const number = dayNumber(day)
  const { from } = dayMicros(day)
  const types = [
    'page_view',
    'page_view',
    'page_view',
    'page_view',
    'product_view',
    'product_view',
    'add_to_cart',
    'checkout',
    'purchase',
  ]
  return `
    SELECT *, ${TRACE} FROM (
      SELECT
        i,
        ${from} + (hash(visit) % 82800000000)::BIGINT + (i % ${VISIT_CLICKS}) * 45000000 AS micros,
        CASE WHEN i % 500 = 1 THEN md5(concat(${number}, ' ', i - 1)) WHEN i % 1000 = 2 THEN md5(concat(${number - 1}, ' ', i + 1)) ELSE md5(concat(${number}, ' ', i)) END AS event_id,
        ${oneOf(types, 'least(8, (hash(i) % 4 + i % 12 // 2))')} AS event_type,
        CASE WHEN hash(visit) % 10 < 7 THEN concat('user-', hash(visit) % ${USERS}) END AS user_id,
        concat('anon-', hash(visit) % ${USERS * 2}) AS anonymous_id,
        concat('/shop/category-', hash(i) % 12, '/product-', hash(i) % 5000) AS page_url,
        concat('https://search.example/?q=', hash(i) % 100000) AS referrer,
        CASE WHEN hash(i) % 8 < 5 THEN concat('p', hash(i) % 5000) END AS product_id,
        concat('category-', hash(i) % 12) AS category,
        ${oneOf(['TR-Istanbul', 'TR-Ankara', 'EU-West', 'EU-North', 'US-East', 'APAC'], 'hash(visit)')} AS region,
        ${oneOf(['phone', 'desktop', 'tablet'], 'hash(visit)')} AS device,
        concat('{"utm_source":"', hash(i) % 20, '","screen":"', hash(i) % 9, '"}') AS properties,
        (hash(visit) % 8)::INTEGER AS log_partition,
        i + ${BigInt(number) * 100_000_000n} AS log_offset
      FROM (SELECT range AS i, range // ${VISIT_CLICKS} AS visit FROM range(${clicks}))
    )`
}

function orders(day: string, count: number): string {
  const { from } = dayMicros(day)
  return `
    SELECT *, ${TRACE} FROM (
      SELECT
        i,
        ${from} + (hash(i) % 86400000000)::BIGINT AS micros,
        md5(concat('order ', ${dayNumber(day)}, ' ', i - (i % 500 = 1)::INTEGER)) AS order_id,
        concat('user-', hash(i) % ${USERS}) AS user_id,
        ${oneOf(['success', 'success', 'success', 'success', 'success', 'failed', 'refunded'], 'i // 2')} AS status,
        (hash(i) % 100000)::BIGINT AS amount_minor,
        ${oneOf(['TRY', 'TRY', 'USD', 'EUR', 'JPY'], 'hash(i)')} AS currency,
        concat('p', hash(i) % 5000) AS product_id,
        concat('category-', hash(i) % 12) AS category,
        1 + (hash(i) % 3)::BIGINT AS quantity,
        ${oneOf(['TR-Istanbul', 'TR-Ankara', 'EU-West', 'EU-North'], 'hash(i)')} AS region,
        (hash(i) % 8)::INTEGER AS log_partition,
        i + ${BigInt(dayNumber(day)) * 100_000_000n} AS log_offset
      FROM (SELECT range AS i FROM range(${count}))
    )`
}

function trips(day: string, count: number): string {
  const { from } = dayMicros(day)
  return `
    SELECT *, ${TRACE} FROM (
      SELECT
        i,
        ${from} + (hash(i) % 86400000000)::BIGINT AS micros,
        md5(concat('trip ', ${dayNumber(day)}, ' ', i)) AS trip_id,
        concat('r', hash(i) % 300) AS region_id,
        (hash(i) % 30000)::BIGINT AS fare_minor,
        ${oneOf(['TRY', 'USD'], 'hash(i)')} AS currency,
        (hash(i) % 7200)::BIGINT AS duration_s,
        (hash(i) % 60000)::BIGINT AS distance_m,
        (hash(i) % 8)::INTEGER AS log_partition,
        i + ${BigInt(dayNumber(day)) * 100_000_000n} AS log_offset
      FROM (SELECT range AS i FROM range(${count}))
    )`
}
