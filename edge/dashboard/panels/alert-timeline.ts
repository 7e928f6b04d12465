/** An alert in time: how close its events came, as a picture of what the table of events says; and when what happened, from the first order to the last review. */
import type { FraudAlertDetail } from '../../client/index.ts'
import { el } from '../dom.ts'
import { dateTime, duration } from '../format.ts'

export function closeness({ evidence, first_at, last_at, triggered_at }: FraudAlertDetail): HTMLElement {
  const from = Date.parse(first_at)
  const spanMs = Math.max(1, Date.parse(last_at) - from)
  const dots = evidence.map(({ event_time, order_id }) => {
    const dot = el('span', {
      class: 'moment',
      'data-tone': event_time === triggered_at ? 'bad' : 'accent',
      title: `${order_id}, ${event_time.slice(11, 19)}`,
    })
    dot.style.setProperty('--at', String((Date.parse(event_time) - from) / spanMs))
    return dot
  })
  const times = evidence.map((e) => e.event_time.slice(11, 19)).join(', ')
  return el(
    'div',
    {
      class: 'closeness',
      role: 'img',
      'aria-label': `${evidence.length} events within ${duration(spanMs)}, at ${times}`,
    },
    el('span', { class: 'track' }, ...dots),
    el(
      'span',
      { class: 'ends' },
      el('span', {}, first_at.slice(11, 19)),
      el('span', {}, duration(spanMs)),
      el('span', {}, last_at.slice(11, 19)),
    ),
  )
}

type Entry = FraudAlertDetail['timeline'][number]

export const timeline = ({ timeline }: FraudAlertDetail): HTMLElement =>
  el(
    'ol',
    { class: 'timeline' },
    ...timeline.map((entry) => el('li', {}, el('time', { datetime: entry.at }, dateTime(entry.at)), sentenceOf(entry))),
  )

function sentenceOf({ what, order_id, alert_id, by, state }: Entry): string {
  switch (what) {
    case 'happened':
      return `Order ${order_id} was placed`
    case 'received':
      return `Order ${order_id} was received`
    case 'alerted':
      return 'The alert was raised'
    case 'superseded':
      return alert_id === undefined ? 'Another alert took its place' : `Alert ${alert_id} took its place`
    case 'final':
      return 'The alert became final'
    case 'reviewed':
      return state === 'open' ? `${by} opened it again` : `${by} ${state} it`
  }
}
