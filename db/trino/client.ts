/**
 * Trino over HTTP: one statement at a time, its rows as JavaScript values (`values.ts`).
 *
 * The statement protocol (https://trino.io/docs/current/develop/client-protocol.html): POST the text, follow `nextUri` until there is none. Invariants: a query that the caller gives up,
 * or that takes too long, is cancelled at the server; the memory of `stream` is one page of rows; no password gets into an error.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { isLosslessNumber, parse } from 'lossless-json'
import { decoderOf, type TrinoValue, type TypeSignature } from './values.ts'

export interface TrinoClientOptions {
  /** `http://host:port`, or https. */
  url: string
  user: string
  /** For servers that ask for one: https only. */
  password?: string
  /** What unqualified names mean. */
  catalog?: string
  schema?: string
  /** How the server's list of queries names us. */
  source?: string
  /** Session properties, e.g. `{ 'lake.compression_codec': 'ZSTD' }`. */
  session?: Readonly<Record<string, string>>
  /** Of a whole query, when it is not given with it. */
  timeoutMs?: number
}

export interface QueryOptions {
  signal?: AbortSignal
  timeoutMs?: number
  /** `query` alone: more rows are an error, since they are kept in memory. */
  rowsMax?: number
}

export interface TrinoColumn {
  name: string
  /** As Trino writes it: `timestamp(6) with time zone`. */
  type: string
}

export interface TrinoResult {
  queryId: string
  columns: readonly TrinoColumn[]
  /** In the order of the columns. */
  rows: TrinoValue[][]
  /** What a statement did: `INSERT`, `CREATE TABLE`; null for a query. */
  updateType: string | null
  /** How many rows it did it to, where Trino says so. */
  updateCount: number | null
}

/** A part of a result. The columns are known from the first page that has any. */
export interface TrinoPage extends TrinoResult {}

export interface Trino {
  /** The whole result. @throws TrinoError, TrinoUnavailable */
  query(sql: string, options?: QueryOptions): Promise<TrinoResult>
  /** The result page by page; breaking off cancels the query. @throws TrinoError, TrinoUnavailable */
  stream(sql: string, options?: QueryOptions): AsyncGenerator<TrinoPage>
}

/** Trino has refused the query, or it was cancelled, or took too long. The message is Trino's own where there is one. */
export class TrinoError extends Error {
  override readonly name = 'TrinoError'
  /** Trino's name for it, e.g. `SYNTAX_ERROR`, `TABLE_NOT_FOUND`; `CANCELLED`, `TIMED_OUT` and `TOO_MANY_ROWS` are ours. */
  readonly code: string
  /** Whether the query is at fault, or what it met: `USER_ERROR`, `INTERNAL_ERROR`, `INSUFFICIENT_RESOURCES`, `EXTERNAL`. */
  readonly type: string
  readonly queryId: string | null

  constructor(message: string, about: { code: string; type: string; queryId: string | null }, options?: ErrorOptions) {
    super(message, options)
    this.code = about.code
    this.type = about.type
    this.queryId = about.queryId
  }
}

/** Trino could not be reached, or did not answer as Trino does. */
export class TrinoUnavailable extends Error {
  override readonly name = 'TrinoUnavailable'
}

const TIMEOUT_MS = 300_000
const ROWS_MAX = 100_000
/** A server answers at least so often, with or without rows: after a second, unless it is busy. */
const REQUEST_TIMEOUT_MS = 30_000
/** How long failing requests for the next page are tried again; the server keeps a page until the one after it is asked for. */
const RETRY_MS = 10_000
const RETRY_PAUSE_MS = 100
const AGAIN = new Set([429, 502, 503, 504])
/** A cluster that has just started, or is being scaled, may have no worker that knows the catalog yet. Such a query has not begun: it is asked again. */
const NO_NODES = 'NO_NODES_AVAILABLE'
const NODES_WAIT_MS = 30_000
const NODES_PAUSE_MS = 500

