/**
 * The edge without a port: `createApp` over a log, stores and a clock in memory, for tests that call `app.request()`.
 * The log can be made to fail; what it holds is decoded again with the real decoder.
 */
import type { OpenAPIHono } from '@hono/zod-openapi'
import { createRegistry } from '../../observability/metrics.ts'
import { createDecoder, createEncoder } from '../../streams/contract/codec.ts'
import type { EventOf } from '../../streams/contract/events.ts'
import { partitionOf } from '../../streams/contract/partition.ts'
import type { SessionRow } from '../../streams/contract/results.ts'
import {
  CLICKSTREAM,
  deadLetterTopic,
  INPUT_TOPICS,
  type InputTopic,
  ORDERS,
  TRIPS,
} from '../../streams/contract/topics.ts'
import { parseFix } from '../../streams/dead-letters/fix.ts'
import { LogUnavailable, type NewRecord, type RecordPosition } from '../../streams/log/event-log.ts'
import { createMemoryRegistry } from '../../streams/testing/memory-registry.ts'
import { createApp, type EdgeDeps } from '../app.ts'
import { createTokens } from '../auth/tokens.ts'
import { INGEST_LIMITS, type IngestLimits } from '../ingest/intake.ts'
import { createWriteKeys } from '../ingest/keys/write-keys.ts'
import type {
  AlertDetail,
  AlertExplainer,
  AlertFeed,
  AlertReviews,
  Asset,
  DailyKpis,
  FeatureReader,
  MetricReader,
  Pipeline,
  Quarantine,
  RegionPoint,
  ReviewedAlert,
  Role,
  ShopProduct,
  ShopReader,
  TopProduct,
  TopRegion,
  WriteKeyRow,
  WriteKeyStore,
} from '../ports.ts'
import { brotliDecompressor } from '../runtime/brotli.ts'
import { keyMaker } from '../runtime/key-maker.ts'
import { createCache } from '../serve/cache.ts'
import { createLiveHub } from '../serve/live.ts'
import { cachedReader } from '../serve/reader.ts'
import { createTelemetry } from '../telemetry.ts'
import { type MemoryUsers, memoryAudit, memorySessions, memoryUsers } from './memory-access.ts'
import { memoryErasures } from './memory-erasures.ts'

export { memoryUsers }

export const WRITE_KEY = 'wk_test'
export const JWT_SECRET = 'a secret of at least thirty-two bytes'
export const NOW = Date.UTC(2026, 0, 31, 12)

export interface TestLog {
  records: NewRecord[]
  appends: number
  unavailable: boolean
  append(records: readonly NewRecord[]): Promise<RecordPosition[]>
}

export function createTestLog(): TestLog {
  return {
    records: [],
    appends: 0,
    unavailable: false,
    async append(records) {
      this.appends++
      if (this.unavailable) throw new LogUnavailable('the disk is full')
      this.records.push(...records)
      return records.map((r, i) => ({
        topic: r.topic,
        partition: partitionOf(r.key ?? '', 4),
        offset: this.records.length - records.length + i,
      }))
    },
  }
}

/** A reader that knows one of each: an alert, a session, a region "r-1", a product. */
export function sampleReader(over: Partial<MetricReader> = {}): MetricReader {
  return {
    overview: async ({ from, to }) => ({
      from,
      to,
      events: 7200,
      events_per_second: 2,
      orders: 10,
      refunds: 1,
      trips: 3,
      revenue_minor: { TRY: 123_450, JPY: 500 },
      refunded_minor: { TRY: 3_450 },
      sessions: 40,
      active_sessions: 5,
      converted_sessions: 10,
      conversion: 0.25,
      alerts: 1,
    }),
    eventsTimeseries: async ({ from }) => [
      { start: from, events: 12, by_type: { page_view: 10, purchase: 2 }, users_by_type: null, final: true },
    ],
    revenueTimeseries: async ({ from }) => [
      { start: from, currency: 'JPY', orders: 2, revenue_minor: 500, refunds: 0, refunded_minor: 0, final: true },
    ],
    topProducts: async () => ({ items: [sampleProduct], next: null }),
    region: async ({ regionId }) => ({ items: regionId === 'r-1' ? [sampleRegion] : [], next: null }),
    topRegions: async () => ({ items: [sampleTopRegion], next: null }),
    funnel: async () => [
      { stage: 'visit', sessions: 40 },
      { stage: 'product_view', sessions: 30 },
      { stage: 'cart', sessions: 0 },
      { stage: 'checkout', sessions: 0 },
      { stage: 'purchase', sessions: 0 },
    ],
    fraudAlerts: async ({ limit }) => ({ items: [sampleAlert].slice(0, limit), next: null }),
    fraudAlert: async (id) => (id === sampleAlert.alert_id ? sampleAlertDetail : null),
    userSessions: async (userId) => ({ items: userId === sampleSession.user_id ? [sampleSession] : [], next: null }),
    pipelines: async () => [samplePipeline],
    workflows: async () => ({ workflows: [], mirror: null }),
    dailyKpis: async () => [sampleDay],
    dailyCategories: async () => [],
    dailyRegions: async () => [],
    dailyFunnel: async () => [],
    latestQuality: async () => [],
    latestReconciliation: async () => null,
    checkHistory: async () => ({ items: [], next: null }),
    ...over,
  }
}

