/**
 * OpenTelemetry's interceptors as they run with the definitions, in their sandbox: a span for the run, and one for each activity and child workflow that it starts, whose ids go with them in headers.
 * They are always in the bundle, whether or not traces go anywhere: what they add to a history must be the same in every process that replays it.
 *
 * Invariants: a replay gives every span the id that it had. Ids are drawn from a sequence of the run's own, and a question (query) is not part of its history: it gets no span, since one would take
 * ids out of the sequence that a replay, which asks nothing, then gives to other spans. And what was cancelled is no failure.
 */
import { SpanStatusCode, trace } from '@opentelemetry/api'
import {
  OpenTelemetryInboundInterceptor,
  OpenTelemetryInternalsInterceptor,
  OpenTelemetryOutboundInterceptor,
} from '@temporalio/interceptors-opentelemetry-v2/lib/workflow/index.js'
import {
  isCancellation,
  type Next,
  type QueryInput,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptorsFactory,
} from '@temporalio/workflow'
import type { CANCELLED as NAME } from '../../observability/spans.ts'

// As it is everywhere, and not loaded from there: the bundle is known by the sources in this folder.
const CANCELLED: typeof NAME = 'streamforge.cancelled'

class InboundButQueries extends OpenTelemetryInboundInterceptor {
  override handleQuery(
    input: QueryInput,
    next: Next<WorkflowInboundCallsInterceptor, 'handleQuery'>,
  ): Promise<unknown> {
    return next(input)
  }
}

/** `OK` is final: the error that comes through OpenTelemetry's interceptor outside does not change it. */
async function tellingCancellation<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isCancellation(error))
      trace.getActiveSpan()?.setAttribute(CANCELLED, true).setStatus({ code: SpanStatusCode.OK })
    throw error
  }
}

export const interceptors: WorkflowInterceptorsFactory = () => ({
  inbound: [new InboundButQueries(), { execute: (input, next) => tellingCancellation(() => next(input)) }],
  outbound: [
    new OpenTelemetryOutboundInterceptor(),
    { scheduleActivity: (input, next) => tellingCancellation(() => next(input)) },
  ],
  internals: [new OpenTelemetryInternalsInterceptor()],
})
