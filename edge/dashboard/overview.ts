/** The parts of the page that a snapshot fills: tiles, charts, products, pipelines. */
import type { Snapshot } from '../serve/live.ts'
import type { Chart } from './charts.ts'
import { byId, el, empty, table, tag } from './dom.ts'
import { count, duration, money, moneyShort, percent, rate, time } from './format.ts'

/** The currency with the most revenue: the one that tile and chart show. */
export const mainCurrency = (snapshot: Snapshot): string | null =>
  snapshot.overview.totals[0]?.currency ?? snapshot.revenue[0]?.currency ?? null

const RATE_SECONDS = 10

export function showTiles(snapshot: Snapshot): void {
  const { overview, rates } = snapshot
  const recent = rates.slice(-RATE_SECONDS)
  const perSecond = recent.length > 0 ? recent.reduce((sum, [, accepted]) => sum + accepted, 0) / recent.length : null
  const total = overview.totals[0]
  const others = overview.totals.length - 1
  byId('tiles').setAttribute('aria-busy', 'false')
  byId('tiles').replaceChildren(
    tile('Events per second', perSecond === null ? '…' : rate(perSecond), `${count(overview.events)} in the hour`),
    tile('Active sessions', count(overview.active_sessions), `${count(overview.sessions)} began in the hour`),
    tile(
      'Orders',
      count(overview.orders),
      overview.refunds > 0 ? `${count(overview.refunds)} refunded` : 'successful, in the hour',
    ),
    tile(
      'Revenue',
      total ? moneyShort(total.revenue, total.currency) : '–',
      total
        ? `${total.currency}, in the hour${others > 0 ? `; ${others} more ${others === 1 ? 'currency' : 'currencies'}` : ''}`
        : 'in the hour',
      total && money(total.revenue, total.currency),
    ),
    tile(
      'Conversion',
      overview.conversion_rate === null ? '–' : percent(overview.conversion_rate),
      `${count(overview.converted_sessions)} of ${count(overview.sessions)} sessions`,
    ),
    tile(
      'Fraud alerts',
      count(overview.alerts),
      'active, in the hour',
      undefined,
      overview.alerts > 0 ? 'bad' : undefined,
    ),
  )
}

function tile(title: string, value: string, unit: string, exact?: string, tone?: string): HTMLElement {
  const shown = el('dd', { class: 'value', ...(exact ? { title: exact } : {}) }, value)
  return el(
    'div',
    { class: 'tile', ...(tone ? { tone } : {}) },
    el('dt', {}, title),
    shown,
    el('dd', { class: 'unit' }, unit),
  )
}

const RATE_SPAN_S = 300

export function showRates(chart: Chart, { rates, generated_at }: Snapshot): void {
  const end = Date.parse(generated_at) / 1000
  const columns = [rates.map(([t]) => t / 1000), rates.map(([, a]) => a), rates.map(([, , p]) => p)] as const
  chart.draw(
    rates.length > 1 ? [[...columns[0]], [...columns[1]], [...columns[2]]] : null,
    'The rate shows in a few seconds.',
    [end - RATE_SPAN_S, end],
  )
  const [, accepted = 0, processed = 0] = rates.at(-1) ?? []
  byId('rate-chart').setAttribute(
    'aria-label',
    `Events per second over the last five minutes: now ${rate(accepted)} accepted, ${rate(processed)} processed`,
  )
}

export function showRevenue(chart: Chart, snapshot: Snapshot): void {
  const currency = mainCurrency(snapshot)
  byId('revenue-currency').textContent = currency ?? ''
  const points = snapshot.revenue.filter((p) => p.currency === currency)
  const sum = points.reduce((all, p) => all + p.revenue, 0)
  const times = points.map((p) => p.time_ms / 1000)
  chart.draw(
    sum > 0
      ? [times, points.map((p) => (p.final ? p.revenue : null)), points.map((p) => (p.final ? null : p.revenue))]
      : null,
    'No orders in this hour.',
    [Date.parse(snapshot.range.from) / 1000 - 60, Date.parse(snapshot.range.to) / 1000],
  )
  byId('revenue-chart').setAttribute(
    'aria-label',
    currency ? `Revenue per minute over an hour: ${money(sum, currency)} in all` : 'Revenue per minute: no orders',
  )
}

