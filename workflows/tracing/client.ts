/**
 * Spans of what a client of Temporal has a workflow do: start, end, heed a signal. The context goes with it, so that the run is a part of the caller's trace.
 *
 * Invariants: every run is recorded, whatever the ratio: there are few of them, and each is worth being looked at. Questions (queries, descriptions) make no spans: whoever watches a run asks
 * thousands of them.
 */
import { type Context, context, type Span, type SpanOptions, type Tracer, trace } from '@opentelemetry/api'
import type { Next, WorkflowClientInterceptor, WorkflowDescribeInput, WorkflowQueryInput } from '@temporalio/client'
import { OpenTelemetryWorkflowClientInterceptor } from '@temporalio/interceptors-opentelemetry-v2'
import { KEEP } from '../../observability/spans.ts'

class CommandsOnly extends OpenTelemetryWorkflowClientInterceptor {
  override query(input: WorkflowQueryInput, next: Next<WorkflowClientInterceptor, 'query'>): Promise<unknown> {
    return next(input)
  }
  override describe(input: WorkflowDescribeInput, next: Next<WorkflowClientInterceptor, 'describe'>) {
    return next(input)
  }
}

export const clientSpans = (): WorkflowClientInterceptor => new CommandsOnly({ tracer: keepingTracer() })

function keepingTracer(): Tracer {
  const tracer = trace.getTracer('streamforge')
  const kept = (options?: SpanOptions): SpanOptions => ({
    ...options,
    attributes: { ...options?.attributes, [KEEP]: true },
  })
  const startActiveSpan = (name: string, ...given: [SpanOptions?, Context?, unknown?]): unknown => {
    const work = given.pop() as (span: Span) => unknown
    const [options, parent] = given
    return tracer.startActiveSpan(name, kept(options), parent ?? context.active(), work)
  }
  return {
    startSpan: (name, options, parent) => tracer.startSpan(name, kept(options), parent),
    startActiveSpan: startActiveSpan as Tracer['startActiveSpan'],
  }
}
