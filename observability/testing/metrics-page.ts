/** docs/metrics.md, from the contract and what the components say of their metrics. */
import { COMPONENTS, type Component, LABELS, METRICS } from '../metrics-contract.ts'
import type { Registered } from './registered.ts'

const HEAD = `# Metrics

<!-- Made from observability/metrics-contract.ts: UPDATE_DOCS=1 npx vitest run --project unit observability/metrics-contract -->

Every role serves its own at \`/metrics\`: the edge where it listens, the others at \`--metrics-port\` (\`STREAMFORGE_METRICS_PORT\`). With \`npm start\` edge, streams and lake-writer are one
process, and the edge serves all of theirs; the label \`component\` says whose each is. Nothing of the data is in them, so reading them takes no account.

Counters begin at zero with their process; what it reads again after a crash counts again. What has always been counted, over all crashes, is in PostgreSQL (\`GET /metrics/overview\`,
\`/health/pipelines\`). Rules, alerts and dashboards over these are in \`observability/prometheus\`, \`observability/alertmanager\` and \`observability/grafana\`; besides those below, Node's and the
process's own (\`process_*\`, \`nodejs_*\`) are there.

How far results are behind real time is \`time() - streamforge_streams_watermark_timestamp_seconds\`, recorded as \`streamforge:watermark_delay_seconds:max\`; how old the last checkpoint is,
likewise from \`streamforge_streams_last_checkpoint_timestamp_seconds\`.
`

export function metricsPage(registered: ReadonlyMap<Component, readonly Registered[]>): string {
  const help = new Map([...registered.values()].flat().map((metric) => [metric.name, metric.help]))
  const sections = COMPONENTS.map((component) => {
    const own = Object.entries(METRICS).filter(
      ([, { components }]) => components[0] === component && components.length === 1,
    )
    return table(TITLES[component], own)
  })
  const shared = Object.entries(METRICS).filter(([, { components }]) => components.length > 1)
  return `${HEAD}\n${[...sections, table('Of several', shared)].join('\n')}\n${labels()}`

  function table(title: string, metrics: readonly (typeof shared)[number][]): string {
    const rows = metrics.map(([name, { type, labels, components, only }]) => {
      const whose = components.length > 1 && components.length < COMPONENTS.length ? ` (${components.join(', ')})` : ''
      return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help.get(name)}${whose}${only ? ` *Only ${only}.*` : ''} |`
    })
    return `## ${title}\n\n| metric | type | labels | |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`
  }
}

const TITLES: Record<Component, string> = {
  edge: 'Edge',
  streams: 'Streams',
  'lake-writer': 'Lake-writer',
  worker: 'Worker',
  cdc: 'CDC source',
}

function labels(): string {
  const rows = Object.entries(LABELS).map(([name, { says, max }]) => `| \`${name}\` | ${says} | ${max} |`)
  return `## Labels\n\nNo label has a value that a client could make up.\n\n| label | its values | at most |\n| --- | --- | --- |\n${rows.join('\n')}\n`
}