export function showProducts({ products }: Snapshot): void {
  const most = Math.max(1, ...products.map((p) => p.views))
  const meter = (views: number) => {
    const bar = el('span', { class: 'meter' })
    bar.style.width = `${(views / most) * 100}%`
    return bar
  }
  const rows = table<Snapshot['products'][number]>(
    'Top products',
    [
      { title: 'Product', cell: (p) => el('span', { title: p.product_id }, p.product_id, meter(p.views)) },
      { title: 'Views', number: true, cell: (p) => count(p.views) },
      { title: 'Carts', number: true, wide: true, cell: (p) => count(p.carts) },
      { title: 'Purchases', number: true, cell: (p) => count(p.purchases) },
      {
        title: 'Revenue',
        number: true,
        cell: (p) => p.revenue.map((r) => moneyShort(r.revenue, r.currency)).join(', ') || '–',
      },
    ],
    products,
  )
  byId('products').replaceChildren(products.length > 0 ? rows : empty('No product was seen in these hours.'))
}

function topicOf(topic: string, pipelines: Snapshot['pipelines']) {
  const tasks = pipelines.filter((p) => p.topic === topic)
  const sum = (of: (task: (typeof tasks)[number]) => number) => tasks.reduce((all, task) => all + of(task), 0)
  const worst = (['stuck', 'catching_up'] as const).find((status) => tasks.some((t) => t.status === status))
  return {
    topic,
    tasks: tasks.length,
    status: worst ?? ('idle' as const),
    lag: sum((t) => t.lag),
    watermark: tasks.reduce((newest, { watermark }) => (watermark && watermark > newest ? watermark : newest), ''),
    late: sum((t) => t.late),
    duplicates: sum((t) => t.duplicates),
    dead: sum((t) => t.dead_letters),
  }
}

const TONES = { idle: 'good', live: 'good', catching_up: 'warn', stuck: 'bad' } as const
const NAMES = { idle: 'up to date', live: 'live', catching_up: 'catching up', stuck: 'stuck' } as const

export function showPipelines({ pipelines, generated_at }: Snapshot): void {
  const lag = pipelines.reduce((sum, p) => sum + p.lag, 0)
  byId('pipelines-sum').textContent =
    pipelines.length > 0 ? `${count(lag)} ${lag === 1 ? 'record' : 'records'} waiting` : ''
  const topics = [...new Set(pipelines.map((p) => p.topic))].map((topic) => topicOf(topic, pipelines))
  const rows = table<(typeof topics)[number]>(
    'Pipelines by topic',
    [
      { title: 'Topic', cell: (t) => el('span', { title: `${t.tasks} partitions` }, t.topic) },
      { title: 'State', cell: (t) => tag(NAMES[t.status], TONES[t.status]) },
      { title: 'Lag', number: true, cell: (t) => count(t.lag) },
      {
        title: 'Watermark',
        number: true,
        cell: (t) =>
          t.watermark
            ? el(
                'span',
                { title: `${duration(Date.parse(generated_at) - Date.parse(t.watermark))} behind` },
                time(t.watermark, generated_at),
              )
            : '–',
      },
      { title: 'Late', number: true, wide: true, cell: (t) => count(t.late) },
      { title: 'Dupl.', number: true, wide: true, cell: (t) => count(t.duplicates) },
      { title: 'Dead', number: true, wide: true, cell: (t) => count(t.dead) },
    ],
    topics,
  )
  byId('pipelines').replaceChildren(
    pipelines.length > 0 ? rows : empty('No task has told of itself yet: the streams are starting.'),
  )
}
