/** Making elements. Text goes in as text, never as HTML: what a client sent can't become markup. */

type Child = Node | string | null | undefined
interface Attributes {
  class?: string
  title?: string
  tone?: string
  scope?: string
}

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  if (attributes.class) element.className = attributes.class
  if (attributes.title) element.title = attributes.title
  if (attributes.tone) element.dataset.tone = attributes.tone
  if (attributes.scope) element.setAttribute('scope', attributes.scope)
  element.append(...children.filter((child): child is Node | string => child != null))
  return element
}

/** The element of the page with this id. @throws when index.html has none */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const element = document.getElementById(id)
  if (!element) throw new Error(`index.html has no #${id}`)
  return element as E
}

export interface Column<Row> {
  title: string
  number?: boolean
  /** Left out where the screen is narrow. */
  wide?: boolean
  cell: (row: Row) => Node | string
}

export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): HTMLElement {
  const classOf = (c: Column<Row>, first: boolean) =>
    [first && 'name', c.number && 'num', c.wide && 'wide'].filter(Boolean).join(' ')
  const head = columns.map((c) => el('th', { scope: 'col', class: classOf(c, false) }, c.title))
  const body = rows.map((row) =>
    el('tr', {}, ...columns.map((c, i) => el('td', { class: classOf(c, i === 0) }, c.cell(row)))),
  )
  const made = el('table', {}, el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...body))
  made.setAttribute('aria-label', caption)
  return el('div', { class: 'scroll' }, made)
}

/** To another place, in a tab of its own; text alone where there is no address. */
export function link(url: string | null, text: string): HTMLElement {
  if (url === null) return el('span', {}, text)
  const made = el('a', {}, text)
  made.href = url
  made.target = '_blank'
  made.rel = 'noopener'
  return made
}

export const empty = (sentence: string): HTMLElement => el('p', { class: 'empty' }, sentence)
export const tag = (text: string, tone: 'good' | 'warn' | 'bad' | 'soft'): HTMLElement =>
  el('span', { class: 'tag', tone }, text)
