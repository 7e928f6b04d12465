/**
 * Rows of the raw tables for tests, as the lake-writer leaves them: events that come again (the same day, another day, under another user), come late, lie at the edges of days, name nothing, or
 * have every currency. The seed tells which.
 */
import {
  CLICK_TYPES,
  type ClickstreamEvent,
  ORDER_STATUSES,
  type Order,
  type Trip,
} from '../../../streams/contract/events.ts'
import { CDC_PRODUCTS_TABLE, type LakeTable, RAW_TABLES } from '../../../streams/contract/lake-tables.ts'
import { CLICKSTREAM, ORDERS, TRIPS } from '../../../streams/contract/topics.ts'
import { appendFiles, ensureTable, type Lake, openWriter, tableName } from '../../lake/index.ts'

/** Where the log has the record. Times are epoch milliseconds, as in the events. */
export interface Trace {
  log_partition: number
  log_offset: number
  log_appended_at: number
}
/** Of `raw.cdc_products`, as far as models read it. */
export interface ProductChange extends Trace {
  op: 'c' | 'd' | 't'
  /** null: all products of the partition are gone. */
  id: string | null
  sku: string | null
  name: string | null
  category: string | null
  brand: string | null
  price_minor: number | null
  currency: string | null
  deleted: boolean
  event_time: number
}
export interface EventRows {
  clicks: (ClickstreamEvent & Trace)[]
  orders: (Order & Trace)[]
  trips: (Trip & Trace)[]
}
export interface RawRows extends EventRows {
  /** Of a shop whose database is followed. */
  products?: ProductChange[]
}

export const noRows = (): EventRows => ({ clicks: [], orders: [], trips: [] })

const MS_PER_DAY = 86_400_000

/** Mulberry32: 0 ≤ x < 1. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface Span {
  seed: number
  /** Epoch milliseconds of the first day. */
  from: number
  days: number
  /** Per day and kind, about. */
  events: number
}

export function randomRows({ seed, from, days, events }: Span): EventRows {
  const random = randomOf(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const one = <T>(of: readonly T[]): T => of[below(of.length)]!
  const maybe = <T>(of: () => T, share = 0.6): T | null => (random() < share ? of() : null)
  const offsets = new Map<string, number>()
  const trace = (kind: string, eventTime: number): Trace => {
    const log_partition = below(3)
    const log_offset = offsets.get(`${kind}${log_partition}`) ?? 0
    offsets.set(`${kind}${log_partition}`, log_offset + 1)
    // Seldom the same moment twice, but it happens; and some come days late.
    const late = random() < 0.1 ? below(days * MS_PER_DAY) : below(5) * 1_000
    return { log_partition, log_offset, log_appended_at: eventTime + late }
  }
  const times = (): Pick<Trip, 'event_time' | 'original_time' | 'sent_at' | 'received_at'> => {
    const edge = random()
    const day = from + below(days) * MS_PER_DAY
    const event_time =
      edge < 0.05
        ? day
        : edge < 0.1
          ? day + MS_PER_DAY - 1
          : day + (edge < 0.5 ? below(240) * 60_000 : below(MS_PER_DAY))
    return { event_time, original_time: maybe(() => event_time - 7), sent_at: null, received_at: event_time + 40 }
  }
  const users = Array.from({ length: Math.max(4, Math.ceil(events / 8)) }, (_, i) => `u${i}`)
  const products = ['p1', 'p2', 'p3', 'ş', '']
  const categories = ['books', 'toys', 'uncategorized', '', 'ğ']
  const regions = ['r1', 'r2', 'R1', 'TR-İstanbul', 'x'.repeat(30)]
  const currencies = ['TRY', 'USD', 'JPY', 'KWD']
  const rows = noRows()
  for (let i = 0; i < events * days; i++) {
    const click = times()
    const named = random()
    rows.clicks.push({
      event_id: `c-${i}`,
      event_type: one(CLICK_TYPES),
      user_id: named < 0.7 ? one(users) : null,
      anonymous_id: named > 0.5 ? `a${below(5)}` : null,
      ...click,
      session_id: null,
      page_url: maybe(() => `/p/${below(9)}`),
      referrer: null,
      product_id: maybe(() => one(products)),
      category: maybe(() => one(categories)),
      order_id: maybe(() => `o-${below(events)}`, 0.2),
      revenue_minor: maybe(() => below(10_000), 0.2),
      currency: maybe(() => one(currencies)),
      region: maybe(() => one(regions)),
      device: maybe(() => one(['phone', 'desktop'])),
      properties: maybe(() => '{"a":"\u0000ş"}', 0.1),
      bot: maybe(() => random() < 0.2),
      ...trace('c', click.event_time),
    })
    const order = times()
    // Order ids are few, so that one comes with several statuses, and one looks like another's with its status.
    const order_id = random() < 0.03 ? `o-${below(events)}#failed` : `o-${below(events * days)}`
    rows.orders.push({
      order_id,
      user_id: one(users),
      status: one(ORDER_STATUSES),
      amount_minor: random() < 0.02 ? 100_000_000_000 : below(100_000),
      currency: one(currencies),
      ...order,
      product_id: maybe(() => one(products)),
      category: maybe(() => one(categories)),
      quantity: maybe(() => 1 + below(4)),
      region: maybe(() => one(regions)),
      properties: null,
      ...trace('o', order.event_time),
    })
    const trip = times()
    rows.trips.push({
      trip_id: `t-${i}`,
      region_id: one(regions),
      fare_minor: below(50_000),
      currency: one(currencies),
      duration_s: below(7_200),
      distance_m: below(90_000),
      ...trip,
      properties: null,
      ...trace('t', trip.event_time),
    })
    for (const [kind, all] of Object.entries(rows) as [keyof EventRows, EventRows[keyof EventRows]][])
      if (random() < 0.15 && all.length > 0) {
        const again = one(all as (ClickstreamEvent & Trace)[])
        const other = random() < 0.5 ? { event_time: times().event_time } : {}
        all.push({ ...again, ...other, ...trace(kind[0]!, again.event_time + below(2) * MS_PER_DAY) } as never)
      }
  }
  return rows
}

const KINDS: readonly [keyof RawRows, LakeTable][] = [
  ['clicks', RAW_TABLES[CLICKSTREAM]],
  ['orders', RAW_TABLES[ORDERS]],
  ['trips', RAW_TABLES[TRIPS]],
  ['products', CDC_PRODUCTS_TABLE],
]

/** One commit a table, none where there are no rows of it. */
export async function appendRaw(lake: Lake, rows: Partial<RawRows>): Promise<void> {
  for (const [kind, wanted] of KINDS) {
    const all = rows[kind] ?? []
    if (all.length === 0) continue
    const name = tableName(wanted.name)
    const { metadata } = await ensureTable(lake, name, {
      columns: wanted.columns,
      partitionedBy: [{ column: wanted.partitionedBy, transform: 'day' }],
    })
    const writer = await openWriter(lake, metadata)
    const timed = new Set(wanted.columns.filter(({ type }) => type === 'timestamptz').map((each) => each.name))
    await writer.appendRows(
      all.map((row) =>
        Object.fromEntries(
          Object.entries({ ...row, ingested_at: row.log_appended_at + 500 }).map(([key, value]) => [
            key,
            timed.has(key) && value !== null ? BigInt(value as number) * 1_000n : value,
          ]),
        ),
      ),
    )
    await appendFiles(lake, name, await writer.finish())
  }
}
