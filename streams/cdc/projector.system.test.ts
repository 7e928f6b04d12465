/**
 * The cdc job on a real PostgreSQL: the tables are what a naive fold of all changes gives, whatever is repeated, cut off, restarted or put in its way.
 */
import { expect, it, onTestFinished } from 'vitest'
import { connect, type Sql } from '../../db/postgres/connect.ts'
import { positionOf } from '../../db/postgres/projection.ts'
import { encodeCursor, type Page } from '../../db/postgres/queries/cursor.ts'
import { QueryError } from '../../db/postgres/queries/numbers.ts'
import { lowStock, priceChanges, productPrices, productStocks, shopOrder } from '../../db/postgres/queries/shop.ts'
import { type TestDatabase, withPostgres } from '../../db/testing/postgres.ts'
import { eventually } from '../../tests/support/eventually.ts'
import { changeTopic } from '../contract/cdc.ts'
import { CDC_TABLES, CDC_TOPICS } from '../contract/topics.ts'
import { createCdcSource } from '../sources/cdc/source.ts'
import { createRandom as createShopper } from '../sources/random.ts'
import { keepShop } from '../sources/shop/keep-shop.ts'
import { prepareShop } from '../sources/shop/tables.ts'
import { createMemoryLog, type MemoryLog } from '../testing/memory-log.ts'
import { createRandom } from '../testing/random.ts'
import { systemClock } from '../time/clock.ts'
import { applyBatch } from './apply-batch.ts'
import { createProjector, type ProjectorObserver } from './projector.ts'
import { readShopChange, type ShopChange } from './read-change.ts'
import { SHOP_TABLES } from './tables.ts'
import {
  type NaiveChange,
  naiveShop,
  partitionOfId,
  randomSteps,
  recordsOf,
  type Step,
  truncation,
} from './testing/shop.ts'

const DEADLINE_MS = 60_000
const PARTITIONS = [0, 1, 2, 3]
const ORDERS = changeTopic('public.orders')
const postgres = withPostgres()

const database = (max = 2): Promise<TestDatabase> => postgres.database({ max })
const newLog = (): MemoryLog => createMemoryLog({ clock: systemClock, maxBatchRecords: 40 })

function startProjector(log: MemoryLog, sql: Sql, observer: ProjectorObserver = {}) {
  const projector = createProjector({ log, sql, clock: systemClock, lookMs: 20, observer })
  const done = projector.run()
  const stop = async () => {
    await projector.stop()
    await done
  }
  onTestFinished(stop)
  return { stop }
}

const atEnd = (log: MemoryLog, sql: Sql) =>
  eventually('everything is applied', DEADLINE_MS, async () => {
    for (const topic of CDC_TOPICS)
      for (const partition of PARTITIONS) {
        const { next } = await log.bounds({ topic, partition })
        if (next > 0 && (await positionOf(sql, { topic, partition })) !== next) return false
      }
    return true
  })

/** Histories by row: in their order. Between rows of different partitions there is none. */
function byRow(changes: readonly NaiveChange[]): Map<string, unknown[]> {
  const found = new Map<string, unknown[]>()
  for (const { id, before, now, atMs } of changes) found.set(id, [...(found.get(id) ?? []), [before, now, atMs]])
  return found
}

async function expectShop(sql: Sql, steps: Parameters<typeof naiveShop>[0]): Promise<void> {
  const naive = naiveShop(steps)
  for (const { table, key, columns, topic } of SHOP_TABLES) {
    const rows = await sql<Record<string, unknown>[]>`SELECT * FROM ${sql(table)}`
    const wanted = naive.rows[topic.split('.').at(-1) as Step['table']]
    const names = Object.keys(columns).filter((name) => columns[name] !== 'time')
    const short = (row: Record<string, unknown>) => names.map((name) => String(row[name] ?? null))
    expect(new Map(rows.map((row) => [row[key], [row.deleted, row.changed_at, ...short(row)]]))).toEqual(
      new Map([...wanted].map(([id, { deleted, atMs, row }]) => [id, [deleted, atMs, ...short(row)]])),
    )
  }
  const [prices, stocks, states] = await Promise.all([
    sql<NaiveChange[]>`
      SELECT product_id AS id, price_before::text AS before, price::text AS now, changed_at AS "atMs" FROM price_changes ORDER BY price_changes.id`,
    sql<NaiveChange[]>`
      SELECT product_id AS id, stock_before AS before, stock AS now, changed_at AS "atMs" FROM stock_changes ORDER BY stock_changes.id`,
    sql<NaiveChange[]>`
      SELECT order_id AS id, status_before AS before, status AS now, changed_at AS "atMs" FROM order_status_changes ORDER BY order_status_changes.id`,
  ])
  expect(byRow(prices)).toEqual(byRow(naive.prices))
  expect(byRow(stocks)).toEqual(byRow(naive.stocks))
  expect(byRow(states)).toEqual(byRow(naive.states))
}

