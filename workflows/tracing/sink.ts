/**
 * Where the spans of workflows leave their sandbox: to the process's own exporter where tracing is on, else nowhere.
 *
 * Invariants: a replay exports nothing again; what is told of a run is bounded: the SDK puts all that it knows of a run on every span of it, memo and search attributes included.
 */
import {
  makeWorkflowExporter,
  type OpenTelemetryWorkflowExporter,
  type SerializableSpan,
} from '@temporalio/interceptors-opentelemetry-v2'
import type { InjectedSink } from '@temporalio/worker'
import type { WorkflowInfo } from '@temporalio/workflow'
import type { Tracing } from '../../observability/tracing.ts'

/** By the name that the interceptors in the bundle call it; without one the SDK logs an error for each span. */
export interface WorkflowSpanSink {
  exporter: InjectedSink<OpenTelemetryWorkflowExporter>
}

/** @param tracing null: it is off */
export function workflowSpanSink(tracing: Pick<Tracing, 'spanProcessor' | 'resource'> | null): WorkflowSpanSink {
  if (!tracing) return { exporter: { export: { fn: () => {}, callDuringReplay: false } } }
  const { export: exporting } = makeWorkflowExporter(tracing.spanProcessor, tracing.resource)
  const fn: typeof exporting.fn = (info, spans) => exporting.fn(told(info), spans.map(bounded))
  return { exporter: { export: { fn, callDuringReplay: false } } }
}

/** Under the names that spans of clients and activities have them. */
const told = ({ workflowId, runId }: WorkflowInfo): WorkflowInfo =>
  ({ temporalWorkflowId: workflowId, run_id: runId }) as unknown as WorkflowInfo

const TEXT_MAX = 1_024
const cut = (text: string): string => (text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX - 1)}…` : text)

/** Failures of workflows may tell of many others. */
function bounded(span: SerializableSpan): SerializableSpan {
  const events = span.events.map((event) => ({ ...event, attributes: boundedTexts(event.attributes ?? {}) }))
  const attributes = boundedTexts(span.attributes)
  const { code, message } = span.status
  return { ...span, events, attributes, status: message === undefined ? { code } : { code, message: cut(message) } }
}

const boundedTexts = (attributes: SerializableSpan['attributes']): SerializableSpan['attributes'] =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, typeof value === 'string' ? cut(value) : value]),
  )
