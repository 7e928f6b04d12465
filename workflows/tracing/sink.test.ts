import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import type { SerializableSpan } from '@temporalio/interceptors-opentelemetry-v2'
import type { WorkflowInfo } from '@temporalio/workflow'
import { describe, expect, it } from 'vitest'
import { workflowSpanSink } from './sink.ts'

const info = {
  workflowId: 'dailyAggregation:2026-11-20',
  runId: 'run-1',
  memo: { secret: 'of somebody' },
  searchAttributes: { BuildIds: ['x'] },
} as unknown as WorkflowInfo

function spanOf(changes: Partial<SerializableSpan> = {}): SerializableSpan {
  return {
    name: 'RunWorkflow:dailyAggregation',
    kind: SpanKind.INTERNAL,
    spanContext: { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 },
    startTime: [1, 0],
    endTime: [2, 0],
    duration: [1, 0],
    status: { code: SpanStatusCode.OK },
    attributes: {},
    links: [],
    events: [],
    ended: true,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
    instrumentationScope: { name: '@temporalio/interceptor-workflow' },
    ...changes,
  }
}

function exported(...spans: SerializableSpan[]): ReadableSpan[] {
  const ended: ReadableSpan[] = []
  const spanProcessor = { onEnd: (span: ReadableSpan) => ended.push(span) } as never
  const { exporter } = workflowSpanSink({
    spanProcessor,
    resource: resourceFromAttributes({ 'service.name': 'worker' }),
  })
  void exporter.export.fn(info, spans)
  return ended
}

const failure = (type: string, message: string): Partial<SerializableSpan> => ({
  status: { code: SpanStatusCode.ERROR, message },
  events: [{ name: 'exception', time: [2, 0], attributes: { 'exception.type': type, 'exception.message': message } }],
})

describe('the sink for spans of workflows', () => {
  it('tells of the run by its ids alone, under the resource of the process', () => {
    const [span] = exported(spanOf())
    expect(span?.attributes).toEqual({ temporalWorkflowId: info.workflowId, run_id: info.runId })
    expect(span?.resource.attributes).toEqual({ 'service.name': 'worker' })
    expect(span?.spanContext()).toMatchObject({ traceId: '1'.repeat(32), spanId: '2'.repeat(16) })
  })

  it('cuts long texts', () => {
    const [span] = exported(spanOf(failure('DaysFailed', 'x'.repeat(5_000))))
    expect(span?.status.code).toBe(SpanStatusCode.ERROR)
    expect(span?.status.message).toHaveLength(1_024)
    expect(span?.events[0]?.attributes?.['exception.message']).toHaveLength(1_024)
  })

  it('is there where tracing is off, and is not asked by a replay', () => {
    const off = workflowSpanSink(null).exporter.export
    expect(off.callDuringReplay).toBe(false)
    void off.fn(info, [spanOf()])
    const on = workflowSpanSink({ spanProcessor: {} as never, resource: resourceFromAttributes({}) }).exporter.export
    expect(on.callDuringReplay).toBe(false)
  })
})
