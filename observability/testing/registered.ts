/** What each component registers, by its own code over stores that nobody asks: names, types, labels and help of its metrics. */
import { tmpdir } from 'node:os'
import type { MetricObject } from 'prom-client'
import { countRedisErrors } from '../../db/features/redis-client.ts'
import { createTelemetry } from '../../edge/telemetry.ts'
import { createProjectorTelemetry } from '../../streams/cdc/telemetry.ts'
import { createBridgeTelemetry } from '../../streams/foreign/telemetry.ts'
import { createLakeTelemetry } from '../../streams/lake-writer/telemetry.ts'
import { createCdcTelemetry } from '../../streams/sources/cdc/telemetry.ts'
import { createStreamsTelemetry } from '../../streams/telemetry.ts'
import { VirtualClock } from '../../streams/testing/virtual-clock.ts'
import type { ActivityDeps } from '../../workflows/activities/deps.ts'
import { qualityActivities } from '../../workflows/activities/quality.ts'
import { reconciliationActivities } from '../../workflows/activities/reconciliation.ts'
import { watchWorker } from '../../workflows/worker-health.ts'
import { createLogger } from '../log.ts'
import type { Registry } from '../metrics.ts'
import type { Component } from '../metrics-contract.ts'
import { createProcessRegistry } from '../process-metrics.ts'
import { watchStores } from '../store-metrics.ts'
import { setTracing, type Tracing } from '../tracing.ts'

const clock = new VirtualClock(0)
const logger = createLogger({ level: 'silent', component: 'test' })

const REGISTER: Record<Component, (registry: Registry) => void> = {
  edge(registry) {
    const telemetry = createTelemetry(registry)
    telemetry.watchPressure({ requests: 0, bytes: 0, enter: () => Promise.reject() as never })
    telemetry.watchLiveClients(() => 0)
    watchStores(registry)
    countRedisErrors(registry)
  },
  streams(registry) {
    createStreamsTelemetry(registry, logger, clock)
    createBridgeTelemetry(registry, logger)
    createProjectorTelemetry(registry, logger)
    watchStores(registry)
    countRedisErrors(registry)
  },
  cdc: (registry) => void createCdcTelemetry(registry, logger, clock),
  'lake-writer': (registry) => void createLakeTelemetry(registry, logger, clock),
  worker(metrics) {
    watchWorker({ owner: 'test', address: '', slots: 1, metrics, logger, clock })
    // They ask for their stores only when they run.
    const deps = { metrics, clock, logger, database: {} } as unknown as ActivityDeps
    qualityActivities(deps)
    reconciliationActivities(deps)
  },
}

export interface Registered {
  name: string
  help: string
  type: string
  labels: string[]
}

export function registeredBy(component: Component): Registered[] {
  // With tracing, so that its metrics are there.
  setTracing({ role: component, lost: { queue_full: 0, export_failed: 0 } } as Tracing)
  const registry = createProcessRegistry({ component, version: '0', dataDir: tmpdir() })
  setTracing(null)
  REGISTER[component](registry)
  return registry.getMetricsAsArray().map((metric) => {
    const { name, help, type, labelNames = [] } = metric as MetricObject & { labelNames?: string[] }
    return { name, help, type: String(type), labels: [...labelNames] }
  })
}
