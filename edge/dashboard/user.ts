/** The user look-up: features as of now, and sessions. A link to `#user=ID` opens it. */
import { ApiError, get } from './api.ts'
import { byId, el, empty, table, tag } from './dom.ts'
import { count, dateTime, duration, money } from './format.ts'

interface Windows {
  last_5m: number
  last_1h: number
  last_24h: number
}
interface Features {
  as_of: string
  events: { counts: Windows; total: number; last_seen: string; last_page: string | null } | null
  orders: {
    counts: Windows
    spend: Windows
    currency: string | null
    total: number
    total_spend: number
    average_order: number | null
    failed: number
  } | null
  last_product: string | null
  cart_items: number
  session: { started_at: string; events: number } | null
}
interface Session {
  started_at: string
  duration_ms: number
  events: number
  funnel_stage: string
  revenue: { currency: string; amount: number }[]
  entry_page: string | null
  final: boolean
}

export function createUserLookup(): (userId: string) => void {
  const input = byId<HTMLInputElement>('user-id')
  let asked = 0

  async function show(userId: string): Promise<void> {
    const mine = ++asked
    const host = byId('user')
    host.replaceChildren(empty('Looking …'))
    const id = encodeURIComponent(userId)
    const [features, sessions] = await Promise.all([
      orNull(get<Features>(`/features/${id}`)),
      orNull(get<Session[]>(`/sessions/${id}?limit=5`)),
    ]).catch((error: Error) => {
      if (mine === asked) host.replaceChildren(el('p', { class: 'error' }, error.message))
      return [undefined, undefined] as const
    })
    // A later look-up may have been quicker.
    if (mine !== asked || features === undefined) return
    if (!features && !sessions) host.replaceChildren(empty(`Nothing is known of “${userId}”.`))
    else host.replaceChildren(...(features ? factsOf(features) : []), ...(sessions?.length ? sessionsOf(sessions) : []))
  }

  function lookUp(userId: string): void {
    input.value = userId
    history.replaceState(null, '', `#user=${encodeURIComponent(userId)}`)
    byId('user-card').scrollIntoView({ block: 'nearest' })
    void show(userId)
  }

  byId('user-form').addEventListener('submit', (event) => {
    event.preventDefault()
    if (input.value) lookUp(input.value)
  })
  const linked = new URLSearchParams(location.hash.slice(1)).get('user')
  if (linked) lookUp(linked)
  return lookUp
}

/** Unknown is an answer here, not an error. */
async function orNull<V>(asking: Promise<V>): Promise<V | null> {
  try {
    return await asking
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null
    throw error
  }
}

function factsOf({ events, orders, last_product, cart_items, session }: Features): HTMLElement[] {
  const windows = (w: Windows, show: (n: number) => string) => [w.last_5m, w.last_1h, w.last_24h].map(show).join(' · ')
  const facts: [string, string][] = [
    ['Session', session ? `open, ${count(session.events)} events` : 'none open'],
    ['In the cart', count(cart_items)],
    ['Last product', last_product ?? '–'],
  ]
  if (events) {
    facts.push(
      ['Events 5 min · 1 h · 24 h', windows(events.counts, count)],
      ['Events ever', count(events.total)],
      ['Last seen', dateTime(events.last_seen)],
      ['Last page', events.last_page ?? '–'],
    )
  }
  if (orders) {
    const { currency } = orders
    const amount = (n: number) => (currency === null ? '–' : money(n, currency))
    facts.push(
      ['Orders 5 min · 1 h · 24 h', windows(orders.counts, count)],
      ['Spend 5 min · 1 h · 24 h', windows(orders.spend, amount)],
      ['Orders ever', `${count(orders.total)}${orders.failed > 0 ? `, ${count(orders.failed)} failed` : ''}`],
      ['Average order', orders.average_order === null ? '–' : amount(orders.average_order)],
    )
  }
  return [
    el(
      'dl',
      { class: 'facts' },
      ...facts.map(([title, value]) => el('div', {}, el('dt', {}, title), el('dd', {}, value))),
    ),
  ]
}

function sessionsOf(sessions: readonly Session[]): HTMLElement[] {
  return [
    el('h3', {}, 'Sessions, newest first'),
    table<Session>(
      'Sessions',
      [
        { title: 'Began', cell: (s) => dateTime(s.started_at).slice(0, 16) },
        {
          title: 'Reached',
          cell: (s) => tag(s.funnel_stage.replace('_', ' '), s.funnel_stage === 'purchase' ? 'good' : 'soft'),
        },
        { title: 'Lasted', number: true, wide: true, cell: (s) => duration(s.duration_ms) },
        { title: 'Events', number: true, wide: true, cell: (s) => count(s.events) },
        {
          title: 'Revenue',
          number: true,
          cell: (s) => s.revenue.map((r) => money(r.amount, r.currency)).join(', ') || '–',
        },
      ],
      sessions,
    ),
  ]
}