it('begins with the first change, keeps up, and is right after restarts of itself and of PostgreSQL', async () => {
  const { sql } = await postgres.database()
  const log = newLog()
  let subscriptions = 0
  let looks = 0
  // Debezium makes a topic when it has a first change of the table.
  let ordersAreMade = false
  const watched: MemoryLog = {
    ...log,
    partitionCount: async (topic) => {
      looks++
      if (topic === ORDERS && !ordersAreMade) throw new Error('There is no such topic')
      return log.partitionCount(topic)
    },
    subscribe: (...args) => {
      subscriptions++
      return log.subscribe(...args)
    },
  }
  const steps = randomSteps(createRandom(3), 900, 1_767_225_600_000)
  const append = async (from: number, to: number) => {
    for (const step of steps.slice(from, to)) await log.append(recordsOf(step))
  }
  const first = startProjector(watched, sql)
  await eventually('it has looked several times', DEADLINE_MS, () => looks > 10)
  expect(subscriptions).toBe(0)
  await append(0, 300)
  const products = { topic: CDC_TOPICS[0]!, partition: partitionOfId(1) }
  await eventually('products are read', DEADLINE_MS, async () => (await positionOf(sql, products)) !== null)
  ordersAreMade = true
  await atEnd(log, sql)
  await first.stop()
  await append(300, 600)
  const retried: string[] = []
  // Two of them share the partitions, and one goes while the other reads.
  const second = startProjector(log, sql, { retrying: (store) => retried.push(store) })
  const third = startProjector(log, sql)
  await postgres.restart(() => append(600, 750))
  await third.stop()
  await append(750, 900)
  await atEnd(log, sql)
  await second.stop()
  await expectShop(sql, steps)
  await expectAnswers(sql, steps)
})

/** What the edge asks, page by page. */
async function expectAnswers(sql: Sql, steps: readonly Step[]): Promise<void> {
  const naive = naiveShop(steps)
  const all = async <T>(ask: (page: { limit: number; cursor?: string }) => Promise<Page<T>>): Promise<T[]> => {
    const found: T[] = []
    for (let page = await ask({ limit: 3 }); ; page = await ask({ limit: 3, cursor: page.next })) {
      found.push(...page.items)
      if (page.next === null) return found
    }
  }
  const few = [...naive.rows.products.values()].filter(({ row, deleted }) => !deleted && Number(row.stock) < 3)
  const low = await all((page) => lowStock(sql, { ...page, below: 3 }))
  expect(low.map(({ product_id }) => product_id)).toEqual(
    few.sort((a, b) => Number(a.row.stock) - Number(b.row.stock) || Number(a.id) - Number(b.id)).map(({ id }) => id),
  )
  const ofOne = <T extends { id: string }>(list: readonly T[]): T[] => list.filter(({ id }) => id === '2').reverse()
  const prices = await all((page) => productPrices(sql, '2', page))
  expect(prices.map(({ price_before, price }) => [price_before, price])).toEqual(
    ofOne(naive.prices).map(({ before, now }) => [before, now]),
  )
  const stocks = await all((page) => productStocks(sql, '2', page))
  expect(stocks.map(({ stock }) => stock)).toEqual(ofOne(naive.stocks).map(({ now }) => now))
  const changes = await all((page) => priceChanges(sql, page))
  expect(changes.map(({ changed_at }) => changed_at)).toEqual(
    naive.prices
      .filter(({ before }) => before !== null)
      .map(({ atMs }) => atMs)
      .reverse(),
  )
  const order = await shopOrder(sql, '2')
  const items = [...naive.rows.order_items.values()].filter(({ row, deleted }) => !deleted && row.order_id === 2)
  expect(order?.items.map(({ item_id }) => item_id)).toEqual(items.map(({ id }) => id).sort())
  expect(order?.statuses.map(({ status }) => status)).toEqual(
    ofOne(naive.states)
      .map(({ now }) => now)
      .reverse(),
  )
  await expect(priceChanges(sql, { limit: 1, cursor: encodeCursor({ at: 1, id: 'x' }) })).rejects.toThrow(QueryError)
}

