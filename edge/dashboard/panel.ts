/**
 * A panel: one card of the page with a heading, a note on what its numbers are of, and a body that is loading, filled, empty or broken, and says which.
 *
 * Invariant: what was shown once stays, however old, until something better comes; then the note says how old it is.
 */
import { button, byId, el, empty } from './dom.ts'

export interface Panel {
  readonly body: HTMLElement
  /** Beside the heading: unit, range, freshness. */
  note(text: string): void
  show(...content: Node[]): void
  /** For whoever fills the body by itself: what is in it is the answer. */
  answered(): void
  empty(sentence: string): void
  /** Shows the sentence with a way to try again; content that is there stays, and is noted as old. */
  failed(sentence: string, tryAgain: () => void): void
  /** For another question than the one that is answered: what is shown is dimmed, an empty panel says that it is loading. */
  loading(): void
}

/** @param id of the card in index.html, which has a `.body` and may have a `.note` */
export function createPanel(id: string): Panel {
  const card = byId(id)
  const body = card.querySelector<HTMLElement>('.body')!
  const noted = card.querySelector<HTMLElement>('.note')
  let filled = false
  let trouble: HTMLElement | null = null

  function answered(): void {
    trouble?.remove()
    trouble = null
    filled = true
    card.setAttribute('aria-busy', 'false')
  }

  return {
    body,
    note(text) {
      if (noted && noted.textContent !== text) noted.textContent = text
    },
    answered,
    show(...content) {
      answered()
      replace(body, content)
    },
    empty(sentence) {
      answered()
      replace(body, [empty(sentence)])
    },
    failed(sentence, tryAgain) {
      const hadContent = filled
      answered()
      filled = hadContent
      trouble = el('p', { class: 'trouble', role: 'alert' }, sentence, ' ', button('Try again', tryAgain))
      if (filled) body.before(trouble)
      else body.replaceChildren(trouble)
    },
    loading() {
      card.setAttribute('aria-busy', 'true')
      if (!filled) body.replaceChildren(skeleton())
    },
  }
}

/** What has not changed is left alone, so that a selection and the keyboard's place stay; the place stays also where something has. */
function replace(body: HTMLElement, content: readonly Node[]): void {
  const next = el('div', {}, ...content)
  if (next.innerHTML === body.innerHTML) return
  const place = places(body).indexOf(document.activeElement as HTMLElement)
  body.replaceChildren(...next.childNodes)
  if (place >= 0) places(body)[place]?.focus()
}

const places = (within: HTMLElement): HTMLElement[] => [...within.querySelectorAll<HTMLElement>('a, button, summary')]

const skeleton = (): HTMLElement =>
  el('div', { class: 'skeleton' }, el('span', { class: 'spoken' }, 'Loading …'), el('i'), el('i'), el('i'))
