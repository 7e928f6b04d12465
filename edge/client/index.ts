/**
 * A typed client of the API, for browsers, Node, Bun and Deno: paths, parameters, bodies and answers are checked by the compiler against the API's own document.
 * The dashboard uses it; programs of yours can as well.
 *
 * ```ts
 * const api = createStreamForgeClient({ baseUrl: 'http://127.0.0.1:8080', token: () => session.accessToken })
 * const { data, error } = await api.GET('/metrics/overview', { params: { query: { compare: 'previous' } } })
 * if (error) throw new Error(error.detail)
 * data.data.events // a number
 * ```
 *
 * `schema.ts` beside is made from the document by `npm run api:generate`.
 */
import createClient, { type Client } from 'openapi-fetch'
import type { paths } from './schema.ts'

export type * from './schema.ts'

export type StreamForgeClient = Client<paths>

export interface ClientOptions {
  /** Of the edge, without a path, e.g. `https://events.example`. Missing: the page's own origin. */
  baseUrl?: string
  /** An access token, or what gives one for each request: so that it can be refreshed between two. Null: none is sent. */
  token?: string | null | (() => string | null | Promise<string | null>)
  /** In place of the platform's own, e.g. one that has a time limit. */
  fetch?: (request: Request) => Promise<Response>
}

/** Answers come as `{data}` or `{error}`, never as an exception, except where there is no answer at all: then `fetch` throws. */
export function createStreamForgeClient({ baseUrl = '', token = null, fetch }: ClientOptions = {}): StreamForgeClient {
  const client = createClient<paths>({ baseUrl: `${baseUrl.replace(/\/+$/, '')}/api/v1`, ...(fetch && { fetch }) })
  client.use({
    async onRequest({ request }) {
      const current = typeof token === 'function' ? await token() : token
      if (current !== null && !request.headers.has('authorization'))
        request.headers.set('authorization', `Bearer ${current}`)
      return request
    },
  })
  return client
}
