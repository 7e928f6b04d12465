/**
 * A sheet over the page's edge: one thing, opened. A link to `#<name>=KEY` opens it too.
 * Invariant: only what was opened last is shown, whichever answer comes first.
 */
import { button, byId, el, empty } from './dom.ts'
import { clearPlace, type PlaceName, setPlace } from './place.ts'

export interface SheetOptions<V> {
  /** Of the dialog in index.html, `<name>-dialog` with `<name>-title`, `<name>-body` and `<name>-close`; and in links. */
  name: PlaceName
  /** Until it is known what it is about, and while it loads. */
  title: string
  loading: string
  load(key: string): Promise<V>
  show(value: V): { title: string; sections: readonly HTMLElement[] }
}

export interface Sheet<V> {
  open(key: string): void
  /** Shows what has become of the one that is open. */
  fill(value: V): void
  close(): void
}

export function createSheet<V>({ name, title, loading, load, show }: SheetOptions<V>): Sheet<V> {
  const dialog = byId<HTMLDialogElement>(`${name}-dialog`)
  const heading = byId(`${name}-title`)
  const body = byId(`${name}-body`)
  let asked = 0

  byId(`${name}-close`).addEventListener('click', () => dialog.close())
  dialog.addEventListener('close', () => clearPlace(name))
  // A click beside the sheet is on the dialog itself.
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close()
  })

  async function ask(key: string): Promise<void> {
    const mine = ++asked
    try {
      const value = await load(key)
      if (mine === asked) fill(value)
    } catch (error) {
      if (mine !== asked) return
      heading.textContent = title
      const again = button('Try again', () => void ask(key))
      body.replaceChildren(el('p', { class: 'trouble', role: 'alert' }, (error as Error).message, ' ', again))
    }
  }

  function fill(value: V): void {
    const shown = show(value)
    heading.textContent = shown.title
    body.replaceChildren(...shown.sections)
  }

  return {
    open(key) {
      heading.textContent = title
      body.replaceChildren(empty(loading))
      if (!dialog.open) dialog.showModal()
      setPlace(name, key)
      void ask(key)
    },
    fill,
    close: () => dialog.close(),
  }
}

export const section = (title: string, ...content: HTMLElement[]): HTMLElement =>
  el('section', {}, el('h3', {}, title), ...content)
