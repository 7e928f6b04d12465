/**
 * `/iceberg/v1/*`: the lake by the Iceberg REST catalog, so that PyIceberg, Trino, Spark and DuckDB need a token and no database. The catalog itself is `db/lake/rest`; here is HTTP:
 * who may, bodies within bounds, and answers and errors in the specification's form.
 *
 * Invariant: snapshot ids of 63 bits come and go exactly; credentials of the object store are never given away.
 */
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import {
  CatalogRefused,
  type Identifier,
  type Page,
  parseBody,
  parseJson,
  type RestCatalog,
  stringifyJson,
} from '../../db/lake/rest/index.ts'
import { readText, WEB_DECOMPRESSORS } from '../ingest/body.ts'
import { createPressure, type Ticket } from '../ingest/pressure.ts'
import { Problem } from '../problem.ts'
import { icebergAccess } from './access.ts'
import { refusalAnswer } from './errors.ts'
import { answerToken, type OAuthDeps } from './oauth.ts'
import { ENDPOINTS, type IcebergOperation, icebergOperations } from './operations.ts'

export interface IcebergDeps extends OAuthDeps {
  /** null: this edge has no lake. */
  lake: ServedLake | null
}

export interface ServedLake {
  catalog: RestCatalog
  /** What clients may take for their settings unless they have others, e.g. `s3.endpoint`. No secrets: every reader gets them. */
  clientDefaults: Readonly<Record<string, string>>
}

const BODY_LIMITS = { compressedBytesMax: 1024 * 1024, decompressedBytesMax: 4 * 1024 * 1024 }
const FORM_LIMITS = { compressedBytesMax: 16 * 1024, decompressedBytesMax: 16 * 1024 }
const PAGE_SIZE_MAX = 10_000
/** Between the levels of a namespace, in paths and parameters: the specification's default. */
const SEPARATOR = '\u001f'

export const isIcebergPath = (path: string): boolean => /^(\/api\/v1)?\/iceberg(\/|$)/.test(path)

type Handler = (c: Context, lake: ServedLake, ticket: Ticket) => Promise<unknown>