it('applies each change once, of however many processes that read the same, and that were thought dead', async () => {
  const { sql } = await database(6)
  const [products] = SHOP_TABLES
  const table = products!
  const steps = randomSteps(createRandom(5), 400, 1_767_225_600_000).filter(
    ({ table: name, id }) => name === 'products' && partitionOfId(id) === 0,
  )
  const changes = steps
    .flatMap((step) => recordsOf(step))
    .map((record, offset) =>
      readShopChange(table, { ...record, offset, appendedAtMs: 1, value: Buffer.from(record.value) }),
    )
    .filter((change): change is ShopChange => change.kind !== 'unreadable')
  const at = { topic: table.topic, partition: 0 }
  const apply = (from: number, to: number) => applyBatch(sql, table, at, changes.slice(from, to), to)
  expect(await apply(0, 50)).toBe(50)
  // The transaction is in, and whoever made it died before it could say so.
  expect(await apply(0, 50)).toBe(0)
  expect(await apply(0, 20)).toBe(0)
  expect(await positionOf(sql, at)).toBe(50)
  // Five at once, with batches that overlap as they like.
  const random = createRandom(9)
  await Promise.all(
    [0, 1, 2, 3, 4].map(async () => {
      for (let from = 0; from < changes.length; ) {
        const to = Math.min(changes.length, from + 1 + random.int(30))
        // Nobody reads beyond what has been applied up to there.
        await apply(from, to)
        from = Math.max(from + 1, to - random.int(10))
      }
    }),
  )
  expect(await positionOf(sql, at)).toBe(changes.length)
  await expectShop(sql, steps)
})

it('marks all rows as deleted where the table was emptied, and tells no change where they come back as they were', async () => {
  const { sql } = await database()
  const log = newLog()
  const steps = randomSteps(createRandom(7), 80, 1_767_225_600_000)
  for (const step of steps) await log.append(recordsOf(step))
  const atMs = 1_767_225_700_000
  await log.append(truncation('products', atMs, PARTITIONS.length))
  const again: Step = { table: 'products', id: 3, atMs: atMs + 1, row: { ...lastRow(steps, 3), price: '99.00' } }
  await log.append(recordsOf(again, 'r'))
  startProjector(log, sql)
  await atEnd(log, sql)
  await expectShop(sql, [...steps, { truncated: 'products', atMs }, again])
})

const lastRow = (steps: readonly Step[], id: number) =>
  steps.findLast((step) => step.table === 'products' && step.id === id && step.row !== null)!.row!

it('puts aside what it can not read or PostgreSQL can not keep, and goes on', async () => {
  const { sql } = await database()
  const log = newLog()
  const random = createRandom(11)
  const good = randomSteps(random, 60, 1_767_225_600_000).filter(({ table }) => table === 'products')
  for (const step of good) await log.append(recordsOf(step))
  const [template] = recordsOf(good[0]!)
  // Beyond what an index of PostgreSQL takes, and not to be compressed.
  const endless = Array.from({ length: 9_000 }, () => String.fromCharCode(33 + random.int(90))).join('')
  await log.append([
    { ...template!, value: Buffer.from('{"op":') },
    { ...template!, key: '{"sku":"s"}', partition: 0 },
    { ...template!, key: JSON.stringify({ id: endless }), partition: 0 },
  ])
  const after: Step = {
    table: 'products',
    id: 3,
    atMs: 1_767_225_800_000,
    row: { name: 'Later', price: '1', stock: 0 },
  }
  await log.append(recordsOf(after))
  startProjector(log, sql)
  await atEnd(log, sql)
  await expectShop(sql, [...good, after])
  const letters = log.records({ topic: 'dlq.cdc.public.products', partition: 0 }).map(({ headers }) => headers!)
  expect(letters.map(({ error_class, error_message }) => [error_class, error_message]).sort()).toEqual([
    ['bad_row', 'The key has no "id", by which rows are known here.'],
    ['bad_row', expect.stringMatching(/^index row requires/)],
    ['unknown_format', 'The value is not JSON.'],
  ])
})

it('goes on behind what retention took, and begins again with a topic that was made anew', async () => {
  const { sql } = await database()
  const [products] = SHOP_TABLES
  const at = { topic: products!.topic, partition: partitionOfId(1) }
  const lost: number[] = []
  const anew: string[] = []
  const observer = {
    lost: (_: unknown, records: number) => void lost.push(records),
    madeAnew: ({ topic }: { topic: string }) => void anew.push(topic),
  }
  const put = (price: string, atMs: number): Step => ({ table: 'products', id: 1, atMs, row: { price } })
  const DAY_MS = 24 * 60 * 60 * 1000
  /** @param gone how many of the records retention has removed */
  const run = async (steps: Step[], gone = 0) => {
    let nowMs = 1_767_225_600_000
    const log = createMemoryLog({ clock: { ...systemClock, now: () => nowMs } })
    const records = steps.flatMap((step) => recordsOf(step))
    await log.append(records.slice(0, gone))
    nowMs += 8 * DAY_MS
    await log.append(records.slice(gone))
    expect(await log.trim()).toBe(gone)
    const { stop } = startProjector(log, sql, observer)
    await eventually('it is applied', DEADLINE_MS, async () => (await positionOf(sql, at)) === records.length)
    await stop()
  }
  await run([put('1', 1), put('2', 2)])
  await run([put('1', 1), put('2', 2), put('3', 3), put('4', 4)], 3)
  expect(lost).toEqual([1])
  await run([put('4', 4), put('5', 5)])
  expect(anew).toEqual([products!.topic])
  const prices = await sql`SELECT price_before::text, price::text FROM price_changes ORDER BY id`
  expect(prices.map(({ price_before, price }) => [price_before, price])).toEqual([
    [null, '1'],
    ['1', '2'],
    ['2', '4'],
    ['4', '5'],
  ])
})

