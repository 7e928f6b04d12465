/**
 * What a request reads, as spans under its own where it is recorded: wrapped around ports by `main.ts`, as the watch of their durations is.
 * Invariant: a span says which question was asked, by the name of the port's method, and never what it was about.
 */
import type { FeaturesIn } from '../db/features/feature-store.ts'
import { postgresSpan } from '../db/spans.ts'
import { aroundPort } from '../observability/around-port.ts'
import { childSpan, SpanKind, type SpanOptions } from '../observability/spans.ts'

export const readsPostgres = <P extends object>(port: P): P =>
  aroundPort(
    port,
    (question, read) =>
      (...args) =>
        postgresSpan('read', question, async () => read(...args)),
  )

export function readsFeatures<P extends object>(port: P, system: FeaturesIn): P {
  const options: SpanOptions = { kind: SpanKind.CLIENT, attributes: { 'db.system.name': system } }
  return aroundPort(
    port,
    (_, read) =>
      (...args) =>
        childSpan('read features', options, async () => read(...args)),
  )
}
