/**
 * Prometheus metrics: one registry per thread, injected, and one text for the scraper.
 * Invariant: the text stays valid when several threads report the same metric: each family has one HELP and one TYPE line.
 */
import { Counter, collectDefaultMetrics, Registry } from 'prom-client'
import { type Tracing, tracing } from './tracing.ts'

export type { Registry }
export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

export interface RegistryOptions {
  /** Also report the process itself (CPU, memory, event loop): in one thread of a process only. */
  processMetrics?: boolean
  /** Labels of every metric of this registry, e.g. `{ thread: 'streams-0' }`, so that threads' series stay apart. */
  labels?: Record<string, string>
}

export function createRegistry({ processMetrics = false, labels }: RegistryOptions = {}): Registry {
  const registry = new Registry()
  if (labels) registry.setDefaultLabels(labels)
  if (processMetrics) collectDefaultMetrics({ register: registry })
  const traced = tracing()
  if (traced) countLostSpans(traced, registry)
  return registry
}

/** Of the thread that the registry is of. */
function countLostSpans({ lost }: Tracing, registry: Registry): void {
  new Counter({
    name: 'streamforge_trace_spans_dropped_total',
    help: 'Spans that were recorded and never reached the collector, by reason.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [reason, spans] of Object.entries(lost)) this.inc({ reason }, spans)
    },
  })
}

/** Joins texts in Prometheus' format; samples of a family that several texts have are put together, the first HELP and TYPE win. */
export function mergeMetricTexts(texts: readonly string[]): string {
  if (texts.length === 1) return texts[0]!
  const families = new Map<string, { head: string[]; samples: string[] }>()
  for (const text of texts) {
    let name = ''
    let isNew = false
    for (const line of text.split('\n')) {
      if (line === '') continue
      if (!line.startsWith('# HELP ') && !line.startsWith('# TYPE ')) {
        familyOf(name).samples.push(line)
        continue
      }
      const named = line.split(' ', 3)[2] ?? ''
      if (named !== name) {
        name = named
        isNew = !families.has(name)
      }
      if (isNew) familyOf(name).head.push(line)
    }
  }
  return `${[...families.values()].flatMap((f) => [...f.head, ...f.samples]).join('\n')}\n`

  function familyOf(name: string) {
    let family = families.get(name)
    if (!family) {
      family = { head: [], samples: [] }
      families.set(name, family)
    }
    return family
  }
}
