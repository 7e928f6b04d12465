/** The table of the lake's benchmarks: ten columns as clickstream events have them, partitioned by day. Rows follow from their number alone, so that sums can be checked. */

import {
  type Columns,
  createTable,
  type Lake,
  openJdbcCatalog,
  openLake,
  openLakeFiles,
  partitionBy,
  schemaOf,
  type Table,
  tableName,
} from '../../db/lake/index.ts'
import { openFolderObjects } from '../../db/objects/folder.ts'
import { connect } from '../../db/postgres/connect.ts'

export const SCHEMA = schemaOf([
  { name: 'event_id', type: 'uuid', required: true },
  { name: 'event_time', type: 'timestamptz', required: true },
  { name: 'received_at', type: 'timestamptz', required: true },
  { name: 'event_type', type: 'string', required: true },
  { name: 'user_id', type: 'string' },
  { name: 'page_url', type: 'string' },
  { name: 'product_id', type: 'string' },
  { name: 'region', type: 'string' },
  { name: 'revenue_minor', type: 'long' },
  { name: 'quantity', type: 'int' },
])

const FIRST_MICROS = Date.UTC(2026, 0, 1) * 1_000
const DAY_MICROS = 86_400_000_000
const TYPES = [
  'page_view',
  'page_view',
  'page_view',
  'product_view',
  'product_view',
  'add_to_cart',
  'checkout',
  'purchase',
]
const REGIONS = ['EU-West', 'EU-North', 'TR-Istanbul', 'TR-Ankara', 'US-East', 'APAC']

export interface Span {
  /** The first row's number. */
  from: number
  rows: number
  /** Days that all rows of the table spread over. */
  days: number
}

/** Times rise within the span, over all days; everything else looks random and is not. */
export function columnsOf({ from, rows, days }: Span): Columns {
  const column = <T>(of: (mixed: number, i: number) => T): T[] =>
    Array.from({ length: rows }, (_, i) => of(mix(from + i), i))
  const time = column((mixed, i) => FIRST_MICROS + Math.floor(((i + 0.5) / rows) * days * DAY_MICROS) + (mixed % 1_000))
  return {
    event_id: column((mixed, i) => uuidOf(mixed, mix(mixed + 1), from + i)),
    event_time: time,
    received_at: column((mixed, i) => time[i]! + (mixed % 900_000)),
    event_type: column((mixed) => TYPES[mixed % TYPES.length]!),
    user_id: column((mixed) => `user-${(mixed % 50_000).toString(36).padStart(6, '0')}`),
    page_url: column((mixed) => `/shop/category-${mixed % 12}/product-${mixed % 5_000}`),
    product_id: column((mixed) => (mixed % 8 < 3 ? null : `p${mixed % 5_000}`)),
    region: column((mixed) => REGIONS[mixed % REGIONS.length]!),
    revenue_minor: column((mixed) => (mixed % 8 === 7 ? mixed % 1_000_000 : null)),
    quantity: column((mixed) => 1 + (mixed % 5)),
  }
}

/** 32 bits that look random: the finaliser of MurmurHash3. */
function mix(n: number): number {
  let h = n | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, '0')
function uuidOf(a: number, b: number, n: number): string {
  return `${hex(a, 8)}-${hex(b & 0xffff, 4)}-4${hex((b >>> 16) & 0xfff, 3)}-a${hex(b >>> 20, 3)}-${hex(n, 12)}`
}

/** A lake in a folder with its catalog in PostgreSQL. */
export async function openBenchLake(
  folder: string,
  postgresUrl: string,
): Promise<{ lake: Lake; close(): Promise<void> }> {
  const database = connect(postgresUrl, { max: 4, name: 'streamforge bench' })
  const lake = openLake(await openJdbcCatalog(database.sql), openLakeFiles(await openFolderObjects(folder)))
  return { lake, close: database.close }
}

export const createEvents = (
  lake: Lake,
  name: string,
  properties: Readonly<Record<string, string>> = {},
): Promise<Table> =>
  createTable(lake, tableName(name), {
    schema: SCHEMA,
    spec: partitionBy(SCHEMA, [{ column: 'event_time', transform: 'day' }]),
    properties,
  })