it('has what the shop has, row by row, while it is written to, its source and the projection begin anew, and its server restarts', async () => {
  const { sql } = await database()
  const url = await postgres.emptyDatabase()
  const shop = connect(url, { max: 2 })
  onTestFinished(() => shop.close())
  await prepareShop(shop.sql, 'TRY')
  const log = newLog()
  const settings = { url, slot: 'projected', publication: 'projected', tables: CDC_TABLES }
  let streaming = 0
  const nothing = () => {}
  const observer = {
    ...{ appended: nothing, skipped: nothing, snapshotBegins: nothing, snapshotRows: nothing, snapshotEnds: nothing },
    ...{ slot: nothing, tableChanged: nothing, notFollowed: nothing, lost: nothing, retrying: nothing },
    streaming: () => {
      streaming++
    },
  }
  const startSource = () => {
    const source = createCdcSource({ settings, log, clock: systemClock, observer, version: '0' })
    const done = source.run()
    const stop = async () => {
      source.stop()
      await done
    }
    onTestFinished(stop)
    return { stop }
  }
  const closing = new AbortController()
  const shopping = keepShop({
    ...{ sql: shop.sql, clock: systemClock, random: createShopper(3), rate: 100, currency: 'TRY' },
    signal: closing.signal,
  })
  onTestFinished(() => closing.abort())
  const changes = async () => (await sql<{ n: number }[]>`SELECT count(*) AS n FROM order_status_changes`)[0]!.n

  const first = { source: startSource(), projector: startProjector(log, sql) }
  await eventually('the first sales are seen', DEADLINE_MS, async () => (await changes()) > 20)
  await Promise.all([first.source.stop(), first.projector.stop()])
  startSource()
  startProjector(log, sql)
  const before = await changes()
  await eventually('more is seen', DEADLINE_MS, async () => (await changes()) > before + 20)
  await postgres.restart()
  await eventually('the stream is followed again', DEADLINE_MS, () => streaming >= 3)
  closing.abort()
  await shopping

  const rowsOf = async () => ({
    source: await Promise.all([
      shop.sql`SELECT id::text, sku, name, category, price::text, currency, stock, updated_at FROM products ORDER BY 1`,
      shop.sql`SELECT id::text, user_id, status, total::text, currency, created_at, updated_at FROM orders ORDER BY 1`,
      shop.sql`SELECT id::text, order_id::text, product_id::text, quantity, price::text FROM order_items ORDER BY 1`,
    ]),
    ours: await Promise.all([
      sql`SELECT product_id AS id, sku, name, category, price::text, currency, stock, updated_at FROM cdc_products WHERE NOT deleted ORDER BY 1`,
      sql`SELECT order_id AS id, user_id, status, total::text, currency, created_at, updated_at FROM cdc_orders WHERE NOT deleted ORDER BY 1`,
      sql`SELECT item_id AS id, order_id, product_id, quantity, price::text FROM cdc_order_items WHERE NOT deleted ORDER BY 1`,
    ]),
  })
  const isSame = async () => {
    const { source, ours } = await rowsOf()
    return JSON.stringify(source) === JSON.stringify(ours)
  }
  // What differs at the deadline is shown below.
  await eventually('both are the same', DEADLINE_MS, isSame, 200).catch(() => {})
  const { source, ours } = await rowsOf()
  expect(ours.map((rows) => [...rows])).toEqual(source.map((rows) => [...rows]))
  expect(source.map((rows) => rows.length > 10)).toEqual([true, true, true])
  const [states] = await sql<{ gaps: number }[]>`
    SELECT count(*) AS gaps FROM (
      SELECT status_before, lag(status) OVER (PARTITION BY order_id ORDER BY id) AS was FROM order_status_changes
    ) AS each WHERE status_before IS DISTINCT FROM was`
  expect(states!.gaps).toBe(0)
})
