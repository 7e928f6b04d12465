/** Sessions: the visits of each user, 30 minutes apart, with what was done in them. From the clickstream into the table `sessions`. */
import { type ClickstreamEvent, clickUser } from '../contract/events.ts'
import type { FunnelStage } from '../contract/results.ts'
import { CLICKSTREAM } from '../contract/topics.ts'
import { Session, sessionWindow } from '../operators/session-window.ts'
import { plus } from '../operators/sum.ts'
import { type Job, minutes } from './job.ts'

const READS = ['event_time', 'event_type', 'user_id', 'anonymous_id', 'page_url', 'revenue_minor', 'currency'] as const
type Click = Pick<ClickstreamEvent, (typeof READS)[number]>

class ClickSession extends Session {
  events = 0
  pageViews = 0
  productViews = 0
  carts = 0
  checkouts = 0
  purchases = 0
  /** Minor units by currency; null until something was bought. */
  revenue: Record<string, number> | null = null
  /** Pages of the first and the last event, by event time. */
  entryPage: string | null = null
  exitPage: string | null = null
}

export const sessions: Job = {
  name: 'sessions',
  about: "Each user's visits: 30 minutes of silence end one; out-of-order events extend or join them.",
  reads: { [CLICKSTREAM]: READS },
  on: {
    [CLICKSTREAM]: [
      sessionWindow<Click, ClickSession, 'sessions'>({
        name: 'sessions',
        gapMs: minutes(30),
        key: clickUser,
        session: ClickSession,
        fields: [
          ...['events', 'pageViews', 'productViews', 'carts', 'checkouts', 'purchases'].map((name) => ({
            name,
            type: 'int',
          })),
          { name: 'revenue', type: ['null', { type: 'map', values: 'long' }] },
          { name: 'entryPage', type: ['null', 'string'] },
          { name: 'exitPage', type: ['null', 'string'] },
        ],
        add(s, e) {
          if (s.events === 0 || e.event_time < s.startMs) s.entryPage = e.page_url
          if (e.event_time >= s.endMs) s.exitPage = e.page_url
          s.events++
          if (e.event_type === 'page_view') s.pageViews++
          else if (e.event_type === 'product_view') s.productViews++
          else if (e.event_type === 'add_to_cart') s.carts++
          else if (e.event_type === 'checkout') s.checkouts++
          else if (e.event_type === 'purchase') {
            s.purchases++
            if (e.revenue_minor !== null && e.currency !== null) {
              s.revenue ??= {}
              s.revenue[e.currency] = plus(s.revenue[e.currency] ?? 0, e.revenue_minor)
            }
          }
        },
        merge(survivor, absorbed) {
          if (absorbed.startMs < survivor.startMs) survivor.entryPage = absorbed.entryPage
          if (absorbed.endMs > survivor.endMs) survivor.exitPage = absorbed.exitPage
          survivor.events += absorbed.events
          survivor.pageViews += absorbed.pageViews
          survivor.productViews += absorbed.productViews
          survivor.carts += absorbed.carts
          survivor.checkouts += absorbed.checkouts
          survivor.purchases += absorbed.purchases
          for (const [currency, minor] of Object.entries(absorbed.revenue ?? {})) {
            survivor.revenue ??= {}
            survivor.revenue[currency] = plus(survivor.revenue[currency] ?? 0, minor)
          }
        },
        table: 'sessions',
        row: (s, { id, partition, final, mergedInto }) => ({
          session_id: id,
          user_id: s.key,
          started_at: s.startMs,
          ended_at: s.endMs,
          events: s.events,
          page_views: s.pageViews,
          product_views: s.productViews,
          carts: s.carts,
          checkouts: s.checkouts,
          purchases: s.purchases,
          revenue_minor: { ...s.revenue },
          funnel_stage: funnelStage(s),
          entry_page: s.entryPage,
          exit_page: s.exitPage,
          final,
          merged_into: mergedInto,
          partition,
          position: s.position,
        }),
      }),
    ],
  },
}

/** The furthest step that the session reached. */
function funnelStage(s: ClickSession): FunnelStage {
  if (s.purchases > 0) return 'purchase'
  if (s.checkouts > 0) return 'checkout'
  if (s.carts > 0) return 'cart'
  return s.productViews > 0 ? 'product_view' : 'visit'
}
