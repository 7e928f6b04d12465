/** What no reader could apply, by what it died of. A row opens the newest letter of its group. */
import type { DeadLetterCause } from '../../client/index.ts'
import { type Api, dataOf } from '../api.ts'
import { button, el } from '../dom.ts'
import { count, counted, minuteTime } from '../format.ts'
import { type Fresh, keepFresh } from '../keep-fresh.ts'
import type { Panel } from '../panel.ts'
import { table } from '../table.ts'

const EVERY_MS = 60_000
const SHOWN = 20

export function followQuarantine(panel: Panel, api: Api, openLetter: (id: string) => void): Fresh {
  const fresh = keepFresh({
    panel,
    everyMs: EVERY_MS,
    load: (signal) => dataOf(api.GET('/dead-letters/causes', { signal })),
    show(causes) {
      const waiting = causes.reduce((sum, { letters, replayed }) => sum + letters - replayed, 0)
      if (causes.length === 0) {
        panel.note('')
        panel.empty('Everything that came could be read.')
        return
      }
      panel.note(waiting === 0 ? 'all were brought back' : `${counted(waiting, 'record')} put aside`)
      panel.show(causeTable(causes.slice(0, SHOWN), openLetter), ...restOf(causes.length - SHOWN))
    },
  })
  fresh.ask(true)
  return fresh
}

const causeTable = (causes: readonly DeadLetterCause[], openLetter: (id: string) => void): HTMLElement =>
  table<DeadLetterCause>(
    'Dead letters by cause',
    [
      {
        title: 'Why',
        cell: (c) =>
          el(
            'span',
            { class: 'cause' },
            button(c.reason.replaceAll('_', ' '), () => openLetter(c.example), { class: 'link' }),
            el('small', { title: c.message }, c.message),
          ),
      },
      { title: 'Topic', wide: true, cell: (c) => c.topic },
      { title: 'Letters', number: true, cell: (c) => count(c.letters) },
      { title: 'Brought back', number: true, cell: (c) => count(c.replayed) },
      { title: 'Last, UTC', number: true, wide: true, cell: (c) => minuteTime(c.last_at) },
    ],
    causes,
  )

const restOf = (more: number): HTMLElement[] =>
  more > 0 ? [el('p', { class: 'hint' }, `${counted(more, 'cause')} more: see GET /dead-letters/causes.`)] : []
