/**
 * What tracing is to the rest of a process: nothing where it is off. Started by `preload.ts`, asked by whoever reports its losses or has spans of others to export.
 *
 * One for each thread, as the global tracer of OpenTelemetry's API is; `sdk.ts` makes it.
 */
import type { Resource } from '@opentelemetry/resources'
import type { SpanProcessor } from '@opentelemetry/sdk-trace-base'

/** Why a span that was to be recorded never reached the collector. */
export type Loss = 'queue_full' | 'export_failed'

export interface Tracing {
  /** E.g. `edge`. */
  readonly role: string
  /** The share of the traces that begin here which is recorded. */
  readonly ratio: number
  /** Where spans go that others make: Temporal's, of workflows. */
  readonly spanProcessor: SpanProcessor
  /** Whose they are. */
  readonly resource: Resource
  /** Spans lost so far. */
  readonly lost: Readonly<Record<Loss, number>>
  /** Sends what is waiting. @throws Error when the collector does not take it */
  flush(): Promise<void>
  /** The same as the last thing, and within a bound whatever the collector does. */
  stop(): Promise<void>
}

let running: Tracing | null = null

/** null where tracing is off. */
export const tracing = (): Tracing | null => running

export function setTracing(started: Tracing | null): void {
  running = started
}
