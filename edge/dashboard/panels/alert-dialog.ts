/** One alert, opened: why it fired, the very events with their places in the log, what would have been if, and what people made of it. A link to `#alert=ID` opens it too. */
import type { FraudAlertDetail } from '../../client/index.ts'
import { type Api, dataOf } from '../api.ts'
import { button, byId, el, empty, facts, link, tag } from '../dom.ts'
import { counted, dateTime, duration, money } from '../format.ts'
import { clearPlace, setPlace } from '../place.ts'
import type { Session } from '../session.ts'
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
  const dialog = byId<HTMLDialogElement>('alert-dialog')
  const title = byId('alert-title')
  const body = byId('alert-body')
  let asked = 0

  byId('alert-close').addEventListener('click', () => dialog.close())
  dialog.addEventListener('close', () => clearPlace('alert'))
  // A click beside the sheet is on the dialog itself.
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close()
  })

  async function show(alertId: string): Promise<void> {
    const mine = ++asked
    try {
      const alert = await dataOf(api.GET('/fraud-alerts/{id}', { params: { path: { id: alertId } } }))
      if (mine !== asked) return
      fill(alert)
    } catch (error) {
      if (mine !== asked) return
      title.textContent = 'Alert'
      body.replaceChildren(
        el(
          'p',
          { class: 'trouble', role: 'alert' },
          (error as Error).message,
          ' ',
          button('Try again', () => void show(alertId)),
        ),
      )
    }
  }

  function fill(alert: FraudAlertDetail): void {
    title.textContent = `${counted(alert.evidence.length, 'order')} of ${alert.user_id}`
    body.replaceChildren(...sections(alert))
  }

  function sections(alert: FraudAlertDetail): HTMLElement[] {
    return [
      section('Why it fired', ...why(alert)),
      section('The events', evidence(alert)),
      section('What if?', whatIf(api, alert)),
      section(
        'Review',
        reviewOf(alert, { api, session }, (reviewed) => {
          onReviewed(reviewed)
          fill(reviewed)
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
        dialog.close()
        lookUp(alert.user_id)
      }),
    ]
  }

  return (alertId) => {
    title.textContent = 'Alert'
    body.replaceChildren(empty('Loading the evidence …'))
    if (!dialog.open) dialog.showModal()
    setPlace('alert', alertId)
    void show(alertId)
  }
}

const stateOf = ({ state, final }: FraudAlertDetail): string =>
  state === 'superseded' ? 'superseded' : final ? 'final' : 'can still change'

const section = (title: string, ...content: HTMLElement[]): HTMLElement =>
  el('section', {}, el('h3', {}, title), ...content)

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
