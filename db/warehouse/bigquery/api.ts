/**
 * The three calls of BigQuery's API that a registration takes: a table asked for, made, and given another metadata file.
 *
 * A table that names a metadata file, by the API's documents (https://cloud.google.com/bigquery/docs/iceberg-external-tables, /docs/reference/rest/v2/tables):
 *
 *     POST  …/bigquery/v2/projects/P/datasets/D/tables
 *           { tableReference: { projectId, datasetId, tableId }, externalDataConfiguration: { sourceFormat: 'ICEBERG', sourceUris: [one gs://….metadata.json], connectionId, autodetect: true } }
 *     PATCH …/bigquery/v2/projects/P/datasets/D/tables/T?autodetect_schema=true, with If-Match: the table's etag
 *           { externalDataConfiguration: { sourceFormat: 'ICEBERG', sourceUris: [one], connectionId }, schema: null }
 *
 * Invariant: a table is changed only as it was when it was asked for.
 */
import { z } from 'zod'
import { CannotRegister, GoogleUnavailable } from './errors.ts'
import { ask, type Tools } from './request.ts'
import type { BigQuerySettings } from './settings.ts'
import type { TokenSource } from './workload-token.ts'

export interface BigQueryTable {
  etag: string
  /** The metadata file that it reads; null: it is no Iceberg table by its metadata file. */
  metadata: string | null
}

export interface BigQueryApi {
  /** @returns null where there is none. */
  table(name: string): Promise<BigQueryTable | null>
  /** @returns false where there is one meanwhile. */
  create(name: string, metadata: string): Promise<boolean>
  /** @returns false where it was changed meanwhile. */
  update(name: string, metadata: string, etag: string): Promise<boolean>
}

const tableAnswer = z.object({
  etag: z.string().min(1),
  externalDataConfiguration: z
    .object({ sourceFormat: z.string().optional(), sourceUris: z.array(z.string()).optional() })
    .optional(),
})
const errorAnswer = z.object({
  error: z.object({
    message: z.string().default(''),
    errors: z.array(z.object({ reason: z.string().default('') })).default([]),
  }),
})

/** Of a 403 that passes. */
const LATER = new Set(['rateLimitExceeded', 'quotaExceeded', 'backendError'])

interface Request {
  method: 'GET' | 'POST' | 'PATCH'
  table: string
  body?: object
  etag?: string
  /** Refusals that are answers. */
  answers: readonly number[]
}

/** Every call @throws CannotRegister, GoogleUnavailable */
export function bigQueryApi(settings: BigQuerySettings, token: TokenSource, tools: Tools): BigQueryApi {
  const { project, dataset, connection: connectionId, endpoint } = settings
  const external = (metadata: string) => ({ sourceFormat: 'ICEBERG', sourceUris: [metadata], connectionId })

  async function send({ method, table, body, etag, answers }: Request) {
    const path = `/bigquery/v2/projects/${project}/datasets/${dataset}/tables${method === 'POST' ? '' : `/${table}`}`
    const url = new URL(path, endpoint)
    if (method === 'PATCH') url.searchParams.set('autodetect_schema', 'true')
    const once = async (renew: boolean) =>
      ask(
        url,
        {
          method,
          headers: {
            authorization: `Bearer ${await token({ ...tools, renew })}`,
            ...(body && { 'content-type': 'application/json' }),
            ...(etag !== undefined && { 'if-match': etag }),
          },
          ...(body && { body: JSON.stringify(body) }),
        },
        tools,
      )
    let answer = await once(false)
    // A token may be taken back before its time.
    if (answer.status === 401) answer = await once(true)
    if (answer.status === 200 || answers.includes(answer.status)) return answer
    throw refusal(settings, table, answer.status, answer.body)
  }

  return {
    async table(name) {
      const { status, body } = await send({ method: 'GET', table: name, answers: [404] })
      if (status === 404) return null
      const { etag, externalDataConfiguration: external } = tableAnswer.parse(body)
      const { sourceFormat, sourceUris = [] } = external ?? {}
      return { etag, metadata: sourceFormat === 'ICEBERG' ? (sourceUris[0] ?? null) : null }
    },
    async create(name, metadata) {
      const body = {
        tableReference: { projectId: project, datasetId: dataset, tableId: name },
        externalDataConfiguration: { ...external(metadata), autodetect: true },
      }
      const { status } = await send({ method: 'POST', table: name, body, answers: [409] })
      return status === 200
    },
    async update(name, metadata, etag) {
      // What is new in the schema is read from the file.
      const body = { externalDataConfiguration: external(metadata), schema: null }
      const { status } = await send({ method: 'PATCH', table: name, body, etag, answers: [412] })
      return status === 200
    },
  }
}

function refusal({ project, dataset, connection }: BigQuerySettings, table: string, status: number, body: unknown) {
  const parsed = errorAnswer.safeParse(body)
  const { message, errors } = parsed.success ? parsed.data.error : { message: '', errors: [] }
  const said = `BigQuery says: ${message.slice(0, 500) || `status ${status}`}`
  const what = `${project}.${dataset}.${table} can't be registered with BigQuery`
  if (status === 403 && errors.some(({ reason }) => LATER.has(reason)))
    return new GoogleUnavailable(`${what} at the moment. ${said}`)
  if (status === 401) return new CannotRegister(`${what}: it does not accept the token of this process. ${said}`)
  if (status === 403)
    return new CannotRegister(
      `${what}. The worker's service account needs bigquery.tables.get, .create and .update in the dataset (roles/bigquery.dataEditor) and bigquery.connections.delegate on ${connection}; the connection's own needs roles/storage.objectViewer on the bucket. ${said}`,
    )
  if (status === 404)
    return new CannotRegister(
      `${what}: the dataset ${project}.${dataset} (BIGQUERY_DATASET), the connection ${connection} (BIGQUERY_CONNECTION) or the table's file is not there. A dataset is made by "bq mk --dataset --location=LOCATION ${project}:${dataset}", in the location of the connection and the bucket. ${said}`,
    )
  return new CannotRegister(`${what}. ${said}`)
}
