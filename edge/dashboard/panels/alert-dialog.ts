/** One alert, opened: why it fired, the very events with their places in the log, what would have been if, and what people made of it. A link to `#alert=ID` opens it too. */
import type { FraudAlertDetail } from '../../client/index.ts'
import { type Api, dataOf } from '../api.ts'
import { button, el, facts, link, tag } from '../dom.ts'
import { counted, dateTime, duration, money } from '../format.ts'
import type { Session } from '../session.ts'
import { createSheet, section } from '../sheet.ts'
import { table } from '../table.ts'
import { reviewOf } from './alert-review.ts'
import { closeness, timeline } from './alert-timeline.ts'
import { whatIf } from './alert-what-if.ts'

export interface AlertDialogDeps {
  api: Api
  session: Session
  lookUp(userId: string): void
  /** Somebody has reviewed it. */
  onReviewed(alert: FraudAlertDetail): void
}

export function createAlertDialog({ api, session, lookUp, onReviewed }: AlertDialogDeps): (alertId: string) => void {
  const sheet = createSheet<FraudAlertDetail>({
    name: 'alert',
    title: 'Alert',
    loading: 'Loading the evidence …',
    load: (id) => dataOf(api.GET('/fraud-alerts/{id}', { params: { path: { id } } })),
    show: (alert) => ({
      title: `${counted(alert.evidence.length, 'order')} of ${alert.user_id}`,
      sections: sections(alert),
    }),
  })

  function sections(alert: FraudAlertDetail): HTMLElement[] {
    return [
      section('Why it fired', ...why(alert)),
      section('The events', evidence(alert)),
      section('What if?', whatIf(api, alert)),
      section(
        'Review',
        reviewOf(alert, { api, session }, (reviewed) => {
          onReviewed(reviewed)
          sheet.fill(reviewed)
        }),
      ),
      section('When what happened', timeline(alert)),
    ]
  }

  function why(alert: FraudAlertDetail): HTMLElement[] {
    const { rule } = alert
    return [
      el('p', { class: 'lead' }, rule.description ?? 'This version of the rule does not run here any more.'),
      closeness(alert),
      facts([
        ['Total', money(alert.total, alert.currency)],
        ['Within', duration(Date.parse(alert.last_at) - Date.parse(alert.first_at))],
        ['Fired at (UTC)', dateTime(alert.triggered_at)],
        ['State', tag(stateOf(alert), alert.state === 'superseded' ? 'soft' : alert.final ? 'bad' : 'warn')],
        ['Rule', `${rule.id}, version ${rule.version}`],
        ['Trace', alert.trace_url === null ? 'none' : link(alert.trace_url, 'open')],
      ]),
      button(`Look up ${alert.user_id}`, () => {
        sheet.close()
        lookUp(alert.user_id)
      }),
    ]
  }

  return sheet.open
}

const stateOf = ({ state, final }: FraudAlertDetail): string =>
  state === 'superseded' ? 'superseded' : final ? 'final' : 'can still change'

const evidence = ({ evidence, currency }: FraudAlertDetail): HTMLElement =>
  table<FraudAlertDetail['evidence'][number]>(
    'Orders that made the alert fire',
    [
      { title: 'Order', cell: (e) => e.order_id },
      { title: 'Time, UTC', cell: (e) => e.event_time.slice(11, 19) },
      { title: 'Status', wide: true, cell: (e) => e.status },
      { title: 'Amount', number: true, cell: (e) => money(e.amount, currency) },
      {
        title: 'In the log',
        number: true,
        cell: (e) =>
          el(
            'span',
            { title: `${e.topic}, partition ${e.partition}, offset ${e.offset}` },
            `${e.partition}:${e.offset}`,
          ),
      },
    ],
    evidence,
  )
