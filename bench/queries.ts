/**
 * The three queries of ../shared/bench as jobs of ours, on the operators that the platform's own jobs stand on, into the same tables. Only what the queries ask for is
 * computed, as at the peers; `--jobs ours` runs sessions, fraud-detector and revenue instead, which keep more.
 *
 * Where the semantics differ: a session is out here when `end + 30 min < watermark`, there when `<=` (one millisecond), and the watermark is the partition's own
 * instead of the lowest of all partitions: never ahead of the topic's, so no more is late than the reference's `--drop-late` allows.
 */
import { type ClickstreamEvent, clickUser, type Order } from '../streams/contract/events.ts'
import { CLICKSTREAM, ORDERS } from '../streams/contract/topics.ts'
import { fraudDetector } from '../streams/jobs/fraud-detector.ts'
import { type Job, minutes } from '../streams/jobs/job.ts'
import { revenue } from '../streams/jobs/revenue.ts'
import { sessions } from '../streams/jobs/sessions.ts'
import { Session, sessionWindow } from '../streams/operators/session-window.ts'
import { tumblingWindow } from '../streams/operators/tumbling-window.ts'

const CLICK_READS = ['event_time', 'event_type', 'user_id', 'anonymous_id'] as const
const ORDER_READS = ['event_time', 'status', 'category', 'amount_minor'] as const
type Click = Pick<ClickstreamEvent, (typeof CLICK_READS)[number]>
type OrderPart = Pick<Order, (typeof ORDER_READS)[number]>

class ClickCounts extends Session {
  events = 0
  pageViews = 0
  carts = 0
  purchases = 0
}

/** Q1: {user_id, start, end, events, page_views, carts, purchases}. */
const userSessions: Job = {
  name: 'q1-sessions',
  about: 'Clicks of a user at most 30 minutes apart.',
  reads: { [CLICKSTREAM]: CLICK_READS },
  on: {
    [CLICKSTREAM]: [
      sessionWindow<Click, ClickCounts, 'sessions'>({
        name: 'sessions',
        gapMs: minutes(30),
        key: clickUser,
        session: ClickCounts,
        fields: ['events', 'pageViews', 'carts', 'purchases'].map((name) => ({ name, type: 'int' })),
        add(s, e) {
          s.events++
          if (e.event_type === 'page_view') s.pageViews++
          else if (e.event_type === 'add_to_cart') s.carts++
          else if (e.event_type === 'purchase') s.purchases++
        },
        merge(survivor, absorbed) {
          survivor.events += absorbed.events
          survivor.pageViews += absorbed.pageViews
          survivor.carts += absorbed.carts
          survivor.purchases += absorbed.purchases
        },
        table: 'sessions',
        row: (s, { id, partition, final, mergedInto }) => ({
          session_id: id,
          user_id: s.key,
          started_at: s.startMs,
          ended_at: s.endMs,
          events: s.events,
          page_views: s.pageViews,
          product_views: 0,
          carts: s.carts,
          checkouts: 0,
          purchases: s.purchases,
          revenue_minor: {},
          funnel_stage: s.purchases > 0 ? 'purchase' : s.carts > 0 ? 'cart' : 'visit',
          entry_page: null,
          exit_page: null,
          final,
          merged_into: mergedInto,
          partition,
          position: s.position,
        }),
      }),
    ],
  },
}

/** Q3: {window_start, category, orders, revenue} of successful orders. Q2 is the fraud detector as it stands. */
const categoryRevenue: Job = {
  name: 'q3-revenue',
  about: 'Successful orders per category and minute.',
  reads: { [ORDERS]: ORDER_READS },
  on: {
    [ORDERS]: [
      tumblingWindow({
        name: 'revenue',
        sizeMs: minutes(1),
        group: (o: OrderPart) => (o.status === 'success' ? o.category : null),
        accumulator: {
          schema: {
            type: 'record',
            name: 'Revenue',
            fields: ['orders', 'revenueMinor'].map((name) => ({ name, type: 'long' })),
          },
          create: () => ({ orders: 0, revenueMinor: 0 }),
          add(acc, o) {
            acc.orders++
            acc.revenueMinor += o.amount_minor
          },
        },
        table: 'revenue_by_minute',
        row: ({ startMs, group, acc, final, partition, position }) => ({
          window_start: startMs,
          category: group,
          currency: 'TRY',
          orders: acc.orders,
          revenue_minor: acc.revenueMinor,
          refunds: 0,
          refunded_minor: 0,
          final,
          partition,
          position,
        }),
      }),
    ],
  },
}

export const QUERY_JOBS = {
  queries: [userSessions, fraudDetector, categoryRevenue],
  ours: [sessions, fraudDetector, revenue],
} as const
