/** The regions with the most trips. */
import type { RegionTotals } from '../../client/index.ts'
import { el, meter } from '../dom.ts'
import { count, duration, moneyShort } from '../format.ts'
import type { Panel } from '../panel.ts'
import type { RangeChoice } from '../ranges.ts'
import { table } from '../table.ts'

export function showRegions(panel: Panel, regions: readonly RegionTotals[], range: RangeChoice): void {
  if (regions.length === 0) {
    panel.empty(`No trip began in ${range.words}.`)
    return
  }
  const most = Math.max(1, ...regions.map((r) => r.trips))
  panel.show(
    table<RegionTotals>(
      'Regions by trips',
      [
        {
          title: 'Region',
          cell: (r) =>
            el('span', { class: 'bar-cell', title: r.region_id }, r.region_id, meter(r.trips / most, 'money')),
        },
        { title: 'Trips', number: true, cell: (r) => count(r.trips) },
        {
          title: 'Fares',
          number: true,
          cell: (r) => r.fares.map((f) => moneyShort(f.fare, f.currency)).join(', ') || '–',
        },
        { title: 'A trip takes', number: true, cell: (r) => duration(r.average_duration * 1000) },
      ],
      regions,
    ),
  )
}
