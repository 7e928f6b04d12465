/** Making elements. Text goes in as text, never as HTML: what a client sent can't become markup. */

export type Child = Node | string | null | undefined | false

/** Attributes by their names in HTML; false and null leave one out, true sets an empty one. */
export type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes))
    if (value !== false && value != null) element.setAttribute(name, value === true ? '' : String(value))
  element.append(...children.filter((child): child is Node | string => child != null && child !== false))
  return element
}

/** The element of the page with this id. @throws when index.html has none */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const element = document.getElementById(id)
  if (!element) throw new Error(`index.html has no #${id}`)
  return element as E
}

/** A button that does something here, as opposed to one that submits a form. */
export function button(text: string, onClick: () => void, attributes: Attributes = {}): HTMLButtonElement {
  const made = el('button', { type: 'button', class: 'button', ...attributes }, text)
  made.addEventListener('click', onClick)
  return made
}

/** To another place, in a tab of its own; text alone where there is no address. */
export function link(url: string | null, text: string): HTMLElement {
  return url === null ? el('span', {}, text) : el('a', { href: url, target: '_blank', rel: 'noopener' }, text)
}

export type Tone = 'good' | 'warn' | 'bad' | 'soft'

export const empty = (sentence: string): HTMLElement => el('p', { class: 'empty' }, sentence)
export const tag = (text: string, tone: Tone): HTMLElement => el('span', { class: 'tag', 'data-tone': tone }, text)
/** Read out, not shown. */
export const spoken = (text: string): HTMLElement => el('span', { class: 'spoken' }, text)

/** A bar as long as its share of the room. */
export function meter(share: number, tone = 'accent'): HTMLElement {
  const bar = el('span', { class: 'meter', 'data-tone': tone, 'aria-hidden': 'true' })
  bar.style.setProperty('--share', String(Math.min(1, Math.max(0, share))))
  return bar
}

/** Names with their values. */
export const facts = (entries: readonly (readonly [name: string, value: Child])[]): HTMLElement =>
  el(
    'dl',
    { class: 'facts' },
    ...entries.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value))),
  )
