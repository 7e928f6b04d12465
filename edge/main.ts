/**
 * The edge's composition root: configuration and open clients in, a listening server out, on Node, Bun or Deno.
 *
 * It opens nothing but the port; log, registry, stores and pool belong to the caller, who closes them after the edge.
 */
import type { Config } from '../db/config.ts'
import type { FeaturesIn } from '../db/features/feature-store.ts'
import type { Sql } from '../db/postgres/connect.ts'
import { isUnstorableText } from '../db/postgres/errors.ts'
import { announced } from '../db/postgres/queries/announced.ts'
import { pipelines } from '../db/postgres/queries/health.ts'
import { QueryError } from '../db/postgres/queries/numbers.ts'
import type { Secrets } from '../db/secrets.ts'
import type { Logger } from '../observability/log.ts'
import type { LogSystem } from '../observability/messaging.ts'
import { createRegistry, type Registry } from '../observability/metrics.ts'
import { watchStores } from '../observability/store-metrics.ts'
import { createEncoder } from '../streams/contract/codec.ts'
import type { SubjectRegistry } from '../streams/contract/schema-registry.ts'
import { CDC_TOPICS, CLICKSTREAM, deadLetterTopic, INPUT_TOPICS, ORDERS, TRIPS } from '../streams/contract/topics.ts'
import { openQuarantine, type QuarantineDeps } from '../streams/dead-letters/index.ts'
import type { EventLog } from '../streams/log/event-log.ts'
import { systemClock } from '../streams/time/clock.ts'
import { createApp } from './app.ts'
import { ensureAdmin, type FirstLogin } from './auth/admin.ts'
import { createTokens } from './auth/tokens.ts'
import { buildAssets } from './dashboard/bundle.ts'
import { openEvidence } from './evidence.ts'
import type { OpenedLake } from './iceberg/open-lake.ts'
import { INGEST_LIMITS } from './ingest/intake.ts'
import { createWriteKeys } from './ingest/keys/write-keys.ts'
import type { Clock, FeatureReader, MetricSource, SchemaRegistry } from './ports.ts'
import {
  alertFeed,
  alertReviews,
  auditStore,
  erasureStore,
  metricReader,
  sessionStore,
  shopReader,
  userStore,
  writeKeyStore,
} from './postgres.ts'
import { brotliDecompressor } from './runtime/brotli.ts'
import { serveHere } from './runtime/here.ts'
import { keyMaker } from './runtime/key-maker.ts'
import type { Connection } from './runtime/serve.ts'
import { createCache } from './serve/cache.ts'
import { createLiveHub } from './serve/live.ts'
import { cachedReader, measuredAgainst } from './serve/reader.ts'
import { readsFeatures, readsPostgres } from './store-spans.ts'
import { createTelemetry } from './telemetry.ts'

export interface EdgeOptions {
  config: Pick<Config, 'host' | 'port' | 'currency' | 'corsOrigins' | 'adminPassword'> &
    Partial<Pick<Config, 'traceUrl'>>
  secrets: Pick<Secrets, 'writeKey' | 'jwtSecret'>
  version: string
  logger: Logger
  log: Pick<EventLog, 'append' | 'bounds' | 'read' | 'partitionCount' | 'identity'>
  registry: SchemaRegistry
  /** The registry to serve at /schema-registry: the embedded one. Missing where the schemas are in another. */
  schemas?: SubjectRegistry
  features: FeatureReader
  /** The lake to serve at /iceberg. Missing: none is served. */
  lake?: OpenedLake
  /** A pool for reading, best with a statement timeout; migrated. */
  sql: Sql
  /** Topics of other producers that become our events: their dead letters are told too. */
  foreign?: QuarantineDeps['foreign']
  /** Metrics of other threads of this process. */
  metricSources?: readonly MetricSource[]
  /** What `features` is, in metrics. */
  featuresIn?: FeaturesIn
  /** Which log it is, for traces; the embedded one when missing. */
  logSystem?: LogSystem
  /** The process's own metrics; made with the process's figures when missing. */
  metrics?: Registry
  clock?: Clock
}

export interface Edge {
  /** E.g. `http://127.0.0.1:8080`. */
  url: string
  port: number
  /** The first account's login where it was made up at this start: to be shown once. */
  firstLogin: FirstLogin | null
  /** Ends live streams, lets requests in flight finish, then resolves. */
  close(): Promise<void>
}

const CACHE = { ttlMs: 1000, entriesMax: 500 }

