/** Tables: one shape for all of them, with a caption that is read out, and a first column that names its row. */
import { type Child, el } from './dom.ts'

export interface Column<Row> {
  title: string
  number?: boolean
  /** Left out where the screen is narrow. */
  wide?: boolean
  cell: (row: Row) => Child
}

export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): HTMLElement {
  const classOf = (c: Column<Row>) => [c.number && 'num', c.wide && 'wide'].filter(Boolean).join(' ') || null
  const head = columns.map((c) => el('th', { scope: 'col', class: classOf(c) }, c.title))
  const body = rows.map((row) =>
    el(
      'tr',
      {},
      ...columns.map((c, i) =>
        i === 0 ? el('th', { scope: 'row' }, c.cell(row)) : el('td', { class: classOf(c) }, c.cell(row)),
      ),
    ),
  )
  return el(
    'table',
    {},
    el('caption', { class: 'spoken' }, caption),
    el('thead', {}, el('tr', {}, ...head)),
    el('tbody', {}, ...body),
  )
}
