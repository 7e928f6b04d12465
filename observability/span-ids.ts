/**
 * Ids of traces and spans: random ones, or for a span that is recorded afterwards those it had all along.
 * Invariant: ids that were asked for are given to the one span that is begun within, and to no other.
 */
import type { SpanContext } from '@opentelemetry/api'

type Ids = Pick<SpanContext, 'traceId' | 'spanId'>

let wanted: Ids | null = null

/** @param begin begins one span, without awaiting anything */
export function withSpanIds<T>(ids: Ids, begin: () => T): T {
  wanted = ids
  try {
    return begin()
  } finally {
    wanted = null
  }
}

/** In the form of the SDK's `IdGenerator`. */
export const spanIds = {
  generateTraceId: (): string => wanted?.traceId ?? randomHex(4),
  generateSpanId: (): string => wanted?.spanId ?? randomHex(2),
}

/** Fresh ones, for a span that may be recorded later. */
export const newSpanIds = (): Ids => ({ traceId: randomHex(4), spanId: randomHex(2) })

/** No secrets, but names: quick, and never all zeros. */
function randomHex(words: number): string {
  let hex = ''
  for (let i = 0; i < words; i++) hex += ((1 + Math.random() * 0xffff_fffe) >>> 0).toString(16).padStart(8, '0')
  return hex
}
