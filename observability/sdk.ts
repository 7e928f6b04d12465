/**
 * OpenTelemetry's SDK as we use it: spans of ours alone, by our sampler and with our ids, in batches to a collector. Loaded where tracing is on, and nowhere else.
 *
 * Invariants: what waits for the collector is bounded, and what is lost is counted; a collector that is slow or away costs memory up to that bound, and nobody's time; the end waits for it
 * no longer than {@link STOP_MAX_MS}.
 */
import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { isMainThread, threadId } from 'node:worker_threads'
import { type Attributes, createNoopMeter, type Meter, type MeterProvider } from '@opentelemetry/api'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { BatchSpanProcessor, type BufferConfig, type SpanExporter } from '@opentelemetry/sdk-trace-base'
import { ATTR_ERROR_TYPE, ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions'
import { createActiveContext } from './active-context.ts'
import { createSampler } from './sampler.ts'
import { spanIds } from './span-ids.ts'
import { beginSpan, KEEP } from './spans.ts'
import type { Loss, Tracing } from './tracing.ts'

const STOP_MAX_MS = 2_000
/** A text of a client's that has become an attribute is cut here. */
const ATTRIBUTE_LENGTH_MAX = 1_024

export interface SdkOptions {
  /** E.g. `edge`. */
  role: string
  version: string
  /** Of the traces that begin here, from 0 to 1. */
  ratio: number
  exporter: SpanExporter
  onLoss(loss: Loss): void
}

/** Makes the SDK what the API of this thread uses. What the environment says of the resource (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`) and of batches (`OTEL_BSP_…`) goes before what is said here. */
export function startSdk({ role, version, ratio, exporter, onLoss }: SdkOptions): Tracing {
  const lost: Record<Loss, number> = { queue_full: 0, export_failed: 0 }
  const resource = defaultResource()
    .merge(
      resourceFromAttributes({
        [ATTR_SERVICE_NAME]: `streamforge-${role}`,
        [ATTR_SERVICE_VERSION]: version,
        'service.instance.id': [hostname(), process.pid, ...(isMainThread ? [] : [threadId])].join('-'),
        'host.name': hostname(),
      }),
    )
    .merge(detectResources({ detectors: [envDetector] }))
  // The types of this form of the processor don't name what it passes on.
  const observed: BufferConfig & { selfObsMeterProvider: MeterProvider } = {
    selfObsMeterProvider: lossMeter((loss, spans) => {
      lost[loss] += spans
      onLoss(loss)
    }),
  }
  const spanProcessor = new BatchSpanProcessor(exporter, observed)
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    sampler: createSampler(ratio),
    idGenerator: spanIds,
    contextManager: createActiveContext(),
    spanLimits: { attributeValueLengthLimit: ATTRIBUTE_LENGTH_MAX },
    spanProcessors: [spanProcessor],
    // Metrics are Prometheus', logs are pino's.
    metricReaders: [],
    logRecordProcessors: [],
  })
  sdk.start()
  return {
    role,
    ratio,
    spanProcessor,
    resource,
    lost,
    flush: () => spanProcessor.forceFlush(),
    async stop() {
      await Promise.race([sdk.shutdown().catch(() => {}), delay(STOP_MAX_MS, undefined, { ref: false })])
    },
  }
}

/** Makes a span and sends it. @returns null where it arrived, else why it did not */
export async function checkSdk({ flush }: Pick<Tracing, 'flush'>): Promise<string | null> {
  const span = beginSpan('streamforge.start', { parent: null, attributes: { [KEEP]: true } })
  const isRecorded = span.isRecording()
  span.end()
  if (!isRecorded) return 'a span was begun and not recorded, so another SDK of OpenTelemetry was loaded before ours'
  try {
    await flush()
    return null
  } catch (error) {
    const { message, code } = error as Error & { code?: string | number }
    return message.includes(String(code)) ? message : [code, message].filter(Boolean).join(' ')
  }
}

/** The processor tells its losses to a meter, by OpenTelemetry's conventions for SDKs, and to nobody else. */
function lossMeter(onLost: (loss: Loss, spans: number) => void): MeterProvider {
  const noop = createNoopMeter()
  const meter: Meter = Object.create(noop, {
    createCounter: {
      value: (name: string) =>
        name === 'otel.sdk.processor.span.processed'
          ? {
              add(spans: number, attributes: Attributes = {}) {
                const type = attributes[ATTR_ERROR_TYPE]
                if (type !== undefined) onLost(type === 'queue_full' ? 'queue_full' : 'export_failed', spans)
              },
            }
          : noop.createCounter(name),
    },
  })
  return { getMeter: () => meter }
}
