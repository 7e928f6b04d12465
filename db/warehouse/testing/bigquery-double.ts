/**
 * A double of BigQuery's API and of Google's metadata server, for tests. It is NOT BigQuery: it reads no data and answers no query, and what it knows of the API is what Google's documents say of the few
 * calls that a registration makes (sources: `bigquery/api.ts`, `bigquery/workload-token.ts`). That the real one does the same is shown by nothing here.
 *
 * It does check: that every call carries a token that it has given out and that has not ended; that bodies have the documented fields and no others; that the metadata file is there and is Iceberg's of
 * format 2, and names no file but gs://; etags, by `If-Match`. It answers as the API is documented to: 401, 404, 409, 412, and whatever a test plans.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import type { LakeFiles } from '../../lake/index.ts'
import type { BigQuerySettings } from '../bigquery/settings.ts'

const PROJECT = 'shop-123'
const DATASET = 'lake'
const CONNECTION = `projects/${PROJECT}/locations/eu/connections/lake`

export interface DoubledTable {
  etag: string
  metadata: string
  connectionId: string
  /** The metadata file that its schema was last read of. */
  schemaOf: string
}

export interface BigQueryDouble {
  readonly settings: BigQuerySettings
  /** Of every call, in their order: `PATCH fact_events`, `token`. */
  readonly calls: string[]
  readonly tables: Map<string, DoubledTable>
  /** What it answers instead: a status, a reason of Google's; null: what it would. It may do something first. */
  plan: (call: string) => Refusal | null | Promise<null>
  hasDataset: boolean
  /** Of tokens that are given out from now on. */
  tokenSeconds: number
  /** Those that were given out count no more. */
  revokeTokens(): void
  /** As somebody else would who changes the table. */
  touch(table: string): void
  close(): Promise<void>
}

interface Refusal {
  status: number
  reason?: string
}

const sourceUris = z.tuple([z.string().regex(/^gs:\/\/.+\.metadata\.json$/)])
const external = { sourceFormat: z.literal('ICEBERG'), sourceUris, connectionId: z.literal(CONNECTION) }
const insertBody = z.strictObject({
  tableReference: z.strictObject({
    projectId: z.literal(PROJECT),
    datasetId: z.literal(DATASET),
    tableId: z.string().regex(/^\w{1,1024}$/),
  }),
  externalDataConfiguration: z.strictObject({ ...external, autodetect: z.literal(true) }),
})
const patchBody = z.strictObject({ externalDataConfiguration: z.strictObject(external), schema: z.null().optional() })

interface Reply {
  status: number
  body: object
}

