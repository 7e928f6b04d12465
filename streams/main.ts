/**
 * The streams' composition root: opens the stores and the database, and runs the runtime over them.
 * Runs in a thread of the embedded platform (`thread.ts`), or as a process of its own in the cluster; it serves nothing, and tells about itself through the tasks table and its metrics.
 */
import { join } from 'node:path'
import { openObjects } from '../db/objects/open.ts'
import { connect } from '../db/postgres/connect.ts'
import { createManifestStore } from '../db/postgres/manifest-store.ts'
import { createResultStore, pruneOutbox } from '../db/postgres/result-store.ts'
import type { Logger } from '../observability/log.ts'
import type { Registry } from '../observability/metrics.ts'
import { watchStores } from '../observability/store-metrics.ts'
import { tracing } from '../observability/tracing.ts'
import { createProjector } from './cdc/projector.ts'
import { createProjectorTelemetry } from './cdc/telemetry.ts'
import { createBridge } from './foreign/bridge.ts'
import { createBridgeTelemetry } from './foreign/telemetry.ts'
import { joinObservers, type RuntimeObserver } from './runtime/observer.ts'
import { type RuntimeSettings, StreamRuntime } from './runtime/runtime.ts'
import { EMBEDDED_FOLDERS, openStores, type StoreSettings } from './stores.ts'
import { createStreamsTelemetry } from './telemetry.ts'
import { type Clock, systemClock } from './time/clock.ts'
import { TOPOLOGY } from './topology.ts'
import { createRuntimeTracer } from './tracing.ts'

export interface StreamsOptions {
  stores: StoreSettings
  databaseUrl: string
  currency: string
  owner: string
  logger: Logger
  metrics: Registry
  /** Told what the runtime tells, besides metrics and log. */
  observer?: RuntimeObserver
  clock?: Clock
  settings?: Partial<RuntimeSettings>
}

export interface Streams {
  /** Resolves when stopped; rejects when the runtime can't go on. */
  readonly done: Promise<void>
  stop(): Promise<void>
}

const MINUTE_MS = 60_000
/** Far longer than a flush pauses between two statements, far shorter than anybody wants to wait for a frozen process. */
const IDLE_IN_TRANSACTION_MS = 5_000
/** Announcements are kept longer than any log they could be read from again. */
const OUTBOX_KEPT_MS = 31 * 24 * 60 * MINUTE_MS

export async function startStreams(options: StreamsOptions): Promise<Streams> {
  const { logger, metrics, clock = systemClock } = options
  // First, since it may refuse its settings, and needs no closing.
  const folder = join(options.stores.dataDir, EMBEDDED_FOLDERS.objects)
  const objects = await openObjects(options.stores.objects ?? { kind: 'folder', folder })
  const watched = watchStores(metrics)
  const stores = await openStores(options.stores, { logger, metrics, clock })
  const { log, registry, logSystem, featuresIn } = stores
  const database = connect(options.databaseUrl, {
    max: 3,
    name: 'streamforge-streams',
    idleInTransactionTimeoutMs: IDLE_IN_TRANSACTION_MS,
  })
  const runtime = new StreamRuntime(
    {
      log,
      registry,
      features: watched(featuresIn, stores.features),
      objects: watched('objects', objects),
      clock,
      results: watched('postgresql', createResultStore(database.sql)),
      manifests: watched('postgresql', createManifestStore(database.sql)),
      topology: TOPOLOGY,
      observer: joinObservers(createStreamsTelemetry(metrics, logger, clock), options.observer ?? {}),
      ...(tracing() && {
        tracer: createRuntimeTracer({ clock, logSystem, featuresIn }),
      }),
    },
    { owner: options.owner, defaultCurrency: options.currency, ...options.settings },
  )
  const foreign = options.stores.foreign ?? []
  const bridge =
    foreign.length === 0
      ? null
      : createBridge({
          log,
          registry,
          clock,
          currency: options.currency,
          topics: foreign,
          observer: createBridgeTelemetry(metrics, logger),
        })
  // Its transactions may wait for another process': they must not keep a flush from a connection. Opened when there is a change to apply.
  const changesDatabase = connect(options.databaseUrl, {
    max: 1,
    name: 'streamforge-streams-cdc',
    idleInTransactionTimeoutMs: IDLE_IN_TRANSACTION_MS,
  })
  const projector = createProjector({
    log,
    sql: changesDatabase.sql,
    clock,
    observer: createProjectorTelemetry(metrics, logger),
  })
  const housekeeping = new AbortController()

  async function keepHouse(): Promise<void> {
    while (!housekeeping.signal.aborted) {
      try {
        const trimmed = await stores.trim()
        if (trimmed > 0) logger.info({ records: trimmed }, 'Retention removed old records from the log')
        await pruneOutbox(database.sql, clock.now() - OUTBOX_KEPT_MS)
      } catch (error) {
        logger.warn({ err: error }, 'Housekeeping failed; it is tried again in a minute')
      }
      await clock.sleep(MINUTE_MS, housekeeping.signal)
    }
  }

  async function run(): Promise<void> {
    const house = keepHouse()
    const bridging = bridge?.run()
    const projecting = projector.run()
    try {
      await runtime.run()
    } finally {
      await bridge?.stop()
      await bridging
      await projector.stop()
      await projecting
      housekeeping.abort()
      await house
      await stores.close()
      await changesDatabase.close()
      await database.close()
    }
  }

  const done = run()
  return {
    done,
    async stop() {
      await runtime.stop()
      await done.catch(() => undefined)
    },
  }
}
