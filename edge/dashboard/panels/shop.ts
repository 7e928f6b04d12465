/** A shop's own database, where its changes are captured: of what little is left, and which prices changed last. Where none is captured there are no such cards. */
import type { ShopProduct } from '../../client/index.ts'
import { type Api, answerOf } from '../api.ts'
import { byId, tag } from '../dom.ts'
import { changeText, count, money, time } from '../format.ts'
import { keepFresh } from '../keep-fresh.ts'
import { createPanel } from '../panel.ts'
import { table } from '../table.ts'

const EVERY_MS = 15_000
const BELOW = 10
const SHOWN = 8

type PriceChange = Awaited<ReturnType<typeof load>>['changes']['data'][number]

async function load(api: Api, signal: AbortSignal) {
  const query = { limit: SHOWN }
  const [few, changes] = await Promise.all([
    answerOf(api.GET('/products/low_stock', { params: { query: { ...query, below: BELOW } }, signal })),
    answerOf(api.GET('/products/price_changes', { params: { query }, signal })),
  ])
  return { few, changes }
}

export function followShop(api: Api): void {
  const panels = { few: createPanel('low-stock'), prices: createPanel('price-changes') }
  keepFresh({
    panel: panels.few,
    everyMs: EVERY_MS,
    load: (signal) => load(api, signal),
    show({ few, changes }) {
      for (const id of ['low-stock', 'price-changes']) byId(id).hidden = !few.meta.known
      panels.few.note(`fewer than ${BELOW} left`)
      if (few.data.length === 0) panels.few.empty('There is enough of every product.')
      else panels.few.show(fewTable(few.data))
      panels.prices.note('the newest first')
      if (changes.data.length === 0) panels.prices.empty('No price has changed since the shop is followed.')
      else panels.prices.show(priceTable(changes.data, changes.meta.generated_at))
    },
  }).ask()
}

const nameOf = (row: { name: string | null; product_id: string }): string => row.name ?? row.product_id
/** A shop's currency is any text that it keeps there. */
const priceOf = (amount: number | null, currency: string | null): string => {
  if (amount === null) return '–'
  return /^[A-Z]{3}$/.test(currency ?? '') ? money(amount, currency!) : [amount, currency].filter(Boolean).join(' ')
}

const fewTable = (products: readonly ShopProduct[]): HTMLElement =>
  table<ShopProduct>(
    'Products of which few are left',
    [
      { title: 'Product', cell: nameOf },
      { title: 'Category', wide: true, cell: (p) => p.category ?? '–' },
      { title: 'Price', number: true, cell: (p) => priceOf(p.price, p.currency) },
      { title: 'Left', number: true, cell: (p) => ((p.stock ?? 0) > 0 ? count(p.stock!) : tag('sold out', 'bad')) },
    ],
    products,
  )

const priceTable = (changes: readonly PriceChange[], now: string): HTMLElement =>
  table<PriceChange>(
    'Changes of prices',
    [
      { title: 'Product', cell: nameOf },
      { title: 'Before', number: true, wide: true, cell: (c) => priceOf(c.price_before, c.currency_before) },
      { title: 'Now', number: true, cell: (c) => priceOf(c.price, c.currency) },
      { title: 'Change', number: true, cell: shareOf },
      { title: 'UTC', number: true, cell: (c) => time(c.changed_at, now) },
    ],
    changes,
  )

/** Amounts of two currencies have no share. */
const shareOf = ({ price, price_before, currency, currency_before }: PriceChange): string =>
  price === null || !price_before || currency !== currency_before ? '–' : changeText(price / price_before - 1)
