/** The edge's ports on PostgreSQL: metrics and accounts. Every line binds a query of `db/postgres` to its place in the port. */

import {
  beginSession,
  beginSessionByLink,
  createLoginLink,
  endSession,
  rotateSession,
} from '../db/postgres/access-sessions.ts'
import { reviewAlert } from '../db/postgres/alert-reviews.ts'
import { auditLog, recordAudit } from '../db/postgres/audit.ts'
import type { Sql } from '../db/postgres/connect.ts'
import { erasure, erasures, requestErasure } from '../db/postgres/erasures.ts'
import { alertChanges, isKnownPlace, newestChange } from '../db/postgres/queries/alert-changes.ts'
import { fraudAlert, fraudAlerts } from '../db/postgres/queries/alerts.ts'
import { dailyCategories, dailyFunnel, dailyKpis, dailyRegions } from '../db/postgres/queries/daily.ts'
import { funnel } from '../db/postgres/queries/funnel.ts'
import { pipelines } from '../db/postgres/queries/health.ts'
import { overview } from '../db/postgres/queries/overview.ts'
import { topProducts } from '../db/postgres/queries/products.ts'
import { checkHistory, latestQuality } from '../db/postgres/queries/quality.ts'
import { latestReconciliation } from '../db/postgres/queries/reconciliation.ts'
import { region, topRegions } from '../db/postgres/queries/regions.ts'
import { userSessions } from '../db/postgres/queries/sessions.ts'
import {
  lowStock,
  priceChanges,
  productPrices,
  productStocks,
  shopOrder,
  shopProduct,
} from '../db/postgres/queries/shop.ts'
import { eventsTimeseries, revenueTimeseries } from '../db/postgres/queries/timeseries.ts'
import { workflows } from '../db/postgres/queries/workflows.ts'
import { changeUser, createUser, findUser, hasAdmin, listUsers, removeUser } from '../db/postgres/users.ts'
import { createWriteKey, liveWriteKeys, revokedWriteKeys, revokeWriteKey } from '../db/postgres/write-keys.ts'
import type {
  AlertFeed,
  AlertReviews,
  AuditStore,
  ErasureStore,
  MetricReader,
  SessionStore,
  ShopReader,
  UserStore,
  WriteKeyStore,
} from './ports.ts'

export const metricReader = (sql: Sql): MetricReader => ({
  overview: (range) => overview(sql, range),
  eventsTimeseries: (range) => eventsTimeseries(sql, range),
  revenueTimeseries: (range) => revenueTimeseries(sql, range),
  topProducts: (question) => topProducts(sql, question),
  region: (question) => region(sql, question),
  topRegions: (range) => topRegions(sql, range),
  funnel: (range) => funnel(sql, range),
  fraudAlerts: (filter) => fraudAlerts(sql, filter),
  fraudAlert: (alertId) => fraudAlert(sql, alertId),
  userSessions: (userId, page) => userSessions(sql, userId, page),
  pipelines: () => pipelines(sql),
  workflows: () => workflows(sql, { recent: 10 }),
  dailyKpis: (range) => dailyKpis(sql, range),
  dailyCategories: (range) => dailyCategories(sql, range),
  dailyRegions: (range) => dailyRegions(sql, range),
  dailyFunnel: (range) => dailyFunnel(sql, range),
  latestQuality: (question) => latestQuality(sql, question),
  latestReconciliation: () => latestReconciliation(sql),
  checkHistory: (question) => checkHistory(sql, question),
})

export const shopReader = (sql: Sql): ShopReader => ({
  product: (productId) => shopProduct(sql, productId),
  prices: (productId, page) => productPrices(sql, productId, page),
  stocks: (productId, page) => productStocks(sql, productId, page),
  lowStock: (question) => lowStock(sql, question),
  priceChanges: (page) => priceChanges(sql, page),
  order: (orderId) => shopOrder(sql, orderId),
})

export const alertReviews = (sql: Sql): AlertReviews => ({ review: (review) => reviewAlert(sql, review) })

export const alertFeed = (sql: Sql): AlertFeed => ({
  changes: (question) => alertChanges(sql, question),
  newest: () => newestChange(sql),
  isKnown: (place) => isKnownPlace(sql, place),
})

export const userStore = (sql: Sql): UserStore => ({
  find: (username) => findUser(sql, username),
  list: (page) => listUsers(sql, page),
  hasAdmin: () => hasAdmin(sql),
  create: (user, change) => createUser(sql, user, change),
  change: (username, to, change) => changeUser(sql, username, to, change),
  remove: (username, change) => removeUser(sql, username, change),
})

export const sessionStore = (sql: Sql): SessionStore => ({
  begin: (user, session, change) => beginSession(sql, user, session, change),
  createLink: (link, change) => createLoginLink(sql, link, change),
  beginByLink: (codeHash, session, now) => beginSessionByLink(sql, codeHash, session, now),
  rotate: (hash, next, now) => rotateSession(sql, hash, next, now),
  end: (hash, now) => endSession(sql, hash, now),
})

export const auditStore = (sql: Sql): AuditStore => ({
  record: (entry) => recordAudit(sql, entry),
  page: (filter) => auditLog(sql, filter),
})

export const erasureStore = (sql: Sql): ErasureStore => ({
  request: (wish) => requestErasure(sql, wish),
  page: (filter) => erasures(sql, filter),
  find: (id) => erasure(sql, id),
})

export const writeKeyStore = (sql: Sql): WriteKeyStore => ({
  live: () => liveWriteKeys(sql),
  revoked: (limit) => revokedWriteKeys(sql, limit),
  create: (key, by) => createWriteKey(sql, key, by),
  revoke: (id, at, by) => revokeWriteKey(sql, id, at, by),
})
