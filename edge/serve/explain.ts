/** `POST /fraud-alerts/{id}/explain`: why it fired, or whether it would have with other orders. The job's own code answers (streams/evidence); nothing is changed by asking. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { AMOUNT_MAX, toMajor, toMinor } from '../../streams/contract/money.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import type { Change, Explained } from '../../streams/evidence/index.ts'
import type { AlertExplainer, Clock, MetricReader } from '../ports.ts'
import { Problem } from '../problem.ts'
import { smallBody } from '../small-body.ts'
import { supposedAlert, supposedAlertOf } from './alert-view.ts'
import { noSuchAlert } from './alerts.ts'
import { atOnce } from './at-once.ts'
import { enveloped, metaOf, problems } from './envelope.ts'
import { idParam } from './params.ts'

export interface ExplainDeps {
  reader: Pick<MetricReader, 'fraudAlert'>
  explainer: Pick<AlertExplainer, 'explain'>
  clock: Pick<Clock, 'now'>
}

const CHANGES_MAX = 10
const SHIFT_SECONDS_MAX = 3_600
/** Each reads the log and runs a rule. */
const AT_ONCE_MAX = 4

const order_id = idParam('An order of the evidence, or another of the same user around it')
const change = z.union([
  z.strictObject({ without: order_id }).openapi({ description: 'The order had not been' }),
  z
    .strictObject({ order_id, shift_seconds: z.number().min(-SHIFT_SECONDS_MAX).max(SHIFT_SECONDS_MAX) })
    .openapi({ description: 'It had happened, and come, so much later; earlier where it is below zero' }),
  z
    .strictObject({ order_id, amount: z.number().min(0).max(AMOUNT_MAX) })
    .openapi({ description: "It had been of this amount, in major units of the rule's currency" }),
])

const iso = z.iso.datetime()
const explained = z
  .object({
    fires: z.boolean().describe('Whether some alert has one of the orders of the evidence in it'),
    alerts: z.array(supposedAlert).describe('Those'),
    explanation: z.string().describe('Why, in a sentence'),
    evaluation: z
      .array(
        z.object({
          order_id: z.string(),
          event_time: iso,
          amount: z.number(),
          currency: z.string(),
          status: z.string(),
          topic: z.string(),
          partition: z.number().int(),
          offset: z.number().int(),
          evidence: z.boolean().describe('Of the alert that was asked about'),
          changed: z.enum(['removed', 'moved', 'amount']).nullable(),
          counts: z.boolean().describe('Whether it takes part in the pattern'),
          reason: z.string().describe('Why it does or does not'),
          together: z.array(z.string()).describe("Orders that count within the rule's time up to this one"),
          alert_id: z.string().nullable().describe('The alert that it then belongs to'),
        }),
      )
      .describe('Step by step: the orders of the user around the evidence, in order of time'),
    elsewhere: z
      .object({ appearing: z.array(z.string()), vanishing: z.array(z.string()) })
      .describe('Further alerts of this user that come or go by the change'),
    judged_on: z
      .object({
        orders: z.number().int().describe('Orders of this user that were looked at'),
        from: iso,
        to: iso,
        lake: z.boolean(),
        log: z.object({ from_offset: z.number().int(), to_offset: z.number().int() }).nullable(),
        whole: z.boolean().describe('No other order can change the answer'),
        missing: z.array(z.string()).describe('What was not looked at'),
      })
      .describe('What was looked at'),
  })
  .openapi('Explained')

const route = createRoute({
  method: 'post',
  path: '/fraud-alerts/{id}/explain',
  tags: ['Fraud'],
  summary: 'Why it fired, and whether it would have with other orders',
  description:
    "The job's own code runs over the evidence and the user's orders around it, with the changes: an order that replaces one which is taken away is found. Without changes it says why the alert fired.",
  middleware: [smallBody()],
  request: {
    params: z.object({ id: idParam('alert_id') }),
    body: {
      required: true,
      content: {
        'application/json': {
          schema: z.strictObject({ changes: z.array(change).max(CHANGES_MAX).default([]) }).openapi('WhatIf'),
        },
      },
    },
  },
  responses: { 200: enveloped(explained, 'The answer'), ...problems(400, 401, 404, 413, 415, 422, 503) },
})

export function addExplainRoute(api: OpenAPIHono, { reader, explainer, clock }: ExplainDeps): void {
  const inTurn = atOnce(AT_ONCE_MAX, 'Too many alerts are being explained. Ask again in a moment.')
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param')
    const { changes } = c.req.valid('json')
    const alert = await reader.fraudAlert(id)
    if (!alert) throw noSuchAlert(id)
    if (alert.evidence.length === 0)
      throw new Problem('unprocessable', 'Its orders went with the person whom it was about, who was erased.')
    const answer = await inTurn(() =>
      explainer.explain(
        alert,
        changes.map((each) => changeOf(each, alert.currency)),
      ),
    )
    if (!answer)
      throw new Problem(
        'unprocessable',
        `It was raised by version ${alert.rule_version} of the rule ${alert.rule_id}, which does not run here any more; what it would have said can't be told.`,
      )
    const unknown = answer.unknown[0]
    if (unknown !== undefined)
      throw new Problem(
        'unprocessable',
        `"${unknown}" is none of the orders that were looked at. Name one of the evidence: ${alert.evidence.map((e) => e.order_id).join(', ')}.`,
      )
    return c.json({ data: explainedOf(answer), meta: metaOf(clock.now()) }, 200)
  })
}

function changeOf(given: z.infer<typeof change>, currency: string): Change {
  if ('without' in given) return { without: given.without }
  if ('amount' in given) return { orderId: given.order_id, amountMinor: toMinor(given.amount, currency) }
  return { orderId: given.order_id, shiftMs: Math.round(given.shift_seconds * 1_000) }
}

function explainedOf({ fires, alerts, explanation, steps, appearing, vanishing, judgedOn }: Explained) {
  const { orders, fromMs, toMs, lake, log, whole, missing } = judgedOn
  return {
    fires,
    alerts: alerts.map(supposedAlertOf),
    explanation,
    evaluation: steps.map((step) => ({
      order_id: step.orderId,
      event_time: toIso(step.eventTimeMs),
      amount: toMajor(step.amountMinor, step.currency),
      currency: step.currency,
      status: step.status,
      topic: step.topic,
      partition: step.partition,
      offset: step.offset,
      evidence: step.isEvidence,
      changed: step.changed,
      counts: step.counts,
      reason: step.reason,
      together: step.together,
      alert_id: step.alertId,
    })),
    elsewhere: { appearing, vanishing },
    judged_on: {
      orders,
      from: toIso(fromMs),
      to: toIso(toMs),
      lake,
      log: log && { from_offset: log.from, to_offset: log.to },
      whole,
      missing,
    },
  }
}
