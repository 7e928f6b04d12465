/**
 * A dashboard as we write it, and the JSON that Grafana reads: four facts per panel instead of sixty lines. The dashboards are in `dashboards.ts`, their JSON in `dashboards/`.
 * Invariant: the JSON is a function of the dashboard alone, so that a test can tell a file that was changed by hand.
 */
export type Query = { promql: string; legend: string } | { sql: string }

export type Unit = 'short' | 'ops' | 's' | 'bytes' | 'percentunit' | 'Bps' | 'none'

export interface Panel {
  title: string
  /** What it shows, and what to think of it. */
  says: string
  unit: Unit
  /** Default: over time. */
  kind?: 'stat' | 'table'
  queries: readonly [Query, ...Query[]]
  /** From where it is worth a look, and from where it is bad. Where `bad` is the smaller one, less is worse. */
  thresholds?: { warn: number; bad: number }
  /** The alert that watches it: links to its runbook. */
  alert?: string
  /** Shows what a healthy platform hardly has, so that it may be empty. */
  isRare?: boolean
}

export interface Dashboard {
  uid: string
  title: string
  says: string
  rows: readonly { title: string; panels: readonly Panel[] }[]
}

const PROMETHEUS = { type: 'prometheus', uid: 'prometheus' }
const POSTGRES = { type: 'grafana-postgresql-datasource', uid: 'streamforge-postgres' }
/** Grafana's grid is 24 wide. */
const WIDTH = 24
const SIZE = { stat: { w: 4, h: 4 }, timeseries: { w: 8, h: 8 }, table: { w: 12, h: 8 } }

/** As Grafana exports it. */
export function grafanaJson({ uid, title, says, rows }: Dashboard): string {
  let id = 0
  let y = 0
  const panels = rows.flatMap((row) => {
    const head = {
      id: ++id,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y: y++, w: WIDTH, h: 1 },
      panels: [],
    }
    let x = 0
    let height = 0
    const placed = row.panels.map((panel) => {
      const { w, h } = SIZE[panel.kind ?? 'timeseries']
      if (x + w > WIDTH) {
        x = 0
        y += height
        height = 0
      }
      const gridPos = { x, y, w, h }
      x += w
      height = Math.max(height, h)
      return { id: ++id, gridPos, ...panelJson(panel) }
    })
    y += height
    return [head, ...placed]
  })
  const dashboard = {
    uid,
    title,
    description: says,
    tags: ['streamforge'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'utc',
    templating: {
      list: [
        {
          name: 'runbooks',
          label: 'Runbooks',
          description: 'Where docs/runbooks.md can be read: links of panels lead there.',
          type: 'textbox',
          query: 'docs/runbooks.md',
          current: { text: 'docs/runbooks.md', value: 'docs/runbooks.md' },
        },
      ],
    },
    links: [
      {
        title: 'StreamForge',
        type: 'dashboards',
        tags: ['streamforge'],
        asDropdown: false,
        includeVars: false,
        keepTime: true,
      },
    ],
    annotations: {
      list: [
        {
          name: 'Alerts',
          datasource: PROMETHEUS,
          enable: true,
          expr: 'ALERTS{alertname=~"StreamForge.+", alertstate="firing"}',
          titleFormat: '{{alertname}}',
          textFormat: '{{severity}}',
          iconColor: 'red',
        },
      ],
    },
    panels,
  }
  return `${JSON.stringify(dashboard, null, 2)}\n`
}

function panelJson({ title, says, unit, kind, queries, thresholds, alert }: Panel) {
  const isSql = queries.some((query) => 'sql' in query)
  const datasource = isSql ? POSTGRES : PROMETHEUS
  return {
    type: kind ?? 'timeseries',
    title,
    description: says,
    datasource,
    targets: queries.map((query, i) => ({
      refId: String.fromCharCode(65 + i),
      datasource,
      ...targetJson(query, kind),
    })),
    fieldConfig: {
      defaults: { unit, min: 0, thresholds: stepsOf(thresholds), ...(thresholds && !kind && SHOWN_AS_LINE) },
      overrides: [],
    },
    options: optionsOf(kind),
    ...(alert && {
      links: [{ title: `Runbook of ${alert}`, url: `\${runbooks}#${alert.toLowerCase()}`, targetBlank: true }],
    }),
  }
}

const SHOWN_AS_LINE = { custom: { thresholdsStyle: { mode: 'dashed' } } }

function targetJson(query: Query, kind: Panel['kind']) {
  if ('sql' in query)
    return {
      rawSql: query.sql,
      rawQuery: true,
      editorMode: 'code',
      format: kind === undefined ? 'time_series' : 'table',
    }
  const { promql: expr, legend: legendFormat } = query
  return { expr, legendFormat, instant: kind !== undefined, range: kind === undefined }
}

function stepsOf(thresholds: Panel['thresholds']) {
  if (!thresholds) return { mode: 'absolute', steps: [{ color: 'green', value: null }] }
  const { warn, bad } = thresholds
  const steps =
    bad > warn
      ? [
          { color: 'green', value: null },
          { color: 'orange', value: warn },
          { color: 'red', value: bad },
        ]
      : [
          { color: 'red', value: null },
          { color: 'orange', value: bad },
          { color: 'green', value: warn },
        ]
  return { mode: 'absolute', steps }
}

function optionsOf(kind: Panel['kind']) {
  if (kind === 'stat') return { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'value', graphMode: 'none' }
  if (kind === 'table') return { showHeader: true }
  return { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } }
}
