import { SpanStatusCode, trace } from '@opentelemetry/api'
import { afterEach, describe, expect, it } from 'vitest'
import { CANCELLED, childSpan, inSpan, rootSpan } from './spans.ts'
import { type RecordedSpans, recordSpans } from './testing/recorded-spans.ts'

let recorded: RecordedSpans
afterEach(() => recorded.stop())

const attributes = { table: 'raw.orders' }
let nowMs = 1_000
const round = { attributes, now: () => (nowMs += 500) }
const cancellation = () => Object.assign(new Error('broken off'), { name: 'AbortError' })

describe('a root span', () => {
  it('is a trace of its own, also within another, with what happens in it', async () => {
    recorded = recordSpans()
    await inSpan('other', {}, () => rootSpan('round', round, () => childSpan('step', {}, async () => {})))
    const { traceId, spanId } = recorded.named('round').spanContext()
    expect(recorded.named('round')).toMatchObject({ parentSpanContext: undefined, attributes })
    expect(recorded.named('step').parentSpanContext?.spanId).toBe(spanId)
    expect(recorded.named('other').spanContext().traceId).not.toBe(traceId)
  })

  it('that the ratio has passed over leaves nothing, unless it fails: then it is there under its ids', async () => {
    recorded = recordSpans({ ratio: 0 })
    await rootSpan('round', round, () => childSpan('step', {}, async () => {}))
    await rootSpan('round', round, () => Promise.reject(cancellation())).catch(() => {})
    expect(recorded.spans()).toEqual([])
    let ids: unknown
    const failing = rootSpan('round', round, async () => {
      ids = trace.getActiveSpan()?.spanContext().spanId
      throw new Error('the disk is full')
    })
    await expect(failing).rejects.toThrow('the disk is full')
    const [span, ...more] = recorded.spans()
    expect(more).toEqual([])
    expect(span).toMatchObject({
      name: 'round',
      status: { code: SpanStatusCode.ERROR, message: 'the disk is full' },
      attributes: { ...attributes, 'streamforge.stand_in': true },
      duration: [0, 500_000_000],
    })
    expect(span?.spanContext().spanId).toBe(ids)
  })

  it('that was broken off on purpose is no failure', async () => {
    recorded = recordSpans()
    await rootSpan('round', round, () => Promise.reject(cancellation())).catch(() => {})
    expect(recorded.named('round')).toMatchObject({
      status: { code: SpanStatusCode.UNSET },
      attributes: { [CANCELLED]: true },
    })
  })

  it('changes nothing where tracing is off', async () => {
    recorded = recordSpans()
    recorded.stop()
    expect(await rootSpan('round', round, async () => 7)).toBe(7)
    await expect(rootSpan('round', round, () => Promise.reject(new Error('x')))).rejects.toThrow('x')
  })
})
