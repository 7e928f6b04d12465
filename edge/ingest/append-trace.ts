/**
 * What the records of an append say of their trace, and the append's own span. Sits between a request's trace and the log; the streams go on from what the records say.
 *
 * Invariants: the records of a recorded request name the span of their append; where it is not recorded, orders name the request all the same, since one of them may complete an alert, whose
 * trace is kept in any case; and what a client sent travels on where nothing better is known, as it does without tracing.
 */

import { TraceFlags } from '@opentelemetry/api'
import { type LogSystem, messaging } from '../../observability/messaging.ts'
import { newSpanIds, withSpanIds } from '../../observability/span-ids.ts'
import { beginSpan, contextOf, endingSpan, SpanKind, traceparentOf } from '../../observability/spans.ts'
import { type InputTopic, ORDERS } from '../../streams/contract/topics.ts'
import type { RequestTrace } from '../tracing.ts'

export interface AppendTrace {
  /** Of each record. */
  readonly headers: Readonly<Record<string, string>> | undefined
  /** @param records how many */
  around<T>(records: number, append: () => Promise<T>): Promise<T>
}

export function traceAppend(topic: InputTopic, { ids, span, sent }: RequestTrace, system: LogSystem): AppendTrace {
  if (!span || !ids) {
    const traceparent = ids && topic === ORDERS ? traceparentOf(ids) : sent
    return { headers: traceparent === null ? undefined : { traceparent }, around: (_, append) => append() }
  }
  const own = { traceId: ids.traceId, spanId: newSpanIds().spanId }
  return {
    headers: { traceparent: traceparentOf({ ...own, traceFlags: TraceFlags.SAMPLED }) },
    around(records, append) {
      const attributes = { ...messaging(system, 'send', topic), 'messaging.batch.message_count': records }
      const begun = withSpanIds(own, () =>
        beginSpan(`append ${topic}`, { kind: SpanKind.PRODUCER, attributes, parent: contextOf(span) }),
      )
      return endingSpan(begun, append)
    },
  }
}
