/** The products that were seen most, with what became of it. */
import type { ProductTotals } from '../../client/index.ts'
import { el, meter } from '../dom.ts'
import { count, moneyShort } from '../format.ts'
import type { Panel } from '../panel.ts'
import type { RangeChoice } from '../ranges.ts'
import { table } from '../table.ts'

export function showProducts(panel: Panel, products: readonly ProductTotals[], range: RangeChoice): void {
  if (products.length === 0) {
    panel.empty(`No product was seen in ${range.words}.`)
    return
  }
  const most = Math.max(1, ...products.map((p) => p.views))
  panel.show(
    table<ProductTotals>(
      'Top products by views',
      [
        {
          title: 'Product',
          cell: (p) => el('span', { class: 'bar-cell', title: p.product_id }, p.product_id, meter(p.views / most)),
        },
        { title: 'Views', number: true, cell: (p) => count(p.views) },
        { title: 'Bought', number: true, cell: (p) => count(p.purchases) },
        {
          title: 'Revenue',
          number: true,
          cell: (p) => p.revenue.map((r) => moneyShort(r.revenue, r.currency)).join(', ') || '–',
        },
      ],
      products,
    ),
  )
}
