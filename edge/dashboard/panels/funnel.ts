/** How far sessions went, from the first page to the purchase, and where they were lost. */
import type { FunnelStage } from '../../client/index.ts'
import { el, meter } from '../dom.ts'
import { count, percent, words } from '../format.ts'
import type { Panel } from '../panel.ts'
import type { RangeChoice } from '../ranges.ts'
import { table } from '../table.ts'

export function showFunnel(panel: Panel, stages: readonly FunnelStage[], range: RangeChoice): void {
  if (!stages.some(({ sessions }) => sessions > 0)) {
    panel.empty(`No session began in ${range.words}.`)
    return
  }
  panel.show(
    table<FunnelStage>(
      'Sessions by the stage that they reached',
      [
        {
          title: 'Reached',
          cell: (s) => el('span', { class: 'bar-cell' }, words(s.stage), meter(s.rate_of_visits ?? 0, 'second')),
        },
        { title: 'Sessions', number: true, cell: (s) => count(s.sessions) },
        { title: 'Of all', number: true, cell: (s) => (s.rate_of_visits === null ? '–' : percent(s.rate_of_visits)) },
        {
          title: 'Lost',
          number: true,
          cell: (s) => (s.rate_of_previous === null ? '–' : percent(1 - s.rate_of_previous)),
        },
      ],
      stages,
    ),
  )
}