export function addIcebergRoutes(api: OpenAPIHono, { lake, ...oauth }: IcebergDeps): void {
  const pressure = createPressure({ requestsMax: 64, bytesMax: 32 * 1024 * 1024 })
  const access = icebergAccess(oauth.tokens)

  const handlers: Record<IcebergOperation, Handler> = {
    async getConfig(c, { catalog, clientDefaults }) {
      const warehouse = c.req.query('warehouse') ?? ''
      if (!['', catalog.name, catalog.warehouse].includes(warehouse.replace(/\/+$/, '')))
        throw badRequest(
          `There is no warehouse "${warehouse.slice(0, 200)}" here. Leave it out, or write ${catalog.name}.`,
        )
      return { defaults: clientDefaults, overrides: {}, endpoints: ENDPOINTS }
    },
    getToken: async (c, _, ticket) =>
      answerToken(c, new URLSearchParams(await bodyText(c, ticket, FORM_LIMITS)), oauth),
    listNamespaces: (c, { catalog }) => catalog.listNamespaces(levelsIn(c.req.query('parent')), pageOf(c)),
    createNamespace: async (c, { catalog }, ticket) =>
      catalog.createNamespace(parseBody('createNamespace', await json(c, ticket))),
    async loadNamespace(c, { catalog }) {
      const namespace = await catalog.loadNamespace(namespaceIn(c))
      return isHead(c) ? null : namespace
    },
    dropNamespace: (c, { catalog }) => catalog.dropNamespace(namespaceIn(c)),
    updateNamespace: async (c, { catalog }, ticket) =>
      catalog.updateNamespace(namespaceIn(c), parseBody('updateNamespace', await json(c, ticket))),
    listTables: (c, { catalog }) => catalog.listTables(namespaceIn(c), pageOf(c)),
    createTable: async (c, { catalog }, ticket) =>
      catalog.createTable(namespaceIn(c), parseBody('createTable', await json(c, ticket))),
    async loadTable(c, { catalog }) {
      if (isHead(c)) return catalog.hasTable(tableIn(c))
      const snapshots = c.req.query('snapshots') ?? 'all'
      if (snapshots !== 'all' && snapshots !== 'refs') throw badRequest('snapshots is "all" or "refs".')
      return { ...(await catalog.loadTable(tableIn(c), snapshots)), config: {} }
    },
    commitTable: async (c, { catalog }, ticket) =>
      catalog.commitTable(tableIn(c), parseBody('commitTable', await json(c, ticket))),
    async dropTable(c, { catalog }) {
      const purge = (c.req.query('purgeRequested') ?? 'false').toLowerCase()
      if (purge !== 'true' && purge !== 'false') throw badRequest('purgeRequested is true or false.')
      return catalog.dropTable(tableIn(c), { purge: purge === 'true' })
    },
    renameTable: async (c, { catalog }, ticket) => catalog.renameTable(parseBody('renameTable', await json(c, ticket))),
    reportMetrics: async (c, _, ticket) => void (await bodyText(c, ticket)),
    commitTransaction: async (c, { catalog }, ticket) =>
      catalog.commitTransaction(parseBody('commitTransaction', await json(c, ticket))),
  }

  for (const { operation, path, method, need, document } of icebergOperations()) {
    api.openAPIRegistry.registerPath(document)
    const guards = need === 'none' ? [] : [access(need)]
    api.on(method.toUpperCase(), [path.replaceAll(/\{(\w+)\}/g, ':$1')], ...guards, async (c: Context) => {
      if (!lake) throw new Problem('not_found', 'This edge serves no lake.')
      const ticket = pressure.enter()
      try {
        const answer = await handlers[operation](c, lake, ticket)
        if (answer instanceof Response) return answer
        if (answer === undefined || answer === null) return c.body(null, 204)
        return c.body(stringifyJson(answer), 200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      } catch (error) {
        if (error instanceof CatalogRefused) return refusalAnswer(c, error)
        throw error
      } finally {
        ticket.leave()
      }
    })
  }
}

const badRequest = (message: string): Problem => new Problem('invalid_parameter', message)
/** Hono answers HEAD by the handler of GET. */
const isHead = (c: Context): boolean => c.req.method === 'HEAD'

async function bodyText(c: Context, ticket: Ticket, limits = BODY_LIMITS): Promise<string> {
  try {
    return await readText(c.req.raw, limits, WEB_DECOMPRESSORS, ticket)
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'malformed_body') throw error
    throw new Problem('malformed_body', 'The body is empty, broke off, or is not text in UTF-8.', { cause: error })
  }
}

async function json(c: Context, ticket: Ticket): Promise<unknown> {
  const text = await bodyText(c, ticket)
  try {
    return parseJson(text)
  } catch (cause) {
    throw new Problem('malformed_body', 'The body is not valid JSON.', { cause })
  }
}

const levelsIn = (text: string | undefined): string[] | null => (text ? text.split(SEPARATOR) : null)
const namespaceIn = (c: Context): string[] => levelsIn(c.req.param('namespace')) ?? []
const tableIn = (c: Context): Identifier => ({ namespace: namespaceIn(c), name: c.req.param('table') ?? '' })

function pageOf(c: Context): Page {
  const [token, size] = [c.req.query('pageToken'), c.req.query('pageSize')]
  if (size !== undefined && !(/^\d{1,5}$/.test(size) && Number(size) >= 1 && Number(size) <= PAGE_SIZE_MAX))
    throw badRequest(`pageSize is a whole number from 1 to ${PAGE_SIZE_MAX}.`)
  return { ...(token !== undefined && { token }), ...(size !== undefined && { size: Number(size) }) }
}
