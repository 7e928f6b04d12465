/** Alerts as the API shows them: with major units and ISO times, in lists, in the live stream, and one with its rule, its timeline and what people made of it. */
import { z } from '@hono/zod-openapi'
import { REVIEW_STATES } from '../../db/postgres/edge-schema.ts'
import { ORDER_STATUSES } from '../../streams/contract/events.ts'
import { toMajor } from '../../streams/contract/money.ts'
import type { AlertRow } from '../../streams/contract/results.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import type { RuleView } from '../../streams/evidence/index.ts'
import type { AlertDetail, Arrival, ReviewedAlert } from '../ports.ts'
import { traceUrlOf } from './trace-url.ts'

const iso = z.iso.datetime()
const reviewState = z.enum(REVIEW_STATES)

export const evidenceOrder = z.object({
  order_id: z.string(),
  event_time: iso,
  amount: z.number(),
  status: z.enum(ORDER_STATUSES),
  topic: z.string(),
  partition: z.number().int(),
  offset: z.number().int().describe('Where the order lies in the log'),
})

const firing = {
  alert_id: z.string(),
  rule_id: z.string(),
  rule_version: z.number().int(),
  user_id: z.string(),
  total: z.number().describe('Of the orders in the match, major units'),
  currency: z.string(),
  first_at: iso,
  last_at: iso,
  triggered_at: iso.describe('Event time of the order whose arrival completed the match'),
}
/** An alert as a what-if has it: no database knows it. */
export const supposedAlert = z.object({ ...firing, evidence: z.array(evidenceOrder) }).openapi('SupposedAlert')

const review = z.object({ state: reviewState, at: iso.nullable(), by: z.string().nullable() })

const alertFields = {
  ...firing,
  state: z.enum(['active', 'superseded']),
  superseded_by: z.string().nullable(),
  supersedes: z.array(z.string()),
  watermark: iso.nullable(),
  trace_id: z.string().nullable(),
  final: z.boolean(),
  evidence: z.array(evidenceOrder),
}
export const alert = z.object({ ...alertFields, review }).openapi('FraudAlert')

export const TIMELINE_KINDS = ['happened', 'received', 'alerted', 'superseded', 'final', 'reviewed'] as const

export const alertDetail = z
  .object({
    ...alertFields,
    rule: z
      .object({
        id: z.string(),
        version: z.number().int(),
        description: z.string().nullable().describe('null: this version of the rule does not run here any more'),
        parameters: z
          .object({
            orders: z.number().int().describe('So many orders of one user'),
            above: z.number().describe('each above this amount, in major units'),
            currency: z.string(),
            within_seconds: z.number().describe('the last less than so long after the first'),
          })
          .nullable(),
      })
      .describe('What it fired by'),
    trace_url: z
      .url()
      .nullable()
      .describe('The trace of the order that completed the match, where STREAMFORGE_TRACE_URL says how'),
    timeline: z
      .array(
        z.object({
          at: iso,
          what: z
            .enum(TIMELINE_KINDS)
            .describe(
              'An order happened, and was received; the alert was raised, superseded, became final, was reviewed',
            ),
          order_id: z.string().optional(),
          alert_id: z.string().optional().describe('That took its place'),
          by: z.string().optional(),
          state: reviewState.optional(),
          note: z.string().optional(),
        }),
      )
      .describe('In order of time. `received` as long as the log has the order'),
    review: review.extend({
      notes: z.array(z.object({ at: iso, by: z.string(), state: reviewState, note: z.string().nullable() })),
      superseded: z
        .array(review.extend({ alert_id: z.string() }))
        .describe('Reviews of the alerts that this one took the place of'),
    }),
  })
  .openapi('FraudAlertDetail')

export const orderOfEvidence = (e: AlertRow['evidence'][number], currency: string) => ({
  order_id: e.order_id,
  event_time: toIso(e.event_time),
  amount: toMajor(e.amount_minor, currency),
  status: e.status,
  topic: e.topic,
  partition: e.partition,
  offset: e.offset,
})

export const supposedAlertOf = (row: AlertRow) => ({
  alert_id: row.alert_id,
  rule_id: row.rule_id,
  rule_version: row.rule_version,
  user_id: row.user_id,
  total: toMajor(row.total_minor, row.currency),
  currency: row.currency,
  first_at: toIso(row.first_at),
  last_at: toIso(row.last_at),
  triggered_at: toIso(row.triggered_at),
  evidence: row.evidence.map((each) => orderOfEvidence(each, row.currency)),
})

const reviewOf = ({ state, at, by }: ReviewedAlert['review']) => ({ state, at: at === null ? null : toIso(at), by })

export function alertOf(row: ReviewedAlert) {
  return {
    ...supposedAlertOf(row),
    state: row.state,
    superseded_by: row.superseded_by,
    supersedes: row.supersedes,
    watermark: Number.isFinite(row.watermark) ? toIso(row.watermark) : null,
    trace_id: row.trace_id,
    final: row.final,
    review: reviewOf(row.review),
  }
}

export interface DetailExtras {
  rule: RuleView
  arrivals: ReadonlyMap<number, Arrival>
  /** With `{trace_id}` in it; null: none is known. */
  traceUrl: string | null
}

export function alertDetailOf(row: AlertDetail, { rule, arrivals, traceUrl }: DetailExtras) {
  return {
    ...alertOf(row),
    rule,
    trace_url: traceUrlOf(traceUrl, row.trace_id),
    timeline: timelineOf(row, arrivals),
    review: {
      ...reviewOf(row.review),
      notes: row.notes.map(({ at, by, state, note }) => ({ at: toIso(at), by, state, note })),
      superseded: row.earlierReviews.map((each) => ({ alert_id: each.alert_id, ...reviewOf(each) })),
    },
  }
}

function timelineOf(row: AlertDetail, arrivals: ReadonlyMap<number, Arrival>) {
  const entries: { atMs: number | null; entry: Omit<z.infer<typeof alertDetail>['timeline'][number], 'at'> }[] = [
    ...row.evidence.map(({ event_time, order_id }) => ({
      atMs: event_time,
      entry: { what: 'happened' as const, order_id },
    })),
    ...row.evidence.map(({ offset, order_id }) => ({
      atMs: arrivals.get(offset)?.receivedAtMs ?? null,
      entry: { what: 'received' as const, order_id },
    })),
    { atMs: row.alerted_at, entry: { what: 'alerted' as const } },
    {
      atMs: row.superseded_at,
      entry: { what: 'superseded' as const, ...(row.superseded_by !== null && { alert_id: row.superseded_by }) },
    },
    { atMs: row.final_at, entry: { what: 'final' as const } },
    ...row.notes.map(({ at, by, state, note }) => ({
      atMs: at,
      entry: { what: 'reviewed' as const, by, state, ...(note !== null && { note }) },
    })),
  ]
  return entries
    .flatMap(({ atMs, entry }) => (atMs === null ? [] : [{ atMs, entry }]))
    .sort((a, b) => a.atMs - b.atMs)
    .map(({ atMs, entry }) => ({ at: toIso(atMs), ...entry }))
}