export const sampleDay: DailyKpis = {
  day: '2026-01-30',
  events: 900,
  page_views: 500,
  users: 40,
  sessions: 50,
  converted_sessions: 10,
  conversion_rate: 0.2,
  orders: 11,
  failed_orders: 1,
  refunds: 1,
  customers: 9,
  trips: 3,
  revenue: {
    JPY: { orders: 1, refunds: 0, gross_minor: 500, refunded_minor: 0, net_minor: 500, average_order_minor: 500 },
    TRY: {
      orders: 10,
      refunds: 1,
      gross_minor: 123_450,
      refunded_minor: 3_450,
      net_minor: 120_000,
      average_order_minor: 12_345,
    },
  },
  published_at: NOW - 60_000,
}

export const sampleAlert: ReviewedAlert = {
  review: { state: 'open', at: null, by: null },
  alert_id: 'a-1',
  rule_id: 'three-large-orders',
  rule_version: 1,
  user_id: 'u-1',
  state: 'active',
  superseded_by: null,
  supersedes: [],
  total_minor: 1_800_000,
  currency: 'TRY',
  first_at: NOW - 60_000,
  last_at: NOW,
  triggered_at: NOW,
  watermark: NOW - 10_000,
  evidence: [
    {
      order_id: 'o-1',
      event_time: NOW,
      amount_minor: 600_000,
      status: 'success',
      topic: ORDERS,
      partition: 1,
      offset: 7,
    },
  ],
  trace_id: null,
  final: false,
  partition: 1,
  position: 7,
}

export const sampleAlertDetail: AlertDetail = {
  ...sampleAlert,
  notes: [],
  earlierReviews: [],
  alerted_at: NOW + 50,
  superseded_at: null,
  final_at: null,
}

export const sampleSession: SessionRow = {
  session_id: 'u-1@k',
  user_id: 'u-1',
  started_at: NOW - 60_000,
  ended_at: NOW,
  events: 3,
  page_views: 2,
  product_views: 0,
  carts: 0,
  checkouts: 0,
  purchases: 1,
  revenue_minor: { TRY: 1999 },
  funnel_stage: 'purchase',
  entry_page: '/',
  exit_page: '/thanks',
  final: false,
  merged_into: null,
  partition: 0,
  position: 3,
}

export const sampleProduct: TopProduct = {
  product_id: 'p-1',
  views: 9,
  carts: 3,
  purchases: 1,
  revenue_minor: { TRY: 999 },
}

export const sampleShopProduct: ShopProduct = {
  ...{ product_id: '7', sku: 'K-7', name: 'Kettle', category: 'home', price: '49.90', currency: 'TRY', stock: 3 },
  ...{ updated_at: NOW - 60_000, extra: { colour: 'red' }, deleted: false, changed_at: NOW - 60_000 },
  ...{ partition: 1, position: 5 },
}