interface Answer {
  id: string
  nextUri?: string
  columns?: { name: string; type: string; typeSignature: TypeSignature }[]
  data?: unknown[][]
  updateType?: string
  updateCount?: unknown
  error?: { message: string; errorName: string; errorType: string }
}

export function createTrino(options: TrinoClientOptions): Trino {
  const base = new URL(options.url)
  const headers = headersOf(options)
  const where = `Trino at ${base.origin}`

  /** @throws TrinoUnavailable; what the signal was aborted with, when it was */
  async function request(url: URL, init: RequestInit, signal: AbortSignal): Promise<Response> {
    const giveUpAt = performance.now() + RETRY_MS
    for (;;) {
      let problem: string
      let cause: unknown
      try {
        const limit = AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)])
        const response = await fetch(url, { ...init, headers, signal: limit, redirect: 'manual' })
        if (response.ok) return response
        problem = `it answered ${response.status} ${(await response.text()).slice(0, 300)}`.trim()
        if (response.status === 401 || response.status === 403) problem += '. Check its user and password'
        if (!AGAIN.has(response.status)) throw new TrinoUnavailable(`${where} did not take the query: ${problem}.`)
      } catch (error) {
        if (signal.aborted) throw signal.reason
        if (error instanceof TrinoUnavailable) throw error
        cause = error
        problem = reasonOf(error)
      }
      // Posted again, a statement might run twice, unless the server has said that it did not take it.
      if (performance.now() > giveUpAt || (init.method === 'POST' && cause)) {
        throw new TrinoUnavailable(`${where} can't be reached: ${problem}. Is it running, and is its URL right?`, {
          cause,
        })
      }
      await delay(RETRY_PAUSE_MS)
    }
  }

  /** Best effort: a server that is gone has no query to cancel. */
  async function cancel(url: URL): Promise<void> {
    await fetch(url, { method: 'DELETE', headers, signal: AbortSignal.timeout(5_000) }).catch(() => undefined)
  }

  /** Given up in this moment, the query may have begun all the same: once its address is known it is cancelled. */
  async function post(sql: string, signal: AbortSignal): Promise<Response> {
    const posted = request(new URL('/v1/statement', base), { method: 'POST', body: sql }, new AbortController().signal)
    const stopWaiting = new AbortController()
    const givenUp = new Promise<never>((_, reject) => {
      const options = { once: true, signal: stopWaiting.signal }
      signal.addEventListener('abort', () => reject(signal.reason), options)
    })
    try {
      return await Promise.race([posted, givenUp])
    } catch (error) {
      if (signal.aborted) {
        void posted
          .then(async (response) => {
            const { nextUri } = answerIn(await response.text(), where)
            if (nextUri !== undefined) await cancel(reachable(nextUri, base))
          })
          .catch(() => undefined)
      }
      throw error
    } finally {
      stopWaiting.abort()
    }
  }

  async function* stream(sql: string, query: QueryOptions = {}): AsyncGenerator<TrinoPage> {
    const timeoutMs = query.timeoutMs ?? options.timeoutMs ?? TIMEOUT_MS
    const timeout = AbortSignal.timeout(timeoutMs)
    const signal = query.signal ? AbortSignal.any([query.signal, timeout]) : timeout
    let next: URL | null = null
    let queryId: string | null = null
    let begun = false
    const nodesUntil = performance.now() + NODES_WAIT_MS
    const about = (code: string) => ({ code, type: 'USER_ERROR', queryId })
    try {
      if (signal.aborted) throw signal.reason
      let response = await post(sql, signal)
      let columns: readonly TrinoColumn[] = []
      let decode: ((row: unknown[]) => TrinoValue[]) | undefined
      for (;;) {
        const answer = answerIn(await response.text(), where)
        queryId = answer.id
        next = answer.nextUri === undefined ? null : reachable(answer.nextUri, base)
        if (answer.error) {
          next = null
          const { message, errorName: code, errorType: type } = answer.error
          if (code === NO_NODES && !begun && performance.now() < nodesUntil) {
            await delay(NODES_PAUSE_MS, undefined, { signal })
            response = await post(sql, signal)
            continue
          }
          throw new TrinoError(message, { code, type, queryId })
        }
        if (answer.columns && !decode) {
          columns = answer.columns.map(({ name, type }) => ({ name, type }))
          const decoders = answer.columns.map(({ typeSignature }) => decoderOf(typeSignature))
          decode = (row) => row.map((value, i) => decoders[i]!(value))
        }
        const rows = decode ? (answer.data ?? []).map(decode) : []
        if (rows.length > 0 || next === null) {
          begun = true
          yield {
            queryId,
            columns,
            rows,
            updateType: answer.updateType ?? null,
            updateCount: isLosslessNumber(answer.updateCount) ? Number(answer.updateCount.value) : null,
          }
        }
        if (next === null) return
        if (signal.aborted) throw signal.reason
        response = await request(next, { method: 'GET' }, signal)
      }
    } catch (error) {
      if (error instanceof TrinoError || !signal.aborted) throw error
      const cause = { cause: signal.reason }
      throw query.signal?.aborted
        ? new TrinoError('The query was cancelled.', about('CANCELLED'), cause)
        : new TrinoError(
            `The query took longer than ${timeoutMs / 1_000} s and was cancelled. Let it read less, or give it more time.`,
            about('TIMED_OUT'),
            cause,
          )
    } finally {
      if (next) await cancel(next)
    }
  }

  return {
    stream,
    async query(sql, query = {}) {
      const { rowsMax = ROWS_MAX } = query
      let result: TrinoResult | undefined
      for await (const page of stream(sql, query)) {
        const { rows, ...rest } = page
        if (!result) result = page
        else {
          Object.assign(result, { ...rest, columns: rest.columns.length > 0 ? rest.columns : result.columns })
          for (const row of rows) result.rows.push(row)
        }
        if (result.rows.length <= rowsMax) continue
        throw new TrinoError(
          `The query has more than ${rowsMax} rows. Ask for fewer with LIMIT, or read them as a stream.`,
          { code: 'TOO_MANY_ROWS', type: 'USER_ERROR', queryId: page.queryId },
        )
      }
      return result!
    },
  }
}

