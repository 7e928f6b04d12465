/**
 * The trace of a request: a span where it is recorded, and its ids in any case, so that records, answers and log lines can name it. Around everything else in `app.ts`.
 *
 * Which requests are recorded is for the sampler to say (`observability/sampler.ts`); one that fails is recorded afterwards. Where tracing is off, or this runs on Bun or Deno, there are no ids
 * and nothing is done. Invariants: names and attributes have route patterns, known methods and counts, nothing that a client wrote; what a client says about being recorded is believed
 * within a bound, since write keys are public.
 */
import { context, TraceFlags } from '@opentelemetry/api'
import type { Context, MiddlewareHandler } from 'hono'
import { newSpanIds } from '../observability/span-ids.ts'
import {
  type Attributes,
  beginSpan,
  contextOf,
  drawn,
  failSpan,
  remoteParent,
  type Span,
  type SpanContext,
  SpanKind,
  spanContextOf,
  standIn,
  traceparentOf,
  undecided,
} from '../observability/spans.ts'
import { tracing } from '../observability/tracing.ts'
import type { Clock } from './ports.ts'
import { Problem } from './problem.ts'
import { methodOf, routeOf } from './route-of.ts'

export interface RequestTrace {
  /** Its ids, whether it is recorded or not; null where tracing is off. */
  readonly ids: SpanContext | null
  /** null where it is not recorded. */
  readonly span: Span | null
  /** What the client sent, if that is a W3C trace context. */
  readonly sent: string | null
  /** Counts what became of events. */
  ingested(result: { accepted: number; duplicates: number; rejected: readonly unknown[] }): void
}

/** Traces a second, for each edge, that are recorded because a client says so. */
export const ASKED_FOR_MAX = 20

const TRACE = 'trace'

export const traceOf = (c: Context): RequestTrace => c.get(TRACE) as RequestTrace

/** For what an answer or a log line says of a request. */
export function traceFieldsOf(c: Context): { trace_id?: string; span_id?: string } {
  const { ids } = traceOf(c)
  return ids ? { trace_id: ids.traceId, span_id: ids.spanId } : {}
}

export interface TraceOptions {
  clock: Pick<Clock, 'now'>
  /** Whether everything that the request leads to is given its span: then it is not made the active one, which until Node 24 slows every promise of the process down for a while. */
  givesSpan(c: Context): boolean
}

export function traceRequests({ clock, givesSpan }: TraceOptions): MiddlewareHandler {
  const mayAsk = perSecond(ASKED_FOR_MAX, clock)
  return async (c, next) => {
    const client = spanContextOf(c.req.header('traceparent'))
    const trace = begin(client, mayAsk)
    c.set(TRACE, trace)
    const { span } = trace
    if (!span) {
      const startedMs = performance.now()
      await next()
      if (c.res.status >= 500 && trace.ids) recordFailure(c, trace.ids, client, performance.now() - startedMs)
      return
    }
    c.header('traceparent', traceparentOf(span.spanContext()))
    await (givesSpan(c) ? next() : context.with(contextOf(span), next))
    const { name, attributes, error } = tellOf(c)
    span.updateName(name)
    span.setAttributes(attributes)
    if (error !== undefined) failSpan(span, error)
    span.end()
  }

  function recordFailure(c: Context, as: SpanContext, parent: SpanContext | null, ms: number): void {
    const endMs = clock.now()
    standIn({ ...tellOf(c), kind: SpanKind.SERVER, as, parent, startMs: endMs - ms, endMs })
  }
}

/** Of ingestion, where a request may bring one event and a microsecond counts: what is not recorded costs a lot drawn, and its ids only where somebody asks for them. */
function begin(client: SpanContext | null, mayAsk: () => boolean): RequestTrace {
  const settings = tracing()
  const sent = client && traceparentOf(client)
  if (!settings) return { ...OFF, sent }
  if (!client && Math.random() >= settings.ratio) return passedOver(newSpanIds, sent)
  const span = beginSpan('HTTP', { kind: SpanKind.SERVER, parent: client ? parentOf(client, mayAsk) : drawn })
  return span.isRecording() ? recording(span, sent) : passedOver(() => span.spanContext(), sent)
}

const OFF: RequestTrace = { ids: null, span: null, sent: null, ingested: () => {} }

function passedOver(newIds: () => Pick<SpanContext, 'traceId' | 'spanId'>, sent: string | null): RequestTrace {
  let ids: SpanContext | undefined
  return {
    get ids() {
      ids ??= { ...newIds(), traceFlags: TraceFlags.NONE }
      return ids
    },
    span: null,
    sent,
    ingested: OFF.ingested,
  }
}

function recording(span: Span, sent: string | null): RequestTrace {
  const counts = { accepted: 0, duplicates: 0, rejected: 0 }
  return {
    ids: span.spanContext(),
    span,
    sent,
    ingested({ accepted, duplicates, rejected }) {
      counts.accepted += accepted
      counts.duplicates += duplicates
      counts.rejected += rejected.length
      for (const [name, count] of Object.entries(counts)) span.setAttribute(`streamforge.events.${name}`, count)
    },
  }
}

function parentOf(client: SpanContext, mayAsk: () => boolean) {
  const parent = remoteParent(client)
  return client.traceFlags & TraceFlags.SAMPLED && !mayAsk() ? undecided(parent) : parent
}

/** What is known once it was answered. */
function tellOf(c: Context): { name: string; attributes: Attributes; error?: unknown } {
  const { error } = c
  const { status } = c.res
  const [method, route] = [methodOf(c), routeOf(c)]
  const name = `${method === 'other' ? 'HTTP' : method} ${route}`
  const attributes: Attributes = {
    'http.request.method': method === 'other' ? '_OTHER' : method,
    'http.route': route,
    'http.response.status_code': status,
  }
  if (status < 500) return { name, attributes }
  if (!error) return { name, attributes, error: `HTTP ${status}` }
  if (!(error instanceof Problem)) return { name, attributes: { ...attributes, 'error.type': error.name }, error }
  // The sentence of a problem is for clients; whoever looks at a trace wants to know what lay behind it.
  return { name, attributes: { ...attributes, 'error.type': error.code }, error: error.cause ?? error }
}

function perSecond(max: number, { now }: Pick<Clock, 'now'>): () => boolean {
  let second = 0
  let count = 0
  return () => {
    const current = Math.floor(now() / 1000)
    if (current !== second) {
      second = current
      count = 0
    }
    return ++count <= max
  }
}