/** A shop of one product that has become cheaper, and its order. */
export function sampleShop(over: Partial<ShopReader> = {}): ShopReader {
  const change = { id: 4, product_id: '7', changed_at: NOW - 60_000, partition: 1, position: 5 }
  const price = { ...change, price_before: '59.90', currency_before: 'TRY', price: '49.90', currency: 'TRY' }
  const order = { order_id: '9', user_id: 'u-1', status: 'paid', total: '99.80', currency: 'TRY', created_at: NOW }
  const captured = { extra: {}, deleted: false, changed_at: NOW, partition: 0, position: 2 }
  return {
    product: async (id) => (id === '7' ? sampleShopProduct : null),
    prices: async (id) => ({ items: id === '7' ? [price] : [], next: null }),
    stocks: async (id) => ({ items: id === '7' ? [{ ...change, stock_before: null, stock: 3 }] : [], next: null }),
    lowStock: async () => ({ items: [sampleShopProduct], next: null, known: true }),
    priceChanges: async () => ({ items: [{ ...price, name: 'Kettle' }], next: null }),
    order: async (id) =>
      id !== '9'
        ? null
        : {
            ...order,
            ...captured,
            updated_at: null,
            items: [{ item_id: '1', order_id: '9', product_id: '7', quantity: 2, price: '49.90', ...captured }],
            statuses: [
              { id: 1, order_id: '9', status_before: null, status: 'new', changed_at: NOW, partition: 0, position: 1 },
              {
                id: 2,
                order_id: '9',
                status_before: 'new',
                status: 'paid',
                changed_at: NOW,
                partition: 0,
                position: 2,
              },
            ],
          },
    ...over,
  }
}

export const sampleTopRegion: TopRegion = {
  region_id: 'r-1',
  trips: 4,
  duration_s: 1200,
  distance_m: 8000,
  fare_minor: { USD: 200, TRY: 5050 },
}

export const sampleRegion: RegionPoint = {
  window_start: NOW,
  currency: 'TRY',
  trips: 2,
  fare_minor: 5050,
  duration_s: 600,
  distance_m: 4000,
  fare_minor_average: 2525,
  duration_s_average: 300,
  distance_m_average: 2000,
  final: false,
}

export const samplePipeline: Pipeline = {
  topic: CLICKSTREAM,
  partition: 0,
  epoch: 1,
  owner: 'test',
  next_offset: 100,
  end_offset: 100,
  lag: 0,
  watermark: NOW - 10_000,
  events: 100,
  late: 1,
  duplicates: 2,
  dead_letters: 0,
  live: true,
  updated_at: NOW,
}

/** No alert changes. */
export const noFeed: AlertFeed = {
  changes: async () => [],
  newest: async () => ({ transaction: '1', alertId: '' }),
  isKnown: async () => true,
}
const noReviews: AlertReviews = { review: async () => false }
const noExplainer: AlertExplainer = {
  rule: async ({ rule_id, rule_version }) => ({
    id: rule_id,
    version: rule_version,
    description: null,
    parameters: null,
  }),
  arrivals: async () => new Map(),
  explain: async () => null,
}

const noLetters: Quarantine = {
  causes: async () => ({ causes: [], letters: 0 }),
  letters: async () => [],
  letter: async () => null,
  replay: async ({ which, fix }) => {
    if (fix) parseFix(fix)
    return {
      replayed: 0,
      replayedBefore: 0,
      refused: 0,
      more: false,
      examples: [],
      missing: 'ids' in which ? [...which.ids] : [],
    }
  },
}
const noFeatures: FeatureReader = { read: async () => null }

export function memoryWriteKeys(): WriteKeyStore {
  const all: WriteKeyRow[] = []
  return {
    live: async () => all.filter((key) => key.revoked_at === null),
    revoked: async (limit) => all.filter((key) => key.revoked_at !== null).slice(-limit),
    create: async (key, { username }) => {
      all.push({ ...key, created_by: username, revoked_at: null, revoked_by: null })
      return true
    },
    revoke: async (id, at, { username }) => {
      const key = all.find((each) => each.id === id && each.revoked_at === null)
      if (key) Object.assign(key, { revoked_at: at, revoked_by: username })
      return key !== undefined
    },
  }
}

export interface HarnessOptions {
  limits?: Partial<IngestLimits>
  reader?: MetricReader
  features?: FeatureReader
  shop?: ShopReader
  quarantine?: Quarantine
  users?: MemoryUsers
  access?: Partial<EdgeDeps['access']>
  assets?: ReadonlyMap<string, Asset>
  metricSources?: EdgeDeps['metricSources']
  schemas?: EdgeDeps['schemas']
  lake?: EdgeDeps['lake']
  alerts?: Partial<EdgeDeps['alerts']>
  events?: EdgeDeps['events']
}

