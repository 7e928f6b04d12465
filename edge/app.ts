/**
 * The whole HTTP surface on one page: what is served, who may use it, and what happens around every request.
 *
 * Composed from ports, and opening no connection of its own: it runs wherever Web-standard fetch does. `main.ts` composes the real one, `runtime/` has its servers.
 */
import { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { FeaturesUnavailable } from '../db/features/feature-store.ts'
import { isTransient, isUnstorableText } from '../db/postgres/errors.ts'
import { QueryError } from '../db/postgres/queries/numbers.ts'
import type { SubjectRegistry } from '../streams/contract/schema-registry.ts'
import { addAccountRoutes } from './auth/account-routes.ts'
import { addAuditRoute } from './auth/audit-route.ts'
import { requireRole } from './auth/guard.ts'
import { type Needs, needsOf } from './auth/policy.ts'
import { registryAccess } from './auth/registry-access.ts'
import { addSessionRoutes } from './auth/session-routes.ts'
import { createSessions } from './auth/sessions.ts'
import { createSignIn, type SignInDeps } from './auth/sign-in.ts'
import type { Tokens } from './auth/tokens.ts'
import { BASE, withoutBase } from './base-path.ts'
import { icebergProblem } from './iceberg/errors.ts'
import { addIcebergRoutes, isIcebergPath, type ServedLake } from './iceberg/routes.ts'
import { createIntake, type IngestDeps } from './ingest/intake.ts'
import type { KeyMaker } from './ingest/keys/key-text.ts'
import { addWriteKeyRoutes } from './ingest/keys/routes.ts'
import type { WriteKeys } from './ingest/keys/write-keys.ts'
import { addIngestRoutes, INGEST_ROUTES } from './ingest/routes.ts'
import { addSegmentRoutes, SEGMENT_PATHS } from './ingest/segment/routes.ts'
import { givenWriteKey } from './ingest/write-key.ts'
import { allowedMethods } from './methods.ts'
import type {
  AlertExplainer,
  AlertReviews,
  Assets,
  AuditStore,
  EdgeLogger,
  ErasureStore,
  EventTracer,
  FeatureReader,
  MetricReader,
  MetricSource,
  Quarantine,
  SessionStore,
  ShopReader,
  UserStore,
  WriteKeyStore,
} from './ports.ts'
import { Problem, problemHeaders, problemText, retryAfter } from './problem.ts'
import { crossOrigin, securityHeaders } from './security.ts'
import { addAlertRoutes } from './serve/alerts.ts'
import { addAssetRoutes } from './serve/assets.ts'
import { conditional } from './serve/conditional.ts'
import { addDailyRoutes } from './serve/daily.ts'
import { addDeadLetterRoutes } from './serve/dead-letters.ts'
import { addErasureRoutes } from './serve/erasures.ts'
import { addEventStatusRoute } from './serve/event-status.ts'
import { addExplainRoute } from './serve/explain.ts'
import { addFunnelRoute } from './serve/funnel.ts'
import { addHealthRoutes } from './serve/health.ts'
import type { LiveHub } from './serve/live.ts'
import { addLiveRoute } from './serve/live-route.ts'
import { addOpenApiRoute } from './serve/openapi.ts'
import { addOverviewRoute } from './serve/overview.ts'
import { addProductsRoute } from './serve/products.ts'
import { addPrometheusRoute } from './serve/prometheus.ts'
import { addQualityRoutes } from './serve/quality.ts'
import { addReconciliationRoutes } from './serve/reconciliation.ts'
import { addRegionRoutes } from './serve/regions.ts'
import { addSchemaRegistryRoutes, isRegistryPath, registryProblem } from './serve/schema-registry.ts'
import { addShopRoutes } from './serve/shop.ts'
import { addTimeseriesRoutes } from './serve/timeseries.ts'
import { addUserRoutes } from './serve/users.ts'
import type { Telemetry } from './telemetry.ts'
import { traceFieldsOf, traceOf, traceRequests } from './tracing.ts'

export interface EdgeDeps {
  version: string
  clock: IngestDeps['clock']
  logger: EdgeLogger
  telemetry: Telemetry
  ingest: Pick<IngestDeps, 'log' | 'logSystem' | 'encoders' | 'decompressors' | 'newId' | 'currency' | 'limits'>
  /** Who may send events: as known here, and as kept. */
  writeKeys: { known: Pick<WriteKeys, 'find' | 'admits' | 'refresh'>; store: WriteKeyStore; maker: KeyMaker }
  reader: MetricReader
  features: FeatureReader
  /** A shop's database, where its changes are captured. */
  shop: ShopReader
  /** What became of single events. */
  events: EventTracer
  /** What no reader could apply. `topics`: where it lies. */
  deadLetters: { quarantine: Quarantine; topics: readonly string[] }
  /** What people make of alerts, and why they fired. `traceUrl`: where traces are shown, with `{trace_id}` in it. */
  alerts: { reviews: AlertReviews; explainer: AlertExplainer; traceUrl: string | null }
  /** Persons who are to be forgotten. */
  erasures: ErasureStore
  metricSources: readonly MetricSource[]
  live: Pick<LiveHub, 'subscribe' | 'clients'>
  /** The registry that is served; null where the platform's schemas are in another one. */
  schemas: SubjectRegistry | null
  /** The lake that is served at /iceberg; null where there is none. */
  lake: ServedLake | null
  access: Pick<SignInDeps, 'clientAddress'> & {
    users: UserStore
    sessions: SessionStore
    audit: AuditStore
    tokens: Tokens
    /** Origins whose pages may read; `*` is any. */
    corsOrigins: readonly string[]
  }
  assets: Assets
}

const INGEST_PATHS = new Set<string>(
  [...INGEST_ROUTES.map(({ path }) => path), ...SEGMENT_PATHS].flatMap((path) => [path, BASE + path]),
)

export function createApp(deps: EdgeDeps): OpenAPIHono {
  const { clock, logger, telemetry, access, reader, assets, writeKeys } = deps
  const isIngest = (c: Context) => INGEST_PATHS.has(c.req.path)
  const mayBeSentFrom = (c: Context, origin: string) =>
    writeKeys.known.admits(origin, givenWriteKey(c.req.raw.headers, c.req.url)) ? ['*'] : []
  // The schema registry and the lake have guards of their own.
  const needs = (c: Context): Needs =>
    assets.has(c.req.path) || isRegistryPath(c.req.path) || isIcebergPath(c.req.path) || isNoMethodOf(c)
      ? 'nobody'
      : needsOf(c.req.method, withoutBase(c.req.path))
  // A 405 is for everybody: which methods a path has is in the public document.
  const isNoMethodOf = (c: Context): boolean => {
    const methods = methodsAt(c.req.path)
    return methods.length > 0 && !methods.includes(c.req.method)
  }
  const signIn = createSignIn({ ...access, clock })

  const app = new OpenAPIHono()
  app.use(
    telemetry.request,
    traceRequests({ clock, givesSpan: isIngest }),
    securityHeaders,
    crossOrigin((c, origin) => (isIngest(c) ? mayBeSentFrom(c, origin) : access.corsOrigins)),
    requireRole({ tokens: access.tokens, needsOf: needs }),
    conditional,
  )

  const api = new OpenAPIHono({ defaultHook: refuseParameter })
  const intake = createIntake({ ...deps.ingest, keys: writeKeys.known, clock, telemetry, logger })
  addIngestRoutes(api, intake)
  addSegmentRoutes(api, { intake, telemetry, newId: deps.ingest.newId })
  addWriteKeyRoutes(api, { ...writeKeys, keys: writeKeys.known, clock, clientAddress: access.clientAddress })
  addHealthRoutes(api, { version: deps.version, reader, clock })
  addPrometheusRoute(api, { sources: deps.metricSources, logger })
  addOverviewRoute(api, { reader, clock })
  addTimeseriesRoutes(api, { reader, clock })
  addFunnelRoute(api, { reader, clock })
  addProductsRoute(api, { reader, clock, currency: deps.ingest.currency })
  addRegionRoutes(api, { reader, clock })
  addShopRoutes(api, { shop: deps.shop, clock })
  addDailyRoutes(api, { reader, clock })
  addUserRoutes(api, { features: deps.features, reader, clock })
  addAlertRoutes(api, { ...deps.alerts, reader, clock, clientAddress: access.clientAddress })
  addEventStatusRoute(api, { tracer: deps.events, clock })
  addDeadLetterRoutes(api, {
    ...deps.deadLetters,
    audit: access.audit,
    traceUrl: deps.alerts.traceUrl,
    clock,
    clientAddress: access.clientAddress,
  })
  addExplainRoute(api, { explainer: deps.alerts.explainer, reader, clock })
  addQualityRoutes(api, { reader, clock })
  addReconciliationRoutes(api, { reader, clock })
  addErasureRoutes(api, { ...deps, newId: deps.ingest.newId, clientAddress: access.clientAddress })
  addLiveRoute(api, deps.live)
  addSchemaRegistryRoutes(api, { schemas: deps.schemas, access: registryAccess({ ...access, signIn }) })
  addIcebergRoutes(api, { lake: deps.lake, tokens: access.tokens, signIn, users: access.users })
  addSessionRoutes(api, { signIn, sessions: createSessions({ ...access, clock }) })
  addAccountRoutes(api, { ...access, clock })
  addAuditRoute(api, { audit: access.audit, clock })
  addOpenApiRoute(api, deps.version)

  app.route(BASE, api)
  app.route('/', api)
  addAssetRoutes(app, assets)
  telemetry.watchLiveClients(() => deps.live.clients)

  const methodsAt = allowedMethods(app.routes)
  app.notFound((c) => {
    const allowed = methodsAt(c.req.path)
    return answer(
      c,
      allowed.length > 0
        ? new Problem('method_not_allowed', `${c.req.path} takes ${allowed.join(', ')}, not ${c.req.method}.`, {
            headers: { allow: allowed.join(', ') },
          })
        : new Problem('not_found', 'There is no such path. GET /docs shows those there are.'),
    )
  })
  app.onError((error, c) => {
    const problem = problemOf(error)
    if (problem.code === 'internal')
      logger.error({ err: error, method: c.req.method, path: c.req.path, ...traceFieldsOf(c) }, 'A request failed')
    return answer(c, problem)
  })
  return app
}

function answer(c: Context, problem: Problem): Response {
  if (isRegistryPath(c.req.path)) return registryProblem(c, problem)
  if (isIcebergPath(c.req.path)) return icebergProblem(c, problem)
  return c.body(problemText(problem, traceOf(c).ids?.traceId), problem.status, problemHeaders(problem))
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof QueryError) return new Problem('invalid_parameter', error.message)
  if (error instanceof FeaturesUnavailable) {
    return new Problem('unavailable', 'The features can not be read now. Ask again in a moment.', {
      headers: retryAfter(2),
      cause: error,
    })
  }
  // No name of anything here has one, and PostgreSQL refuses the text.
  if (isUnstorableText(error))
    return new Problem('invalid_parameter', 'A text has the character NUL (%00) in it, which nothing here can have.')
  if (isTransient(error)) {
    return new Problem(
      'unavailable',
      'The results can not be read now. Ask again in a moment, or for a shorter time.',
      {
        headers: retryAfter(2),
        cause: error,
      },
    )
  }
  // Thrown by Hono's own validators, before ours are asked.
  const status = error instanceof Error && 'status' in error ? error.status : undefined
  if (status === 400) return new Problem('malformed_body', 'The body is not valid JSON.')
  if (status === 415) return new Problem('unsupported_media_type', 'Send the body as application/json.')
  return new Problem(
    'internal',
    'Something went wrong here. The request may be sent again; the log of the edge has the reason.',
  )
}

interface Refusal {
  success: boolean
  target?: string
  error?: { issues: readonly { path: PropertyKey[]; message: string; keys?: string[] }[] }
}

/** What a schema refuses is a 400 that names the parameter, or the field of the body. */
function refuseParameter(result: Refusal): void {
  if (result.success) return
  const sentences = result.error?.issues.slice(0, 3).map(({ path, message, keys }) => {
    if (keys) return `${keys.slice(0, 3).join(', ')}: not known here; GET /docs shows what is`
    const name = path.map(String).join('.') || (result.target ?? 'request')
    return `${name}: ${message
      .replace(/^Invalid input: /, '')
      .replace(/^Invalid/, 'invalid')
      .replace(/^Too/, 'too')}`
  })
  throw new Problem('invalid_parameter', sentences?.join('; ') ?? 'A parameter is not valid.')
}
