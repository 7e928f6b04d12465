/**
 * Spans, for every room that makes some. Sits between our code and OpenTelemetry's API; what is recorded and where it goes is decided in `preload.ts`, and where that
 * was not loaded all of this does nothing.
 *
 * Invariant: tracing never changes what the work does: its result, its error and its order are those it has without.
 */
import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  isSpanContextValid,
  type Link,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { withSpanIds } from './span-ids.ts'

export { type Attributes, type Context, type Link, type Span, type SpanContext, SpanKind }

/** A span begun with this attribute is recorded whatever the ratio says. */
export const KEEP = 'streamforge.keep'

/** What the sampler is to go by instead of a parent's decision. */
export const DECISION = createContextKey('streamforge.decision')

/** A parent whose own decision about recording is not asked for: the ratio decides. */
export const undecided = (parent: Context): Context => parent.setValue(DECISION, 'ratio')

/** For a root whose beginner has decided by the ratio already, and begins it only where it is to be recorded. */
export const drawn: Context = ROOT_CONTEXT.setValue(DECISION, 'record')

export interface SpanOptions {
  kind?: SpanKind
  attributes?: Attributes
  links?: Link[]
  /** Default: what is active; `null`: a trace of its own. */
  parent?: Context | null
  /** Epoch milliseconds; default: now. */
  startMs?: number
}

const tracer = () => trace.getTracer('streamforge')

/** Whoever begins a span ends it. */
export function beginSpan(name: string, { parent, startMs, ...options }: SpanOptions = {}): Span {
  return tracer().startSpan(
    name,
    { ...options, ...(startMs !== undefined && { startTime: startMs }), ...(parent === null && { root: true }) },
    parent ?? context.active(),
  )
}

/** The work within a span, which is active meanwhile. An error marks it, and goes on to the caller. */
export async function inSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
  const span = beginSpan(name, options)
  return endingSpan(span, () =>
    context.with(trace.setSpan(options.parent ?? context.active(), span), work, undefined, span),
  )
}

/** The work of a span that has begun, which is ended with it. It is not made the active one: until Node 24, switching that on and off costs milliseconds. */
export async function endingSpan<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    failSpan(span, error)
    throw error
  } finally {
    span.end()
  }
}

/** The same, but only under a span that is recorded: what is done all the time, e.g. statements and commits, is worth a span where somebody follows it. */
export async function childSpan<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
  return isRecorded() ? inSpan(name, options, work) : work()
}

/** The work as a trace of its own, which the ratio decides on. One that fails is kept whatever it decided: its span is then made afterwards. */
export async function rootSpan<T>(
  name: string,
  { attributes, now }: { attributes: Attributes; now: () => number },
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const span = beginSpan(name, { attributes, parent: null })
  const startMs = now()
  try {
    return await context.with(trace.setSpan(ROOT_CONTEXT, span), work, undefined, span)
  } catch (error) {
    failRoot(span, { name, attributes, startMs, endMs: now() }, error)
    throw error
  } finally {
    span.end()
  }
}

/** What fails is kept whatever the ratio has decided: the root that is not recorded is made anew. @param past what that is then to say */
export function failRoot(
  root: Span,
  past: Pick<StandIn, 'name' | 'attributes' | 'startMs' | 'endMs'>,
  error: unknown,
): void {
  if (root.isRecording()) failSpan(root, error)
  else if (!isCancellation(error)) standIn({ ...past, as: root.spanContext(), error })
}

/** Whether the active span is recorded. */
export const isRecorded = (): boolean => trace.getActiveSpan()?.isRecording() === true

/** On a span whose work was broken off because somebody wanted that, which is no error. */
export const CANCELLED = 'streamforge.cancelled'

const isCancellation = (error: unknown): boolean =>
  error instanceof Error &&
  (['AbortError', 'CancelledFailure', 'Stopped'].includes(error.name) ||
    (error as { code?: unknown }).code === 'CANCELLED')

export function failSpan(span: Span, error: unknown): void {
  if (isCancellation(error)) {
    span.setAttribute(CANCELLED, true)
    return
  }
  if (error instanceof Error) span.recordException(error)
  span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) })
}

export const contextOf = (span: Span): Context => trace.setSpan(context.active(), span)

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/

/** Of a W3C `traceparent`; null where it is none. */
export function spanContextOf(traceparent: string | undefined): SpanContext | null {
  const parts = traceparent === undefined ? null : TRACEPARENT.exec(traceparent)
  if (!parts) return null
  const [, traceId = '', spanId = '', flags = ''] = parts
  const found = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  return isSpanContextValid(found) ? found : null
}

export const traceparentOf = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${traceFlags & TraceFlags.SAMPLED ? '01' : '00'}`

/** For spans whose parent is in another process. */
export const remoteParent = (parent: SpanContext): Context => trace.setSpanContext(context.active(), parent)

/** The work as a part of the trace of whoever asked for it in another process; null: nobody did. */
export const inTraceOf = <T>(caller: SpanContext | null, work: () => Promise<T>): Promise<T> =>
  caller ? context.with(remoteParent(caller), work) : work()

/** Of the active span, for log lines. */
export function traceFields(): { trace_id?: string; span_id?: string } {
  const active = trace.getActiveSpan()?.spanContext()
  return active && isSpanContextValid(active) ? { trace_id: active.traceId, span_id: active.spanId } : {}
}

export interface StandIn {
  name: string
  kind?: SpanKind
  /** Its own ids, under which others already name it. */
  as: Pick<SpanContext, 'traceId' | 'spanId'>
  /** Of the same trace. */
  parent?: SpanContext | null
  attributes?: Attributes
  startMs: number
  endMs: number
  error?: unknown
}

/** A span of the past that was not recorded when it was, because nobody knew yet that it would matter; it is marked as such. */
export function standIn({ name, kind, as, parent, attributes, startMs, endMs, error }: StandIn): void {
  const span = withSpanIds(as, () =>
    beginSpan(name, {
      ...(kind !== undefined && { kind }),
      attributes: { ...attributes, [KEEP]: true, 'streamforge.stand_in': true },
      parent: parent ? remoteParent(parent) : null,
      startMs,
    }),
  )
  if (error !== undefined) failSpan(span, error)
  span.end(endMs)
}
