/**
 * The alert feed: the newest alerts, and those that fire while somebody looks; older ones on demand. An alert opens with its evidence.
 *
 * Invariant: an alert is there once, as it last was told, wherever it came from: the list, the live stream, or a review made here.
 */
import { type Api, answerOf } from '../api.ts'
import { button, byId, el, tag } from '../dom.ts'
import { counted, money, time, words } from '../format.ts'
import type { Panel } from '../panel.ts'
import { REVIEW_TONES, type ReviewState } from './alert-review.ts'

/** What a row of the feed shows. */
export interface FeedAlert {
  alert_id: string
  rule_id: string
  user_id: string
  state: 'active' | 'superseded'
  review: { state: ReviewState }
  total: number
  currency: string
  /** How many made it fire. */
  orders: number
  triggered_at: string
}

export interface AlertFeed {
  /** Asks for the newest. */
  load(): void
  /** New or changed ones. @returns those that were not known, of a feed that is already there */
  tell(alerts: readonly FeedAlert[]): FeedAlert[]
}

const PAGE = 20

export function createAlertFeed(panel: Panel, api: Api, open: (alertId: string) => void): AlertFeed {
  const filter = byId<HTMLSelectElement>('alert-filter')
  const known = new Map<string, FeedAlert>()
  let cursor: string | null = null
  let isLoaded = false
  let asked = 0

  const wanted = (): ReviewState | undefined => (filter.value === 'all' ? undefined : (filter.value as ReviewState))

  async function ask(from?: string): Promise<void> {
    const mine = ++asked
    try {
      const review = wanted()
      const query = { limit: PAGE, ...(review && { review }), ...(from !== undefined && { cursor: from }) }
      const { data, meta } = await answerOf(api.GET('/fraud-alerts', { params: { query } }))
      if (mine !== asked) return
      if (from === undefined) known.clear()
      for (const alert of data) known.set(alert.alert_id, feedAlertOf(alert))
      cursor = meta.next_cursor
      isLoaded = true
      draw()
    } catch (error) {
      if (mine === asked) panel.failed((error as Error).message, () => void ask(from))
    }
  }

  function draw(arrived: ReadonlySet<string> = new Set()): void {
    const now = new Date().toISOString()
    const shown = [...known.values()]
      .filter((alert) => wanted() === undefined || alert.review.state === wanted())
      .sort((a, b) => (a.triggered_at < b.triggered_at ? 1 : -1))
    if (shown.length === 0) {
      panel.empty(
        wanted() === undefined ? 'No alert so far. The rules watch every order.' : `No alert is ${words(wanted()!)}.`,
      )
      return
    }
    const rows = shown.map((alert) => row(alert, now, arrived.has(alert.alert_id)))
    const older = cursor !== null && button('Show older ones', () => void ask(cursor ?? undefined))
    panel.show(
      el('ol', { class: 'feed', 'aria-label': 'Fraud alerts, newest first' }, ...rows),
      ...(older ? [older] : []),
    )
  }

  filter.addEventListener('change', () => {
    panel.loading()
    void ask()
  })
  // The rows' own listeners would be lost where a row is left alone: one for all of them.
  panel.body.addEventListener('click', (event) => {
    const id = (event.target as Element).closest<HTMLElement>('[data-alert]')?.dataset.alert
    if (id !== undefined) open(id)
  })

  return {
    load: () => void ask(),
    tell(alerts) {
      if (!isLoaded) return []
      const fresh = alerts.filter(({ alert_id }) => !known.has(alert_id))
      for (const alert of alerts) known.set(alert.alert_id, alert)
      if (alerts.length > 0) draw(new Set(fresh.map(({ alert_id }) => alert_id)))
      return fresh
    },
  }
}

export const feedAlertOf = (alert: Omit<FeedAlert, 'orders'> & { evidence: readonly unknown[] }): FeedAlert => ({
  ...alert,
  orders: alert.evidence.length,
})

function row(alert: FeedAlert, now: string, isNew: boolean): HTMLElement {
  return el(
    'li',
    { class: isNew && 'new' },
    el(
      'button',
      { type: 'button', class: 'alert-row', 'data-alert': alert.alert_id, 'aria-haspopup': 'dialog' },
      el(
        'span',
        { class: 'who' },
        alert.user_id,
        alert.state === 'superseded' && tag('superseded', 'soft'),
        alert.review.state !== 'open' && tag(alert.review.state, REVIEW_TONES[alert.review.state]),
      ),
      el('span', { class: 'sum' }, money(alert.total, alert.currency)),
      el('span', { class: 'what' }, `${counted(alert.orders, 'order')}, ${alert.rule_id.replaceAll('-', ' ')}`),
      el('time', { class: 'when', datetime: alert.triggered_at }, time(alert.triggered_at, now)),
    ),
  )
}
