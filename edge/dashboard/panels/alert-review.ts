/** What people made of an alert: confirmed, dismissed or open again, each with a note. Everybody reads it; an operator's account decides. */
import type { FraudAlertDetail } from '../../client/index.ts'
import { type Api, dataOf } from '../api.ts'
import { button, el, type Tone, tag } from '../dom.ts'
import { dateTime } from '../format.ts'
import type { Session } from '../session.ts'

type Review = FraudAlertDetail['review']
export type ReviewState = Review['state']

export const REVIEW_TONES: Record<ReviewState, Tone> = { open: 'warn', confirmed: 'bad', dismissed: 'soft' }

const ACTIONS: readonly [ReviewState, string][] = [
  ['confirmed', 'Confirm'],
  ['dismissed', 'Dismiss'],
  ['open', 'Open again'],
]
const NOTE_MAX = 2000

export function reviewOf(
  alert: FraudAlertDetail,
  { api, session }: { api: Api; session: Session },
  onReviewed: (alert: FraudAlertDetail) => void,
): HTMLElement {
  const { review } = alert
  return el(
    'div',
    { class: 'review' },
    el(
      'p',
      {},
      tag(review.state, REVIEW_TONES[review.state]),
      review.by !== null && review.at !== null && ` by ${review.by}, ${dateTime(review.at)} UTC`,
    ),
    review.notes.length > 0 && el('ol', { class: 'notes' }, ...review.notes.map(noteItem)),
    session.mayChange
      ? reviewForm(alert, api, onReviewed)
      : el('p', { class: 'hint' }, 'Confirming and dismissing takes the account of an operator.'),
  )
}

const noteItem = ({ at, by, state, note }: Review['notes'][number]): HTMLElement =>
  el(
    'li',
    {},
    el('p', { class: 'hint' }, tag(state, REVIEW_TONES[state]), ` ${by}, `, el('time', { datetime: at }, dateTime(at))),
    note !== null && note !== '' && el('p', {}, note),
  )

function reviewForm(alert: FraudAlertDetail, api: Api, onReviewed: (alert: FraudAlertDetail) => void): HTMLElement {
  const note = el('textarea', { id: 'review-note', rows: 2, maxlength: NOTE_MAX })
  const trouble = el('p', { class: 'trouble', role: 'alert', hidden: true })
  const buttons = ACTIONS.filter(([state]) => state !== alert.review.state).map(([state, text]) =>
    button(text, () => void decide(state), { class: state === 'confirmed' ? 'button danger' : 'button' }),
  )

  async function decide(state: ReviewState): Promise<void> {
    for (const each of buttons) each.disabled = true
    try {
      const text = note.value.trim()
      const reviewed = await dataOf(
        api.POST('/fraud-alerts/{id}/review', {
          params: { path: { id: alert.alert_id } },
          body: { state, ...(text !== '' && { note: text }) },
        }),
      )
      onReviewed(reviewed)
    } catch (error) {
      trouble.hidden = false
      trouble.textContent = (error as Error).message
      for (const each of buttons) each.disabled = false
    }
  }
  return el(
    'div',
    { class: 'review-form' },
    el('label', { for: 'review-note' }, 'Note'),
    note,
    trouble,
    el('div', { class: 'actions' }, ...buttons),
  )
}
