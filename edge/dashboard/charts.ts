/** The two charts, drawn by uPlot in the colours of the style sheet; redrawn when the size or the colour scheme changes. */
import uPlot from 'uplot'
import { empty } from './dom.ts'
import { short } from './format.ts'

export interface Chart {
  /** Columns as uPlot takes them: x in seconds, then one per series. No points, or null, shows the sentence instead. */
  draw(data: uPlot.AlignedData | null, sentence: string, range?: [from: number, to: number]): void
}

const color = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const utc = (seconds: number): Date => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC')

function axes(unit: (n: number) => string): uPlot.Axis[] {
  const common = {
    stroke: color('--soft'),
    grid: { stroke: color('--grid'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
  }
  return [
    {
      ...common,
      space: 64,
      size: 30,
      values: [
        [60, '{HH}:{mm}', null, null, null, null, null, null, 1],
        [1, '{HH}:{mm}:{ss}', null, null, null, null, null, null, 1],
      ],
    },
    { ...common, size: 58, values: (_, ticks) => ticks.map(unit) },
  ]
}

function createChart(host: HTMLElement, options: () => Omit<uPlot.Options, 'width' | 'height'>): Chart {
  let plot: uPlot | null = null
  let data: uPlot.AlignedData | null = null
  let range: [number, number] | undefined
  const size = () => ({ width: Math.max(200, host.clientWidth - 12), height: Math.max(120, host.clientHeight - 6) })

  function make(): void {
    plot?.destroy()
    plot = null
    if (!data) return
    host.replaceChildren()
    const given = options()
    const scales = {
      ...given.scales,
      x: { ...given.scales?.x, range: (_: uPlot, min: number, max: number): [number, number] => range ?? [min, max] },
    }
    plot = new uPlot(
      { ...given, ...size(), scales, tzDate: utc, cursor: { drag: { x: false, y: false }, y: false } },
      data,
      host,
    )
  }
  new ResizeObserver(() => plot?.setSize(size())).observe(host)
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', make)

  return {
    draw(next, sentence, nextRange) {
      range = nextRange
      if (!next || next[0].length === 0) {
        data = null
        plot?.destroy()
        plot = null
        host.replaceChildren(empty(sentence))
        return
      }
      data = next
      if (plot) plot.setData(data)
      else make()
    },
  }
}

const fromZero = (_: uPlot, __: number, max: number): [number, number] => [0, Math.max(1, (max ?? 0) * 1.1)]

export const createRateChart = (host: HTMLElement): Chart =>
  createChart(host, () => ({
    scales: { y: { range: fromZero } },
    axes: axes(short),
    series: [
      {},
      {
        label: 'accepted',
        stroke: color('--accent'),
        fill: color('--accent-fill'),
        width: 1.5,
        points: { show: false },
      },
      { label: 'processed', stroke: color('--second'), width: 1.5, dash: [4, 3], points: { show: false } },
    ],
  }))

export function createRevenueChart(host: HTMLElement): Chart {
  const bars = uPlot.paths.bars!({ size: [0.7, 24], radius: 0.15 })
  return createChart(host, () => ({
    scales: { y: { range: fromZero } },
    axes: axes(short),
    series: [
      {},
      {
        label: 'final',
        stroke: color('--money'),
        fill: color('--money'),
        width: 0,
        paths: bars,
        points: { show: false },
      },
      {
        label: 'provisional',
        stroke: color('--money-soft'),
        fill: color('--money-soft'),
        width: 0,
        paths: bars,
        points: { show: false },
      },
    ],
  }))
}