/** @throws CannotListen with a sentence for the user */
export async function startEdge(options: EdgeOptions): Promise<Edge> {
  const { config, secrets, logger, log, registry, clock = systemClock, metricSources = [], foreign = [] } = options
  const { featuresIn = 'lmdb' } = options
  const metrics = options.metrics ?? createRegistry({ processMetrics: true })
  const watched = watchStores(metrics)
  const inPostgres = <P extends object>(port: P): P => watched('postgresql', port, isFaultOfDatabase)
  const users = inPostgres(userStore(options.sql))
  const keyStore = inPostgres(writeKeyStore(options.sql))
  const writeKeys = createWriteKeys({
    builtIn: secrets.writeKey.reveal(),
    load: keyStore.live,
    hash: keyMaker.hash,
    clock,
    logger,
  })
  const measured = measuredAgainst(log, inPostgres(readsPostgres(metricReader(options.sql))))
  const reader = cachedReader(measured, createCache({ ...CACHE, clock }))
  const live = createLiveHub({
    reader,
    feed: inPostgres(alertFeed(options.sql)),
    pipelines: measured.pipelines,
    clock,
    logger,
    currency: config.currency,
  })
  const [click, order, trip, assets] = await Promise.all([
    createEncoder(CLICKSTREAM, registry),
    createEncoder(ORDERS, registry),
    createEncoder(TRIPS, registry),
    buildAssets(),
    writeKeys.refresh(),
  ])

  const evidence = openEvidence({
    log,
    registry,
    currency: config.currency,
    lake: options.lake?.tables ?? null,
    ...inPostgres(
      readsPostgres({
        progress: () => pipelines(options.sql),
        announced: (ids: readonly string[]) => announced(options.sql, ids),
      }),
    ),
  })

  const app = createApp({
    version: options.version,
    clock,
    logger,
    telemetry: createTelemetry(metrics),
    ingest: {
      log,
      logSystem: options.logSystem ?? 'streamforge',
      encoders: { [CLICKSTREAM]: click, [ORDERS]: order, [TRIPS]: trip },
      decompressors: { br: brotliDecompressor },
      newId: () => crypto.randomUUID(),
      currency: config.currency,
      limits: INGEST_LIMITS,
    },
    writeKeys: { known: writeKeys, store: keyStore, maker: keyMaker },
    reader,
    events: evidence.tracer,
    deadLetters: {
      quarantine: openQuarantine({ log, registry, currency: config.currency, clock, foreign }),
      topics: [...INPUT_TOPICS, ...CDC_TOPICS, ...foreign.map(({ name }) => name)].map(deadLetterTopic),
    },
    alerts: {
      reviews: inPostgres(alertReviews(options.sql)),
      explainer: evidence.explainer,
      traceUrl: config.traceUrl || null,
    },
    erasures: inPostgres(erasureStore(options.sql)),
    shop: inPostgres(readsPostgres(shopReader(options.sql))),
    features: watched(featuresIn, readsFeatures(options.features, featuresIn)),
    metricSources: [{ text: () => metrics.metrics() }, ...metricSources],
    live,
    schemas: options.schemas ?? null,
    lake: options.lake ?? null,
    access: {
      users,
      sessions: inPostgres(sessionStore(options.sql)),
      audit: inPostgres(auditStore(options.sql)),
      tokens: createTokens(secrets.jwtSecret.reveal(), clock),
      clientAddress: (c) => (c.env as Connection).address(),
      corsOrigins: config.corsOrigins,
    },
    assets,
  })

  const serve = await serveHere()
  const served = await serve({ fetch: app.fetch, host: config.host, port: config.port })
  // Only now: a password that is made up and then lost to a busy port could never be shown again.
  const firstLogin = await ensureAdmin(users, config.adminPassword?.reveal() ?? null, clock).catch(
    async (error: unknown) => {
      await served.close()
      throw error
    },
  )
  live.start()
  writeKeys.start()
  logger.debug({ url: served.url }, 'The edge listens')
  return {
    url: served.url,
    port: served.port,
    firstLogin,
    async close() {
      // First the streams that would never end by themselves.
      await live.close()
      await served.close()
      await writeKeys.close()
      logger.debug({}, 'The edge has stopped')
    },
  }
}

/** A question that can't be answered as it was asked is the client's fault. */
const isFaultOfDatabase = (error: unknown): boolean => !(error instanceof QueryError || isUnstorableText(error))
