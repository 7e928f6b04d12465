/**
 * The span of an attempt at an activity, under the run that scheduled it: OpenTelemetry's interceptors, and what they don't tell: which attempt it was, and that it was cancelled rather than failed.
 *
 * Invariant: an attempt that was broken off, as people and stops of workers do, is no failure: only what failed is marked as an error.
 */
import { SpanStatusCode, trace } from '@opentelemetry/api'
import { type Context as ActivityContext, CancelledFailure } from '@temporalio/activity'
import {
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryActivityOutboundInterceptor,
} from '@temporalio/interceptors-opentelemetry-v2'
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker'
import { countingObjects } from '../../db/objects/counted.ts'
import { CANCELLED } from '../../observability/spans.ts'

/** The first is the outermost. */
export const ACTIVITY_SPANS: readonly ActivityInterceptorsFactory[] = [
  (context) => ({
    inbound: new OpenTelemetryActivityInboundInterceptor(context),
    outbound: new OpenTelemetryActivityOutboundInterceptor(context),
  }),
  (context) => ({ inbound: tellingOf(context) }),
]

const tellingOf = ({ info }: ActivityContext): ActivityInboundCallsInterceptor => ({
  async execute(input, next) {
    const span = trace.getActiveSpan()
    span?.setAttribute('streamforge.attempt', info.attempt)
    try {
      return await countingObjects(() => next(input))
    } catch (error) {
      // `OK` is final: the error that comes through the interceptor outside does not change it.
      if (error instanceof CancelledFailure) span?.setAttribute(CANCELLED, true).setStatus({ code: SpanStatusCode.OK })
      throw error
    }
  },
})
