/**
 * The traces that the streams write, by OpenTelemetry: the runtime's port to `observability/spans.ts`.
 *
 * A flush is a trace of its own, since it writes what thousands of requests have sent. Of these, each that is sampled, or that completed an alert, has in its own trace what became of it:
 *
 *   append transactions.orders                     of the edge
 *   └─ consume transactions.orders   ⇢ flush       from being read until its effects can be seen
 *      ├─ fraud-detector                           and what follows, where an alert fired
 *      ├─ write postgresql
 *      ├─ write features
 *      └─ publish alerts.fraud                     whose context goes on in the alert's record
 *
 * An alert's trace is recorded also where its request was not sampled: then the span that it hangs from is written here, afterwards and under the very id that the record names. A record that
 * is read again after a crash writes its spans again, beside those that the life before may have sent: the alert is one, its announcement bears one id, and only the trace shows that it was worked on twice.
 * Invariant: what one flush adds to traces is bounded, whatever it writes.
 */
import type { FeaturesIn } from '../db/features/feature-store.ts'
import { type LogSystem, messaging } from '../observability/messaging.ts'
import {
  type Attributes,
  beginSpan,
  contextOf,
  endingSpan,
  failRoot,
  failSpan,
  KEEP,
  remoteParent,
  type Span,
  type SpanContext,
  SpanKind,
  spanContextOf,
  standIn,
  traceparentOf,
} from '../observability/spans.ts'
import { ALERTS } from './contract/topics.ts'
import { REPLAYED_FROM } from './dead-letters/revived-record.ts'
import { FOREIGN } from './foreign/bridge.ts'
import {
  type FlushStart,
  type FlushStep,
  type FlushTrace,
  type FollowedRecord,
  isSampled,
  type RuntimeTracer,
  SAMPLED_MAX,
} from './runtime/tracer.ts'
import type { Clock } from './time/clock.ts'

export interface TracerOptions {
  clock: Pick<Clock, 'now'>
  logSystem: LogSystem
  featuresIn: FeaturesIn
}

const FLUSH = 'flush'
/** Records of one flush with alerts: of so many the spans still find room in the queue of the exporter (2,048). */
const ALERTING_MAX = 256
const LINKS_MAX = 32

interface StepSpan {
  name: string
  kind: SpanKind
  attributes(size: number): Attributes
}

/** A step of the flush, as it went. */
interface Done {
  span: StepSpan
  attributes: Attributes
  startMs: number
  endMs: number
}

export function createRuntimeTracer(options: TracerOptions): RuntimeTracer {
  const steps = stepSpans(options)
  return { begin: (flush) => new TracedFlush(flush, steps, options) }
}

const stepSpans = ({ logSystem, featuresIn }: TracerOptions): Record<FlushStep, StepSpan> => ({
  results: {
    name: 'write postgresql',
    kind: SpanKind.CLIENT,
    attributes: (rows) => ({ 'db.system.name': 'postgresql', 'streamforge.rows': rows }),
  },
  features: {
    name: 'write features',
    kind: SpanKind.CLIENT,
    attributes: (count) => ({ 'db.system.name': featuresIn, 'streamforge.features': count }),
  },
  publish: {
    name: 'publish',
    kind: SpanKind.PRODUCER,
    attributes: (count) => ({ 'messaging.system': logSystem, 'messaging.batch.message_count': count }),
  },
  checkpoint: {
    name: 'checkpoint',
    kind: SpanKind.INTERNAL,
    attributes: (tasks) => ({ 'streamforge.tasks': tasks }),
  },
})

class TracedFlush implements FlushTrace {
  readonly #options: TracerOptions
  readonly #steps: Record<FlushStep, StepSpan>
  readonly #startedMs: number
  readonly #span: Span
  /** The steps that a record's effects wait for. */
  readonly #written: Done[] = []
  /** Of the records that are followed: begun, and to be ended when their effects can be seen. */
  #consuming: Span[] = []

