/** What would have been: the evidence with changes, put to the rule's own code on the edge. Nothing is stored. */
import type { Explained, FraudAlertDetail } from '../../client/index.ts'
import { type Api, dataOf } from '../api.ts'
import { button, el, tag } from '../dom.ts'

type Change = { without: string } | { order_id: string; shift_seconds: number } | { order_id: string; amount: number }

const SHIFT_SECONDS_MAX = 3600

export function whatIf(api: Api, alert: FraudAlertDetail): HTMLElement {
  const rows = alert.evidence.map((event) => changeRow(event, alert.currency))
  const answer = el('div', { class: 'answer', role: 'status' })
  const reset = button('As it was', () => {
    for (const row of rows) row.reset()
    answer.replaceChildren()
  })
  const form = el(
    'form',
    { class: 'what-if' },
    el(
      'p',
      { class: 'hint' },
      'Leave an order out, move it in time, or give it another amount; the rule’s own code says whether it would still have fired.',
    ),
    ...rows.map(({ element }) => element),
    el('div', { class: 'actions' }, el('button', { class: 'button primary' }, 'What then?'), reset),
    answer,
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void ask()
  })

  async function ask(): Promise<void> {
    answer.textContent = 'Asking …'
    try {
      const found = await dataOf(
        api.POST('/fraud-alerts/{id}/explain', {
          params: { path: { id: alert.alert_id } },
          body: { changes: rows.flatMap((row) => row.changes()) },
        }),
      )
      answer.replaceChildren(
        el(
          'p',
          {},
          tag(found.fires ? 'fires' : 'does not fire', found.fires ? 'bad' : 'good'),
          ` ${found.explanation}`,
        ),
        el('ol', { class: 'steps' }, ...found.evaluation.map(stepItem)),
        ...limitsOf(found),
      )
    } catch (error) {
      answer.replaceChildren(el('p', { class: 'trouble' }, (error as Error).message))
    }
  }
  return form
}

const stepItem = ({ order_id, event_time, counts, reason, changed }: Explained['evaluation'][number]): HTMLElement =>
  el(
    'li',
    { 'data-counts': counts },
    el('strong', {}, order_id),
    ` ${event_time.slice(11, 19)}`,
    changed !== null && `, ${CHANGED[changed]}`,
    `: ${reason}`,
  )

const CHANGED = { removed: 'left out', moved: 'moved', amount: 'of another amount' } as const

/** What else there is to know about the answer. */
function limitsOf({ elsewhere, judged_on }: Explained): HTMLElement[] {
  const { appearing, vanishing } = elsewhere
  const sentences = [
    appearing.length > 0 && `Other alerts of this user would come: ${appearing.join(', ')}.`,
    vanishing.length > 0 && `Other alerts of this user would not be: ${vanishing.join(', ')}.`,
    !judged_on.whole && `Not looked at: ${judged_on.missing.join('; ')}.`,
  ]
  return sentences.flatMap((sentence) => (sentence ? [el('p', { class: 'hint' }, sentence)] : []))
}

interface ChangeRow {
  element: HTMLElement
  /** None: it is as it was. */
  changes(): Change[]
  reset(): void
}

function changeRow({ order_id, amount }: FraudAlertDetail['evidence'][number], currency: string): ChangeRow {
  const without = el('input', { type: 'checkbox' })
  const shift = el('input', {
    type: 'number',
    step: '1',
    min: -SHIFT_SECONDS_MAX,
    max: SHIFT_SECONDS_MAX,
    value: '0',
    inputmode: 'numeric',
  })
  const worth = el('input', { type: 'number', step: 'any', min: 0, value: String(amount), inputmode: 'decimal' })
  without.addEventListener('change', () => {
    shift.disabled = without.checked
    worth.disabled = without.checked
  })
  const labelled = (text: string, input: HTMLElement) => el('label', {}, el('span', {}, text), input)
  return {
    element: el(
      'fieldset',
      {},
      el('legend', {}, order_id),
      el('label', { class: 'check' }, without, el('span', {}, 'leave out')),
      labelled('later by, s', shift),
      labelled(`amount, ${currency}`, worth),
    ),
    changes() {
      if (without.checked) return [{ without: order_id }]
      const shift_seconds = Number(shift.value)
      const other = Number(worth.value)
      return [
        ...(shift_seconds !== 0 ? [{ order_id, shift_seconds }] : []),
        ...(other !== amount ? [{ order_id, amount: other }] : []),
      ]
    },
    reset() {
      without.checked = false
      shift.value = '0'
      worth.value = String(amount)
      shift.disabled = worth.disabled = false
    },
  }
}
