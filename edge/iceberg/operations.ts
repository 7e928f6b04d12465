/**
 * The operations of `/iceberg/v1`, as they are routed, as clients are told of them, and as they are documented: one list for all three.
 * Source: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml
 */
import { z } from '@hono/zod-openapi'
import type { Need } from './access.ts'

type Method = 'get' | 'post' | 'delete'

interface Operation {
  method: Method
  /** Below /iceberg/v1, parameters in braces. */
  path: string
  summary: string
  /** `none`: for signing in. */
  need: Need | 'none'
  status: 200 | 204
  query?: z.ZodObject
  /** Also asked by HEAD, which answers 204. */
  head?: true
  /** Not of those that are told to clients: they know it anyway. */
  untold?: true
  errors: readonly number[]
}

const page = {
  pageToken: z.string().optional().describe('Of the page before; empty for the first. Missing: everything at once'),
  pageSize: z.string().optional().describe('1 to 10000'),
}
const TABLES = '/namespaces/{namespace}/tables'

const OPERATIONS = {
  getConfig: {
    method: 'get',
    path: '/config',
    summary: 'What a client must know: defaults of its settings, and which operations there are',
    need: 'read',
    status: 200,
    query: z.object({ warehouse: z.string().optional().describe("The catalog's name, or where its tables are") }),
    untold: true,
    errors: [400],
  },
  getToken: {
    method: 'post',
    path: '/oauth/tokens',
    summary:
      'An access token for user name and password (client_credentials), or for one that came from here (token exchange)',
    need: 'none',
    status: 200,
    untold: true,
    errors: [400, 401, 429],
  },
  listNamespaces: {
    method: 'get',
    path: '/namespaces',
    summary: 'Namespaces at the top, or below a parent',
    need: 'read',
    status: 200,
    query: z.object({ parent: z.string().optional().describe('Levels joined by U+001F'), ...page }),
    errors: [400, 404],
  },
  createNamespace: {
    method: 'post',
    path: '/namespaces',
    summary: 'Make a namespace',
    need: 'change',
    status: 200,
    errors: [400, 409],
  },
  loadNamespace: {
    method: 'get',
    path: '/namespaces/{namespace}',
    summary: 'Properties of a namespace',
    need: 'read',
    status: 200,
    head: true,
    errors: [404],
  },
  dropNamespace: {
    method: 'delete',
    path: '/namespaces/{namespace}',
    summary: 'Drop an empty namespace',
    need: 'drop',
    status: 204,
    errors: [404, 409],
  },
  updateNamespace: {
    method: 'post',
    path: '/namespaces/{namespace}/properties',
    summary: 'Set and remove properties of a namespace',
    need: 'change',
    status: 200,
    errors: [400, 404, 422],
  },
  listTables: {
    method: 'get',
    path: TABLES,
    summary: 'Tables of a namespace',
    need: 'read',
    status: 200,
    query: z.object(page),
    errors: [400, 404],
  },
  createTable: {
    method: 'post',
    path: TABLES,
    summary: 'Make a table, or stage one that its first commit makes',
    need: 'change',
    status: 200,
    errors: [400, 404, 409],
  },
  loadTable: {
    method: 'get',
    path: `${TABLES}/{table}`,
    summary: "A table's metadata",
    need: 'read',
    status: 200,
    query: z.object({
      snapshots: z.enum(['all', 'refs']).optional().describe('refs: heads of branches and tags only'),
    }),
    head: true,
    errors: [404],
  },
  commitTable: {
    method: 'post',
    path: `${TABLES}/{table}`,
    summary: 'Commit updates to a table, if its requirements hold',
    need: 'change',
    status: 200,
    errors: [400, 404, 409],
  },
  dropTable: {
    method: 'delete',
    path: `${TABLES}/{table}`,
    summary: 'Drop a table; its files stay unless they are to be purged',
    need: 'drop',
    status: 204,
    query: z.object({ purgeRequested: z.string().optional().describe('true: its files are removed') }),
    errors: [400, 404],
  },
  renameTable: {
    method: 'post',
    path: '/tables/rename',
    summary: 'Rename a table, also into another namespace',
    need: 'change',
    status: 204,
    errors: [400, 404, 409],
  },
  reportMetrics: {
    method: 'post',
    path: `${TABLES}/{table}/metrics`,
    summary: 'Reports of scans and commits: taken, and not kept',
    need: 'read',
    status: 204,
    errors: [],
  },
  commitTransaction: {
    method: 'post',
    path: '/transactions/commit',
    summary: 'Commit updates to several tables, all or none',
    need: 'change',
    status: 204,
    errors: [400, 404, 409],
  },
} as const satisfies Record<string, Operation>

export type IcebergOperation = keyof typeof OPERATIONS
const all = Object.entries(OPERATIONS) as [IcebergOperation, Operation][]

/** As clients want them told: by the paths of the specification, of which ours have no prefix. */
export const ENDPOINTS: readonly string[] = all
  .filter(([, { untold }]) => !untold)
  .flatMap(([, { method, path, head }]) =>
    [method.toUpperCase(), ...(head ? ['HEAD'] : [])].map((verb) => `${verb} /v1/{prefix}${path}`),
  )

const ERRORS: Record<number, string> = {
  400: 'The request is not valid; the message names what',
  401: 'The token is missing or not valid',
  403: "The token's role is not enough",
  404: 'No such namespace or table',
  409: 'It exists already, is not empty, or was changed by another meanwhile',
  422: 'The request can not be done',
  429: 'Too many attempts to sign in',
  503: 'A store is not available; nothing was committed',
}
const JSON_TYPE = 'application/json'

/** Made anew for each document: only schemas made after zod-openapi was loaded can be named. */
export function icebergOperations() {
  const error = z
    .object({ error: z.object({ message: z.string(), type: z.string(), code: z.number().int() }) })
    .openapi('IcebergError')
  return all.map(([operation, o]) => {
    const path = `/iceberg/v1${o.path}`
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
    const statuses = [...new Set([...o.errors, 401, ...(o.need === 'none' || o.need === 'read' ? [] : [403]), 503])]
    const form = operation === 'getToken' ? 'application/x-www-form-urlencoded' : JSON_TYPE
    const document = {
      method: o.method,
      path,
      tags: ['Iceberg REST catalog'],
      summary: o.summary,
      description: `The body is as the specification has it: https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml${o.head ? ' HEAD tells whether it exists.' : ''}`,
      security: o.need === 'none' ? [] : [{ token: [] }],
      request: {
        ...(names.length > 0 && { params: z.object(Object.fromEntries(names.map((name) => [name, z.string()]))) }),
        ...(o.query && { query: o.query }),
        ...(o.method === 'post' && { body: { required: true, content: { [form]: { schema: z.looseObject({}) } } } }),
      },
      responses: {
        [o.status]: {
          description: o.summary,
          ...(o.status === 200 && { content: { [JSON_TYPE]: { schema: z.looseObject({}) } } }),
        },
        ...Object.fromEntries(
          statuses.map((status) => [
            status,
            { description: ERRORS[status] ?? 'Refused', content: { [JSON_TYPE]: { schema: error } } },
          ]),
        ),
      },
    }
    return { operation, method: o.method, path, need: o.need, document }
  })
}
