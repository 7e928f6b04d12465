/** The user look-up: features as of now, and sessions, the newest first. A link to `#user=ID` opens it. */
import type { UserFeatures, Session as Visit } from '../../client/index.ts'
import { type Api, answerOf, dataOf, orNull } from '../api.ts'
import { button, byId, type Child, el, facts, tag } from '../dom.ts'
import { count, counted, dateTime, duration, minuteTime, money, words } from '../format.ts'
import type { Panel } from '../panel.ts'
import { placeOf, setPlace } from '../place.ts'
import { table } from '../table.ts'

const PAGE = 5

export function createUserLookup(panel: Panel, api: Api): (userId: string) => void {
  const input = byId<HTMLInputElement>('user-id')
  let asked = 0

  async function show(userId: string): Promise<void> {
    const mine = ++asked
    panel.loading()
    const path = { user_id: userId }
    try {
      const [features, sessions] = await Promise.all([
        orNull(dataOf(api.GET('/features/{user_id}', { params: { path } }))),
        orNull(answerOf(api.GET('/sessions/{user_id}', { params: { path, query: { limit: PAGE } } }))),
      ])
      // A later look-up may have been quicker.
      if (mine !== asked) return
      if (!features && !sessions) {
        panel.empty(`Nothing is known of “${userId}”.`)
        return
      }
      panel.note(features ? `as of ${dateTime(features.as_of)} UTC` : '')
      panel.show(
        ...(features ? [factsOf(features)] : []),
        ...(sessions ? [sessionsOf(userId, sessions.data, sessions.meta.next_cursor)] : []),
      )
    } catch (error) {
      if (mine === asked) panel.failed((error as Error).message, () => void show(userId))
    }
  }

  /** The visits so far, and a button for those before. */
  function sessionsOf(userId: string, visits: readonly Visit[], cursor: string | null): HTMLElement {
    const older = button('Show older sessions', () => void more())
    const trouble = el('p', { class: 'trouble', role: 'alert', hidden: true })
    const host = el(
      'div',
      {},
      el('h3', {}, 'Sessions, newest first'),
      visitTable(visits),
      trouble,
      cursor !== null && older,
    )
    async function more(): Promise<void> {
      older.disabled = true
      try {
        const page = await answerOf(
          api.GET('/sessions/{user_id}', {
            params: { path: { user_id: userId }, query: { limit: PAGE, cursor: cursor! } },
          }),
        )
        host.replaceWith(sessionsOf(userId, [...visits, ...page.data], page.meta.next_cursor))
      } catch (error) {
        trouble.hidden = false
        trouble.textContent = (error as Error).message
        older.disabled = false
      }
    }
    return host
  }

  function lookUp(userId: string): void {
    input.value = userId
    setPlace('user', userId)
    byId('user').scrollIntoView({ block: 'nearest' })
    void show(userId)
  }

  byId('user-form').addEventListener('submit', (event) => {
    event.preventDefault()
    if (input.value) lookUp(input.value)
  })
  panel.empty('Features as of now, and the sessions, of one user: by user id, or by the anonymous id of who has none.')
  const linked = placeOf('user')
  if (linked) lookUp(linked)
  return (userId) => {
    lookUp(userId)
    input.focus()
  }
}

function factsOf({ events, orders, last_product, cart_items, session }: UserFeatures): HTMLElement {
  type Windows = NonNullable<UserFeatures['events']>['counts']
  const windows = (w: Windows, show: (n: number) => string) => [w.last_5m, w.last_1h, w.last_24h].map(show).join(' · ')
  const named: [string, Child][] = [
    ['Session', session ? `open, ${counted(session.events, 'event')}` : 'none open'],
    ['In the cart', counted(cart_items, 'item')],
    ['Last product', last_product ?? '–'],
  ]
  if (events) {
    named.push(
      ['Events in 5 min · 1 h · 24 h', windows(events.counts, count)],
      ['Events ever', count(events.total)],
      ['Last seen (UTC)', dateTime(events.last_seen)],
      ['Last page', events.last_page ?? '–'],
    )
  }
  if (orders) {
    const { currency } = orders
    const amount = (n: number) => (currency === null ? '–' : money(n, currency))
    named.push(
      ['Orders in 5 min · 1 h · 24 h', windows(orders.counts, count)],
      ['Spend in 5 min · 1 h · 24 h', windows(orders.spend, amount)],
      ['Orders ever', `${count(orders.total)}${orders.failed > 0 ? `, ${count(orders.failed)} failed` : ''}`],
      ['Average order', orders.average_order === null ? '–' : amount(orders.average_order)],
    )
  }
  return facts(named)
}

const visitTable = (visits: readonly Visit[]): HTMLElement =>
  table<Visit>(
    'Sessions',
    [
      { title: 'Began, UTC', cell: (s) => minuteTime(s.started_at) },
      { title: 'Reached', cell: (s) => tag(words(s.funnel_stage), s.funnel_stage === 'purchase' ? 'good' : 'soft') },
      { title: 'Lasted', number: true, wide: true, cell: (s) => duration(s.duration_ms) },
      { title: 'Events', number: true, wide: true, cell: (s) => count(s.events) },
      {
        title: 'Revenue',
        number: true,
        cell: (s) => s.revenue.map((r) => money(r.amount, r.currency)).join(', ') || '–',
      },
    ],
    visits,
  )
