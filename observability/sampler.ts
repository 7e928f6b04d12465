/**
 * Which spans are recorded. Asked by the SDK at the beginning of each.
 *
 * Invariant: a trace is recorded whole or not at all, but for spans that are kept in any case: whoever has a parent does as it did, and of those that have none the ratio says by the trace's id,
 * or whoever begins it has drawn a lot.
 */
import { type Attributes, type Context, type SpanKind, TraceFlags, trace } from '@opentelemetry/api'
import {
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base'
import { DECISION, KEEP } from './spans.ts'

const RECORDED: SamplingResult = { decision: SamplingDecision.RECORD_AND_SAMPLED }
const PASSED_OVER: SamplingResult = { decision: SamplingDecision.NOT_RECORD }

/** @param ratio of the traces that begin here, from 0 to 1 */
export function createSampler(ratio: number): Sampler {
  const byTraceId = new TraceIdRatioBasedSampler(ratio)
  return {
    shouldSample(parent: Context, traceId: string, _name: string, _kind: SpanKind, attributes: Attributes) {
      const decision = parent.getValue(DECISION)
      if (attributes[KEEP] === true || decision === 'record') return RECORDED
      const before = decision === 'ratio' ? undefined : trace.getSpanContext(parent)
      if (!before) return byTraceId.shouldSample(parent, traceId)
      return before.traceFlags & TraceFlags.SAMPLED ? RECORDED : PASSED_OVER
    },
    toString: () => `StreamForge{${byTraceId.toString()}}`,
  }
}