/** @param files of the lake, for the metadata that tables are given */
export async function startBigQueryDouble(files: LakeFiles, nowMs: () => number): Promise<BigQueryDouble> {
  const calls: string[] = []
  const tables = new Map<string, DoubledTable>()
  let tokens = new Map<string, number>()
  let count = 0
  const etag = () => `etag-${++count}==`

  const refused = (status: number, reason: string, message: string): Reply => ({
    status,
    body: { error: { code: status, message, errors: [{ message, domain: 'global', reason }] } },
  })
  const resource = (name: string): Reply => {
    const { etag, metadata, connectionId } = tables.get(name)!
    return {
      status: 200,
      body: {
        kind: 'bigquery#table',
        etag,
        id: `${PROJECT}:${DATASET}.${name}`,
        tableReference: { projectId: PROJECT, datasetId: DATASET, tableId: name },
        type: 'EXTERNAL',
        externalDataConfiguration: { sourceFormat: 'ICEBERG', sourceUris: [metadata], connectionId, autodetect: true },
      },
    }
  }

  function giveToken({ headers }: IncomingMessage): Reply {
    if (headers['metadata-flavor'] !== 'Google')
      return refused(403, 'forbidden', 'Missing Metadata-Flavor:Google header.')
    const token = `ya29.double-${++count}`
    tokens.set(token, nowMs() + double.tokenSeconds * 1_000)
    return { status: 200, body: { access_token: token, expires_in: double.tokenSeconds, token_type: 'Bearer' } }
  }

  /** As BigQuery reads it when it is given it. */
  async function unreadable(metadata: string): Promise<Reply | null> {
    const text = await files.read(metadata).then(String, () => null)
    if (text === null) return refused(404, 'notFound', `Not found: URI ${metadata}`)
    if (JSON.parse(text)['format-version'] !== 2 || /"(s3|file):\/\//.test(text))
      return refused(400, 'invalid', `Error while reading table, error message: Iceberg: ${metadata}`)
    return null
  }

  async function answer(request: IncomingMessage, url: URL, name: string, body: unknown): Promise<Reply> {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    if ((tokens.get(token) ?? 0) <= nowMs()) return refused(401, 'authError', 'Invalid Credentials')
    if (request.method === 'POST') {
      const given = insertBody.safeParse(body)
      if (!given.success) return refused(400, 'invalid', given.error.message)
      const { tableReference, externalDataConfiguration } = given.data
      const table = tableReference.tableId
      if (!double.hasDataset) return refused(404, 'notFound', `Not found: Dataset ${PROJECT}:${DATASET}`)
      if (tables.has(table)) return refused(409, 'duplicate', `Already Exists: Table ${PROJECT}:${DATASET}.${table}`)
      const [metadata] = externalDataConfiguration.sourceUris
      const { connectionId } = externalDataConfiguration
      const wrong = await unreadable(metadata)
      if (wrong) return wrong
      tables.set(table, { etag: etag(), metadata, connectionId, schemaOf: metadata })
      return resource(table)
    }
    const there = tables.get(name)
    if (!there) return refused(404, 'notFound', `Not found: Table ${PROJECT}:${DATASET}.${name}`)
    if (request.method === 'GET') return resource(name)
    const given = patchBody.safeParse(body)
    if (!given.success) return refused(400, 'invalid', given.error.message)
    const [metadata] = given.data.externalDataConfiguration.sourceUris
    const wrong = await unreadable(metadata)
    if (wrong) return wrong
    const condition = request.headers['if-match']
    if (condition !== undefined && condition !== tables.get(name)?.etag)
      return refused(412, 'conditionNotMet', 'Precondition Failed')
    const isDetected = url.searchParams.get('autodetect_schema') === 'true' && given.data.schema === null
    tables.set(name, { ...there, etag: etag(), metadata, schemaOf: isDetected ? metadata : there.schemaOf })
    return resource(name)
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://double')
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body: unknown = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : null
    const isToken = url.pathname === '/computeMetadata/v1/instance/service-accounts/default/token'
    const [, name = ''] =
      new RegExp(`^/bigquery/v2/projects/${PROJECT}/datasets/${DATASET}/tables(?:/(\\w+))?$`).exec(url.pathname) ?? []
    const inserted = insertBody.safeParse(body).data?.tableReference.tableId
    const call = isToken ? 'token' : `${request.method} ${name || inserted || url.pathname}`
    calls.push(call)
    const planned = await double.plan(call)
    const { status, body: reply } = planned
      ? refused(planned.status, planned.reason ?? 'backendError', 'As the test has planned.')
      : isToken
        ? giveToken(request)
        : await answer(request, url, name, body)
    response.writeHead(status, { 'content-type': 'application/json', ...(isToken && { 'metadata-flavor': 'Google' }) })
    response.end(JSON.stringify(reply))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const settings = {
    project: PROJECT,
    dataset: DATASET,
    connection: CONNECTION,
    endpoint: `http://${host}`,
    metadataHost: host,
  }

  const double: BigQueryDouble = {
    settings,
    calls,
    tables,
    plan: () => null,
    hasDataset: true,
    tokenSeconds: 3_600,
    revokeTokens() {
      tokens = new Map()
    },
    touch(table) {
      const there = tables.get(table)
      if (there) tables.set(table, { ...there, etag: etag() })
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return double
}
