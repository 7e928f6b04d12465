/** The alert feed: redrawn only when it changes, so that an opened alert stays open; its evidence is fetched when it is opened. */
import type { Snapshot } from '../serve/live.ts'
import { get } from './api.ts'
import { byId, el, empty, table, tag } from './dom.ts'
import { money, time } from './format.ts'

type Alert = Snapshot['alerts'][number]
interface Evidence {
  order_id: string
  event_time: string
  amount: number
  status: string
  partition: number
  offset: number
}

export function createAlertFeed(lookUp: (userId: string) => void): (snapshot: Snapshot) => void {
  let shown = ''
  let known: Set<string> | null = null
  const items = new Map<string, { state: string; item: HTMLElement }>()

  function itemOf(alert: Alert, now: string): HTMLElement {
    const state = JSON.stringify(alert)
    const made = items.get(alert.alert_id)
    if (made?.state === state) return made.item
    const item = alertItem(alert, now, lookUp)
    // An alert that is amended while somebody reads it stays open.
    if (made?.item.querySelector('details')?.open) item.querySelector('details')!.open = true
    if (known && !known.has(alert.alert_id)) item.classList.add('new')
    items.set(alert.alert_id, { state, item })
    return item
  }

  return ({ alerts, generated_at }) => {
    const state = JSON.stringify(alerts)
    if (state === shown) return
    shown = state
    if (alerts.length === 0) {
      byId('alerts').replaceChildren(empty('No alert so far. The rules watch every order.'))
    } else {
      byId('alerts').replaceChildren(feedOf(alerts.map((alert) => itemOf(alert, generated_at))))
    }
    known = new Set(alerts.map((a) => a.alert_id))
    for (const id of items.keys()) if (!known.has(id)) items.delete(id)
  }
}

function feedOf(items: HTMLElement[]): HTMLElement {
  const feed = el('ol', { class: 'feed' }, ...items)
  feed.setAttribute('aria-label', 'Fraud alerts')
  return feed
}

function alertItem(alert: Alert, now: string, lookUp: (userId: string) => void): HTMLElement {
  const superseded = alert.state === 'superseded'
  const evidence = el('div', { class: 'evidence' }, empty('Loading the evidence …'))
  const details = el(
    'details',
    {},
    el(
      'summary',
      {},
      el(
        'span',
        { class: 'who', title: alert.user_id },
        alert.user_id,
        ' ',
        superseded ? tag('superseded', 'soft') : null,
      ),
      el('span', { class: 'sum' }, money(alert.total, alert.currency)),
      el('span', { class: 'what' }, `${alert.rule_id}: ${alert.orders} ${alert.orders === 1 ? 'order' : 'orders'}`),
      el('span', { class: 'when', title: alert.triggered_at }, time(alert.triggered_at, now)),
    ),
    evidence,
  )
  details.addEventListener('toggle', () => {
    if (details.open) void showEvidence(alert, evidence, lookUp)
  })
  return el('li', {}, details)
}

async function showEvidence(alert: Alert, host: HTMLElement, lookUp: (userId: string) => void): Promise<void> {
  try {
    const { evidence } = await get<{ evidence: Evidence[] }>(`/fraud-alerts/${encodeURIComponent(alert.alert_id)}`)
    const user = el('button', { class: 'link' }, `Look up ${alert.user_id}`)
    user.type = 'button'
    user.addEventListener('click', () => lookUp(alert.user_id))
    host.replaceChildren(
      table<Evidence>(
        'Orders that made the alert fire',
        [
          { title: 'Order', cell: (e) => e.order_id },
          { title: 'Time', cell: (e) => e.event_time.slice(11, 19) },
          { title: 'Status', wide: true, cell: (e) => e.status },
          { title: 'Amount', number: true, cell: (e) => money(e.amount, alert.currency) },
          { title: 'Log position', wide: true, number: true, cell: (e) => `${e.partition}/${e.offset}` },
        ],
        evidence,
      ),
      user,
    )
  } catch (error) {
    host.replaceChildren(el('p', { class: 'error' }, (error as Error).message))
  }
}