  constructor({ events, startedMs, followed }: FlushStart, steps: Record<FlushStep, StepSpan>, options: TracerOptions) {
    const chosen = choose(followed)
    this.#options = options
    this.#steps = steps
    this.#startedMs = startedMs
    this.#span = beginSpan(FLUSH, {
      parent: null,
      attributes: {
        'streamforge.events': events,
        'streamforge.alerts': followed.reduce((sum, { alerts }) => sum + alerts.length, 0),
        ...(chosen.length > 0 && { [KEEP]: true }),
      },
      links: chosen.slice(0, LINKS_MAX).map(({ context }) => ({ context })),
    })
  }

  async step<R>(step: FlushStep, size: number, work: () => Promise<R>): Promise<R> {
    const { clock } = this.#options
    const span = this.#steps[step]
    const attributes = span.attributes(size)
    const startMs = clock.now()
    const { name, kind } = span
    // Flushes come by the dozen in a second: too often for a span that is made the active one.
    const begun = beginSpan(name, { parent: contextOf(this.#span), kind, attributes })
    const result = await endingSpan(begun, work)
    if (step === 'publish') this.#endConsuming()
    else if (step !== 'checkpoint') this.#written.push({ span, attributes, startMs, endMs: clock.now() })
    return result
  }

  written(followed: readonly FollowedRecord[], due: ReadonlySet<string>): ReadonlyMap<string, string> {
    const { logSystem } = this.#options
    const traceparents = new Map<string, string>()
    /** Orders that were sent together name one span. */
    const stoodInFor = new Set<string>()
    for (const record of choose(followed)) {
      if (record.alerts.length > 0 && !stoodInFor.has(record.traceparent)) standInForAppend(record, logSystem)
      stoodInFor.add(record.traceparent)
      const consume = beginConsume(record, this.#span, logSystem)
      for (const [id, publish] of this.#tellAlerts(record, consume, due)) {
        traceparents.set(id, traceparentOf(publish.spanContext()))
        this.#consuming.push(publish)
      }
      this.#consuming.push(consume)
    }
    if (due.size === 0) this.#endConsuming()
    return traceparents
  }

  /** Below the span of the record that completed them. @returns the spans of their announcements, which are just beginning, by id */
  #tellAlerts({ alerts, readMs }: Chosen, consume: Span, due: ReadonlySet<string>): [id: string, publish: Span][] {
    if (alerts.length === 0) return []
    const { clock, logSystem } = this.#options
    const parent = contextOf(consume)
    for (const { job, row } of alerts) {
      const attributes = { 'streamforge.alert.id': row.alert_id, 'streamforge.rule.id': row.rule_id }
      beginSpan(job, { parent, attributes, startMs: readMs }).end(this.#startedMs)
    }
    for (const { span, attributes, startMs, endMs } of this.#written) {
      beginSpan(span.name, { parent, kind: span.kind, attributes, startMs }).end(endMs)
    }
    return alerts
      .filter(({ id }) => due.has(id))
      .map(({ id, row }) => {
        const attributes = { ...messaging(logSystem, 'send', ALERTS), 'streamforge.alert.id': row.alert_id }
        const kind = SpanKind.PRODUCER
        return [id, beginSpan(`publish ${ALERTS}`, { parent, kind, attributes, startMs: clock.now() })]
      })
  }

  #endConsuming(error?: unknown): void {
    const nowMs = this.#options.clock.now()
    for (const span of this.#consuming) {
      if (error !== undefined) failSpan(span, error)
      span.end(nowMs)
    }
    this.#consuming = []
  }

  end(error?: unknown): void {
    this.#endConsuming(error)
    // One that was waiting for a store when the process was stopped has not failed.
    const { clock } = this.#options
    if (error !== undefined) failRoot(this.#span, { name: FLUSH, startMs: this.#startedMs, endMs: clock.now() }, error)
    this.#span.end()
  }
}

type Chosen = FollowedRecord & { context: SpanContext }

function choose(followed: readonly FollowedRecord[]): Chosen[] {
  const alerting = followed.filter(({ alerts }) => alerts.length > 0).slice(0, ALERTING_MAX)
  const sampled = followed.filter(({ alerts }) => alerts.length === 0).slice(0, SAMPLED_MAX)
  return [...alerting, ...sampled].flatMap((record) => {
    const context = spanContextOf(record.traceparent)
    return context ? [{ ...record, context }] : []
  })
}

/** The span of a record from its being read on, linked to the flush that writes what it did. */
const beginConsume = ({ topic, partition, offset, readMs, context }: Chosen, flush: Span, logSystem: LogSystem): Span =>
  beginSpan(`consume ${topic}`, {
    parent: remoteParent(context),
    kind: SpanKind.CONSUMER,
    attributes: {
      ...messaging(logSystem, 'process', topic),
      'messaging.destination.partition.id': String(partition),
      'messaging.kafka.offset': offset,
      [KEEP]: true,
    },
    links: [{ context: flush.spanContext() }],
    startMs: readMs,
  })

/** In the place of the edge's span that was not sampled. Of a record that somebody else has appended, it is theirs to have one. */
function standInForAppend(
  { topic, headers, appendedAtMs, traceparent, context, receivedMs }: Chosen,
  logSystem: LogSystem,
): void {
  if (isSampled(traceparent) || FOREIGN in headers || REPLAYED_FROM in headers) return
  standIn({
    name: `append ${topic}`,
    kind: SpanKind.PRODUCER,
    as: context,
    attributes: messaging(logSystem, 'send', topic),
    startMs: Math.min(receivedMs ?? appendedAtMs, appendedAtMs),
    endMs: appendedAtMs,
  })
}