export interface Harness {
  app: OpenAPIHono
  log: TestLog
  clock: { nowMs: number }
  /** What the logger was given, level first. */
  logged: [level: string, fields: object, message: string][]
  /** Sends a body with the write key; `path` without /api/v1. */
  post(path: string, body: BodyInit, headers?: Record<string, string>): Promise<Response>
  json(path: string, value: unknown): Promise<Response>
  /** As a viewer, unless the headers say otherwise. */
  get(path: string, headers?: Record<string, string>): Promise<Response>
  /** The header that says who asks: for any request to a route that needs an account. */
  as(role: Role, username?: string): Promise<{ authorization: string }>
  /** The events of a topic that the log holds, decoded. */
  events<T extends InputTopic>(topic: T): Promise<EventOf[T][]>
  tokens: ReturnType<typeof createTokens>
}

export async function createHarness(options: HarnessOptions = {}): Promise<Harness> {
  const log = createTestLog()
  const registry = createMemoryRegistry()
  const clock = { nowMs: NOW }
  const now = { now: () => clock.nowMs, sleep: async () => undefined }
  const logged: Harness['logged'] = []
  const logger = {
    info: (fields: object, message: string) => void logged.push(['info', fields, message]),
    warn: (fields: object, message: string) => void logged.push(['warn', fields, message]),
    error: (fields: object, message: string) => void logged.push(['error', fields, message]),
  }
  const metrics = createRegistry()
  const tokens = createTokens(JWT_SECRET, now)
  const reader = cachedReader(
    options.reader ?? sampleReader(),
    createCache({ ttlMs: 1000, entriesMax: 100, clock: now }),
  )
  const keyStore = memoryWriteKeys()
  const writeKeys = createWriteKeys({
    builtIn: WRITE_KEY,
    load: keyStore.live,
    hash: keyMaker.hash,
    clock: now,
    logger,
  })
  const users = options.users ?? memoryUsers()
  let made = 0
  const app = createApp({
    version: '0.0.0-test',
    clock: now,
    logger,
    telemetry: createTelemetry(metrics),
    ingest: {
      log,
      logSystem: 'streamforge',
      encoders: {
        [CLICKSTREAM]: await createEncoder(CLICKSTREAM, registry),
        [ORDERS]: await createEncoder(ORDERS, registry),
        [TRIPS]: await createEncoder(TRIPS, registry),
      },
      decompressors: { br: brotliDecompressor },
      newId: () => `made-${++made}`,
      currency: 'TRY',
      // Without a socket all requests of a test may come in one turn.
      limits: { ...INGEST_LIMITS, turnMsMax: Number.POSITIVE_INFINITY, ...options.limits },
    },
    writeKeys: { known: writeKeys, store: keyStore, maker: keyMaker },
    reader,
    events: options.events ?? { trace: async () => ({ records: [], looked: [], missing: [] }) },
    deadLetters: { quarantine: options.quarantine ?? noLetters, topics: INPUT_TOPICS.map(deadLetterTopic) },
    alerts: { reviews: noReviews, explainer: noExplainer, traceUrl: null, ...options.alerts },
    features: options.features ?? noFeatures,
    shop: options.shop ?? sampleShop(),
    erasures: memoryErasures(),
    metricSources: [{ text: () => metrics.metrics() }, ...(options.metricSources ?? [])],
    schemas: options.schemas ?? null,
    lake: options.lake ?? null,
    live: createLiveHub({ reader, feed: noFeed, pipelines: reader.pipelines, clock: now, logger, currency: 'TRY' }),
    access: {
      users,
      sessions: memorySessions(users),
      audit: memoryAudit(users.audit),
      tokens,
      clientAddress: () => '192.0.2.1',
      corsOrigins: [],
      ...options.access,
    },
    assets: options.assets ?? new Map(),
  })
  const post: Harness['post'] = async (path, body, headers = {}) =>
    app.request(`/api/v1${path}`, {
      method: 'POST',
      body,
      headers: { 'x-write-key': WRITE_KEY, 'content-type': 'application/json', ...headers },
    })
  const as: Harness['as'] = async (role, username = `the-${role}`) => ({
    authorization: `Bearer ${await tokens.issue({ username, role })}`,
  })
  return {
    app,
    log,
    clock,
    logged,
    tokens,
    post,
    json: (path, value) => post(path, JSON.stringify(value)),
    get: async (path, headers = {}) => app.request(path, { headers: { ...(await as('viewer')), ...headers } }),
    as,
    async events(topic) {
      const decoder = createDecoder(topic, registry, 'TRY')
      const records = log.records.filter((r) => r.topic === topic).map((r) => ({ value: Buffer.from(r.value) }))
      await decoder.prepare(records)
      return records.map(({ value }, offset) =>
        decoder.decode(value, { appendedAtMs: clock.nowMs, partition: 0, offset }),
      )
    },
  }
}
