import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from '@opentelemetry/api'
import { SamplingDecision } from '@opentelemetry/sdk-trace-base'
import { describe, expect, it } from 'vitest'
import { createSampler } from './sampler.ts'
import { newSpanIds } from './span-ids.ts'
import { drawn, KEEP, undecided } from './spans.ts'

const under = (traceFlags: TraceFlags) => trace.setSpanContext(ROOT_CONTEXT, { ...newSpanIds(), traceFlags })
const isRecorded = (ratio: number, parent = ROOT_CONTEXT, attributes = {}, { traceId } = newSpanIds()): boolean =>
  createSampler(ratio).shouldSample(parent, traceId, 'x', SpanKind.INTERNAL, attributes, []).decision ===
  SamplingDecision.RECORD_AND_SAMPLED

describe('the sampler', () => {
  it('records a share of the traces that begin here, the same ones in every process', () => {
    const traces = Array.from({ length: 20_000 }, newSpanIds)
    const chosen = traces.filter((ids) => isRecorded(0.1, ROOT_CONTEXT, {}, ids))
    expect(chosen.length / traces.length).toBeGreaterThan(0.08)
    expect(chosen.length / traces.length).toBeLessThan(0.12)
    expect(traces.filter((ids) => isRecorded(0.1, ROOT_CONTEXT, {}, ids))).toEqual(chosen)
    // A process with a higher share records these as well.
    expect(chosen.every((ids) => isRecorded(0.5, ROOT_CONTEXT, {}, ids))).toBe(true)
  })

  it('records all with 1, and none with 0', () => {
    expect([isRecorded(1), isRecorded(0)]).toEqual([true, false])
  })

  it('does as the parent did, whatever the ratio', () => {
    expect([isRecorded(0, under(TraceFlags.SAMPLED)), isRecorded(1, under(TraceFlags.NONE))]).toEqual([true, false])
  })

  it('goes by the ratio where the parent is not to be asked, and by the lot where one was drawn', () => {
    expect(isRecorded(0, undecided(under(TraceFlags.SAMPLED)))).toBe(false)
    expect(isRecorded(1, undecided(under(TraceFlags.NONE)))).toBe(true)
    expect(isRecorded(0, drawn)).toBe(true)
  })

  it('keeps what is to be kept', () => {
    expect(isRecorded(0, under(TraceFlags.NONE), { [KEEP]: true })).toBe(true)
    expect(isRecorded(0, ROOT_CONTEXT, { [KEEP]: false })).toBe(false)
  })
})
