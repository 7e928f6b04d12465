/**
 * Charts, drawn by uPlot in the colours of the style sheet; made anew when the colours change. What a chart shows is also there as a sentence, its label, and as a
 * table, which is only made while it is open.
 */
import uPlot from 'uplot'
import { el, empty } from './dom.ts'
import type { Panel } from './panel.ts'
import { table } from './table.ts'
import { onThemeChange } from './theme.ts'
import { tickText } from './ticks.ts'

export interface Line {
  label: string
  /** Names of colours in the style sheet. */
  stroke: string
  fill?: string
  kind: 'line' | 'dashed' | 'bars'
}

export interface Plot {
  lines: readonly Line[]
  /** As uPlot takes them: x in seconds, then one column per line. */
  data: uPlot.AlignedData
  from: number
  to: number
  /** Of an axis, and of a value that is read. */
  tick(value: number): string
  value(value: number): string
  /** The start of a point, in words. */
  at(seconds: number): string
  /** What the chart says, in a sentence. */
  label: string
}

export interface Chart {
  draw(plot: Plot): void
  empty(sentence: string): void
}

/** Fills a panel. `title` names the table. */
export function createChart({ body, answered }: Panel, title: string): Chart {
  const host = el('div', { class: 'chart', role: 'img' })
  const legend = el('p', { class: 'legend' })
  const readout = el('p', { class: 'readout', 'aria-hidden': 'true' })
  const rows = el('div', { class: 'chart-table' })
  const details = el('details', { class: 'as-table' }, el('summary', {}, 'As a table'), rows)
  let drawn: uPlot | null = null
  let plot: Plot | null = null
  let kind = ''

  const size = () => ({ width: Math.max(200, host.clientWidth), height: Math.max(120, host.clientHeight) })
  function make(): void {
    drawn?.destroy()
    drawn = null
    if (!plot) return
    host.replaceChildren()
    drawn = new uPlot({ ...optionsOf(() => plot!, readOut), ...size() }, plot.data, host)
  }
  function readOut(index: number | null): void {
    if (!plot) return
    const { data, lines, at, value } = plot
    const values = index === null ? [] : lines.map(({ label }, i) => textOf(data[i + 1]?.[index], label, value))
    readout.textContent =
      index === null ? '' : [at(data[0][index]!), ...values.filter((text) => text !== null)].join(' · ')
  }
  function tabulate(): void {
    if (!details.open || !plot) return
    const { data, lines, at, value } = plot
    rows.replaceChildren(
      table<number>(
        title,
        [
          { title: 'From (UTC)', cell: (i) => at(data[0][i]!) },
          ...lines.map((line, l) => ({
            title: line.label,
            number: true,
            cell: (i: number) => numberOf(data[l + 1]?.[i], value),
          })),
        ],
        [...data[0].keys()].reverse(),
      ),
    )
  }
  function arrange(): void {
    answered()
    if (host.parentElement !== body) body.replaceChildren(legend, host, readout, details)
  }

  new ResizeObserver(() => drawn?.setSize(size())).observe(host)
  onThemeChange(make)
  details.addEventListener('toggle', tabulate)

  return {
    draw(next) {
      arrange()
      plot = next
      host.setAttribute('role', 'img')
      host.setAttribute('aria-label', next.label)
      details.hidden = false
      const nextKind = next.lines.map((line) => `${line.label} ${line.kind}`).join()
      if (drawn && kind === nextKind) drawn.setData(next.data)
      else {
        make()
        legend.replaceChildren(...(next.lines.length > 1 ? next.lines.map(keyOf) : []))
      }
      kind = nextKind
      tabulate()
    },
    empty(sentence) {
      arrange()
      plot = null
      drawn?.destroy()
      drawn = null
      details.hidden = true
      readout.textContent = ''
      legend.replaceChildren()
      host.removeAttribute('aria-label')
      host.setAttribute('role', 'presentation')
      host.replaceChildren(empty(sentence))
    },
  }
}

const keyOf = ({ label, stroke, kind }: Line): HTMLElement => {
  const key = el('span', { class: kind === 'dashed' ? 'key dashed' : 'key' }, label)
  key.style.setProperty('--tone', `var(${stroke})`)
  return key
}

const textOf = (n: number | null | undefined, label: string, value: (n: number) => string): string | null =>
  n == null ? null : `${label} ${value(n)}`
const numberOf = (n: number | null | undefined, value: (n: number) => string): string => (n == null ? '–' : value(n))

function optionsOf(plot: () => Plot, readOut: (index: number | null) => void): Omit<uPlot.Options, 'width' | 'height'> {
  const axis: uPlot.Axis = {
    stroke: colorOf('--soft'),
    grid: { stroke: colorOf('--grid'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  }
  const bars = uPlot.paths.bars!({ size: [0.72, 22], radius: 0.18 })
  return {
    padding: [8, 10, 0, 0],
    legend: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
    cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
    scales: {
      x: { range: () => [plot().from, plot().to] },
      y: { range: (_, __, max) => [0, Math.max(1, (max ?? 0) * 1.1)] },
    },
    axes: [
      {
        ...axis,
        space: 60,
        size: 28,
        values: (_, ticks, __, ___, step) => ticks.map((t, i) => tickText(t, step, i === 0)),
      },
      { ...axis, size: 56, space: 36, values: (_, ticks) => ticks.map(plot().tick) },
    ],
    series: [
      {},
      ...plot().lines.map(
        ({ label, stroke, fill, kind }): uPlot.Series => ({
          label,
          stroke: colorOf(stroke),
          width: kind === 'bars' ? 0 : 1.5,
          points: { show: false },
          ...(fill && { fill: colorOf(fill) }),
          ...(kind === 'dashed' && { dash: [4, 3] }),
          ...(kind === 'bars' && { paths: bars }),
        }),
      ),
    ],
    hooks: { setCursor: [(u) => readOut(u.cursor.idx ?? null)] },
  }
}

/** A colour of the style sheet as the canvas takes it: the sheet's own text may be of either theme. */
function colorOf(name: string): string {
  const probe = el('i')
  probe.style.color = `var(${name})`
  document.body.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