function headersOf(options: TrinoClientOptions): Record<string, string> {
  const { user, password, catalog, schema, source = 'streamforge', session = {} } = options
  if (password !== undefined && !options.url.startsWith('https:')) {
    throw new Error(`A password for Trino goes over https only, and ${new URL(options.url).origin} is not.`)
  }
  const properties = Object.entries(session).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  return {
    'X-Trino-User': user,
    'X-Trino-Source': source,
    'X-Trino-Time-Zone': 'UTC',
    // Without it, timestamps come in milliseconds.
    'X-Trino-Client-Capabilities': 'PARAMETRIC_DATETIME',
    'Content-Type': 'text/plain; charset=utf-8',
    ...(catalog && { 'X-Trino-Catalog': catalog }),
    ...(schema && { 'X-Trino-Schema': schema }),
    ...(properties.length > 0 && { 'X-Trino-Session': properties.join(',') }),
    ...(password !== undefined && {
      Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
    }),
  }
}

/** A server behind a proxy may name itself as nobody else can reach it; and our password goes to nobody else. */
function reachable(nextUri: string, base: URL): URL {
  const { pathname, search } = new URL(nextUri)
  return new URL(pathname + search, base)
}

/** Numbers are kept as their text until their type is known: a bigint has more digits than a double. */
function answerIn(text: string, where: string): Answer {
  try {
    // As the protocol has it; what a proxy answers in its stead fails here or lacks an id.
    const answer = parse(text) as Answer
    if (typeof answer?.id === 'string') return answer
  } catch {
    // Told below.
  }
  throw new TrinoUnavailable(`${where} did not answer as Trino does: ${text.slice(0, 200)}`)
}

function reasonOf(error: unknown): string {
  let root = error
  while (root instanceof Error && root.cause instanceof Error) root = root.cause
  return root instanceof Error ? root.message || root.name : String(root)
}
