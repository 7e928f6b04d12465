/**
 * Changes of a shop's products as `raw.cdc_products` has them, and what the models must make of them, found by going through them one by one. Some products have the skus that events name, some the ids, two
 * the same sku; some go, and now and then all of a partition.
 */
import { groupBy } from '../../lake/types/group-by.ts'
import { type ProductChange, randomOf, type Span } from './raw-rows.ts'

/** As the models give them. */
type Rows = Record<string, unknown>[]
type Told = Pick<ProductChange, 'sku' | 'name' | 'category' | 'brand' | 'price_minor' | 'currency'>

const MS_PER_DAY = 86_400_000
const PARTITIONS = 3
const NOTHING: Told = { sku: null, name: null, category: null, brand: null, price_minor: null, currency: null }
/** By id. The last one's id is another's sku, as its own is: there is no name for it. */
const SKUS: Readonly<Record<string, readonly (string | null)[]>> = {
  '1': ['p1'],
  '2': ['p2', 'p1'],
  p3: [null],
  '4': ['never-seen', 'ş'],
  '5': [null],
  '6': ['7', ''],
  '7': ['p1'],
}

/** @param span `events`: changes a day */
export function randomProducts({ seed, from, days, events }: Span): ProductChange[] {
  const random = randomOf(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const one = <T>(of: readonly T[]): T => of[below(of.length)]!
  const maybe = <T>(value: T): T | null => (random() < 0.7 ? value : null)
  const offsets = Array.from({ length: PARTITIONS }, () => 0)
  const times = Array.from({ length: days * events }, () => from + below(days * MS_PER_DAY)).sort((a, b) => a - b)
  const ids = Object.keys(SKUS)
  return times.map((event_time, i): ProductChange => {
    const id = one(ids)
    const log_partition = ids.indexOf(id) % PARTITIONS
    // Tombstones are no rows.
    offsets[log_partition]! += 1 + below(2)
    const at = { log_partition, log_offset: offsets[log_partition]!, log_appended_at: event_time + 40, event_time }
    const dice = random()
    if (dice < 0.05) return { ...at, ...NOTHING, op: 't', id: null, deleted: true }
    if (dice < 0.25) return { ...at, ...NOTHING, op: 'd', id, deleted: true }
    const price = maybe({ price_minor: below(10_000), currency: one(['TRY', 'EUR']) })
    const told = { sku: one(SKUS[id]!), name: maybe(`${id} ${i}`), category: maybe(`c${i}`), brand: maybe(`b${i}`) }
    return { ...at, ...NOTHING, ...told, ...price, op: 'c', id, deleted: false }
  })
}

const dayOf = (ms: number): number => Math.floor(ms / MS_PER_DAY)

/** What is known behind a change: all that it names, and of the rest what was known before. */
const behind = (before: Told, { sku, name, category, brand, price_minor, currency }: Told): Told => ({
  sku: sku ?? before.sku,
  name: name ?? before.name,
  category: category ?? before.category,
  brand: brand ?? before.brand,
  ...(price_minor === null
    ? { price_minor: before.price_minor, currency: before.currency }
    : { price_minor, currency }),
})

/** Of `int_shop_products`, without its day. */
export function naiveShopDay(changes: readonly ProductChange[], day: number): Rows {
  const ofDay = changes.filter((change) => dayOf(change.event_time) === day)
  return [...groupBy(ofDay, ({ log_partition, id }) => JSON.stringify([log_partition, id])).values()].map((all) => {
    const { id, log_partition, log_offset, deleted } = all.at(-1)!
    return { shop_product_id: id, ...all.reduce(behind, NOTHING), is_deleted: deleted, log_partition, log_offset }
  })
}

interface Product extends Told {
  shop_product_id: string
  is_listed: boolean
}

/** Rows of `dim_products` of what events say of products (`seen`), and of the changes of the days that are built. */
export function naiveProducts(seen: Rows, changes: readonly ProductChange[], days: readonly number[]): Rows {
  const shop = new Map<string, Product & { partition: number }>()
  for (const change of changes.filter(({ event_time }) => days.includes(dayOf(event_time)))) {
    const { id, log_partition: partition } = change
    if (id === null) {
      for (const product of shop.values()) if (product.partition === partition) product.is_listed = false
      continue
    }
    const told = behind(shop.get(id) ?? NOTHING, change)
    shop.set(id, { shop_product_id: id, ...told, is_listed: !change.deleted, partition })
  }
  const owner = (name: string): string | undefined => {
    const claiming = [...shop.values()].filter(({ sku }) => sku === name)
    if (claiming.length === 0) return shop.get(name)?.shop_product_id
    const listed = claiming.filter(({ is_listed }) => is_listed)
    return (listed.length > 0 ? listed : claiming).map(({ shop_product_id }) => shop_product_id).sort()[0]
  }
  const row = (product_id: string, of: Rows[number] | undefined, id: string | undefined): Rows[number] => {
    const { partition: _, ...product } = shop.get(id!) ?? {
      ...NOTHING,
      shop_product_id: null,
      is_listed: null,
      partition: 0,
    }
    const { category = null, first_seen = null, last_seen = null } = of ?? {}
    return { ...product, product_id, category: product.category ?? category, first_seen, last_seen }
  }
  const rows = seen.map((each) => row(each.product_id as string, each, owner(each.product_id as string)))
  const named = new Set(rows.map(({ shop_product_id }) => shop_product_id))
  for (const { shop_product_id: id, sku } of shop.values()) {
    const name = [sku, id].find((each) => each !== null && owner(each) === id)
    if (!named.has(id) && name != null) rows.push(row(name, undefined, id))
  }
  return rows
}
