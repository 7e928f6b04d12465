/** The numbers of a range at a glance, each with its unit and how it has changed against the range before. */
import type { OverviewFigures } from '../../client/index.ts'
import { el, spoken } from '../dom.ts'
import { changeText, count, money, moneyShort, percent, pointsText, rate, short } from '../format.ts'
import type { RangeChoice } from '../ranges.ts'

export type Figures = Omit<OverviewFigures, 'range'>

export interface Glance {
  range: RangeChoice
  now: Figures
  /** Of the range before; null where it isn't known. */
  before: Figures | null
  /** As the log takes them at this moment; null: then the mean of the range is shown. */
  eventsPerSecond: number | null
}

export function tiles({ range, now, before, eventsPerSecond }: Glance): HTMLElement {
  const [total] = now.totals
  const others = now.totals.length - 1
  const earlier = before?.totals.find((t) => t.currency === total?.currency)
  const of = (figure: (f: Figures) => number) => (before ? moved(figure(now), figure(before)) : null)
  const made = [
    tile({
      title: 'Events per second',
      value: rate(eventsPerSecond ?? now.events / (range.spanMs / 1000)),
      unit: `${short(now.events)} events`,
      change: of((f) => f.events),
    }),
    tile({
      title: 'Sessions',
      ...amount(now.sessions),
      unit: `${count(now.active_sessions)} active now`,
      change: of((f) => f.sessions),
    }),
    tile({
      title: 'Orders',
      ...amount(now.orders),
      unit: now.refunds > 0 ? `${count(now.refunds)} refunded` : 'successful',
      change: of((f) => f.orders),
    }),
    tile({
      title: 'Revenue',
      value: total ? moneyShort(total.revenue, total.currency) : '–',
      exact: total && money(total.revenue, total.currency),
      unit: total ? `${total.currency}${others > 0 ? `, and ${others} more` : ''}` : 'no orders',
      change: total && before ? moved(total.revenue, earlier?.revenue ?? 0) : null,
    }),
    tile({
      title: 'Conversion',
      value: now.conversion_rate === null ? '–' : percent(now.conversion_rate),
      unit: `${count(now.converted_sessions)} of ${count(now.sessions)} sessions`,
      change:
        now.conversion_rate !== null && before?.conversion_rate != null
          ? {
              by: now.conversion_rate - before.conversion_rate,
              text: pointsText(now.conversion_rate - before.conversion_rate),
            }
          : null,
    }),
    tile({
      title: 'Fraud alerts',
      ...amount(now.alerts),
      unit: 'active',
      change: of((f) => f.alerts),
      isBad: true,
    }),
  ]
  return el('dl', { class: 'tiles' }, ...made.map((m) => m(range)))
}

/** Short where it wouldn't fit on a phone. */
const amount = (n: number) => (n < 1_000_000 ? { value: count(n) } : { value: short(n), exact: count(n) })

interface Moved {
  by: number
  text: string
}

/** Against nothing there is no share. */
const moved = (now: number, before: number): Moved | null =>
  before === 0 ? null : { by: now - before, text: changeText(now / before - 1) }

interface Tile {
  title: string
  value: string
  unit: string
  exact?: string | undefined
  change: Moved | null
  /** More of it is nothing to be glad of. */
  isBad?: boolean
}

const tile =
  ({ title, value, unit, exact, change, isBad = false }: Tile) =>
  (range: RangeChoice): HTMLElement =>
    el(
      'div',
      { class: 'tile' },
      el('dt', {}, title),
      el('dd', { class: 'value', title: exact }, value),
      el('dd', { class: 'unit' }, unit),
      change &&
        el(
          'dd',
          { class: 'change', 'data-tone': toneOf(change.by, isBad), title: `than in ${range.before}` },
          el('span', { 'aria-hidden': 'true' }, change.by > 0 ? '▲ ' : change.by < 0 ? '▼ ' : ''),
          change.text,
          spoken(` than in ${range.before}`),
        ),
    )

const toneOf = (by: number, isBad: boolean): string => (by === 0 ? 'soft' : by > 0 === isBad ? 'bad' : 'good')
