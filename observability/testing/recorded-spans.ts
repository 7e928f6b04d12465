/**
 * Spans in memory, for tests in the process that makes them: the sampler, the ids and the context are those of a traced process, and nothing is exported.
 * Whoever begins it ends it (`stop`): the tracer is the thread's, and other tests run there.
 */
import { context, trace } from '@opentelemetry/api'
import { emptyResource } from '@opentelemetry/resources'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { createActiveContext } from '../active-context.ts'
import { createSampler } from '../sampler.ts'
import { spanIds } from '../span-ids.ts'
import { setTracing } from '../tracing.ts'

export interface RecordedSpans {
  /** Those that have ended, in the order of their ends. */
  spans(): ReadableSpan[]
  /** The one of that name. @throws Error where there is none, or more than one */
  named(name: string): ReadableSpan
  reset(): void
  stop(): void
}

/** @param ratio of the traces that begin here */
export function recordSpans({ ratio = 1 } = {}): RecordedSpans {
  const exporter = new InMemorySpanExporter()
  const spanProcessor = new SimpleSpanProcessor(exporter)
  const provider = new BasicTracerProvider({
    sampler: createSampler(ratio),
    idGenerator: spanIds,
    spanProcessors: [spanProcessor],
  })
  if (!trace.setGlobalTracerProvider(provider) || !context.setGlobalContextManager(createActiveContext()))
    throw new Error('Another test of this thread records spans and has not stopped.')
  setTracing({
    role: 'test',
    ratio,
    spanProcessor,
    resource: emptyResource(),
    lost: { queue_full: 0, export_failed: 0 },
    flush: () => spanProcessor.forceFlush(),
    stop: () => spanProcessor.shutdown(),
  })
  const spans = () => exporter.getFinishedSpans()
  return {
    spans,
    named(name) {
      const [found, ...more] = spans().filter((span) => span.name === name)
      if (!found || more.length > 0) {
        const all = spans().map((span) => span.name)
        throw new Error(`One span "${name}" was expected among: ${all.join(', ') || 'none'}.`)
      }
      return found
    },
    reset: () => exporter.reset(),
    stop() {
      trace.disable()
      context.disable()
      setTracing(null)
    },
  }
}
