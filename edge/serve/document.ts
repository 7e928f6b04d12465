/**
 * What every operation of the OpenAPI document has in common, added where it follows from elsewhere rather than repeated at each route: who may call it (from `auth/policy.ts`),
 * the refusals that come from around the routes, 304, and the headers of all these. Pure.
 *
 * The schema registry and the Iceberg catalog speak protocols of others, with guards and errors of their own: their operations stay as they are declared.
 */
import type { OpenAPIHono } from '@hono/zod-openapi'
import { type Needs, needsOf } from '../auth/policy.ts'
import { problems } from './envelope.ts'

export type ApiDocument = ReturnType<OpenAPIHono['getOpenAPI31Document']>
type PathItem = NonNullable<ApiDocument['paths']>[string]
type Operation = NonNullable<PathItem['get']>
type Responses = NonNullable<Operation['responses']>
type Response = NonNullable<NonNullable<ApiDocument['components']>['responses']>[string]

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const
const IS_OTHERS_PROTOCOL = /^\/(schema-registry|iceberg)\//

const WHO: Readonly<Record<Needs, string>> = {
  nobody: '',
  viewer: 'For every account.',
  operator: 'For operators and admins.',
  admin: 'For admins.',
}

/** The refusals that look the same everywhere, once. */
const REFUSALS: Readonly<Record<string, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  413: 'TooLarge',
  415: 'UnsupportedMediaType',
  422: 'Unprocessable',
  429: 'TooManyRequests',
  500: 'Failed',
  503: 'Unavailable',
}

const text = { type: 'string' } as const
const HEADERS: Readonly<Record<string, Record<string, object>>> = {
  401: { 'WWW-Authenticate': { description: 'How to sign in', schema: text } },
  429: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } },
  503: { 'Retry-After': { description: 'Seconds', schema: { type: 'integer' } } },
}
const ETAG = { ETag: { description: 'Stands for what `data` says, not for when that was asked', schema: text } }

/** @param document as zod-openapi made it; it is changed */
export function completed(document: ApiDocument): ApiDocument {
  const shared = Object.entries(REFUSALS).map(([status, name]): [string, Response] => {
    const refusal = problems(Number(status))[status] as unknown as Response
    const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } }
    return [name, { ...refusal, ...(HEADERS[status] && { headers: HEADERS[status] }), content } as Response]
  })
  // From the server in front of the app, which has no words for it.
  shared.push(['HeadTooLarge', { description: 'Path, query and headers are larger than the server takes' }])
  document.components = { ...document.components, responses: Object.fromEntries(shared) }
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    if (IS_OTHERS_PROTOCOL.test(path)) continue
    for (const method of METHODS) {
      const operation = item[method]
      if (operation) item[method] = completedOperation(operation, method, path)
    }
  }
  return document
}

function completedOperation(operation: Operation, method: string, path: string): Operation {
  const needs = needsOf(method.toUpperCase(), path)
  const responses: Responses = { ...operation.responses }
  const around = [
    400,
    ...(needs === 'nobody' ? [] : [401]),
    ...(needs === 'operator' || needs === 'admin' ? [403] : []),
    500,
    503,
  ]
  for (const status of around) responses[status] ??= problems(status)[status]
  responses[431] = { $ref: '#/components/responses/HeadTooLarge' }
  if (method === 'get' && isJson(responses[200])) {
    responses[200] = { ...responses[200], headers: { ...ETAG, ...responses[200].headers } }
    responses[304] ??= { description: 'What the client has, by If-None-Match, says the same', headers: ETAG }
  }
  for (const [status, name] of Object.entries(REFUSALS))
    if (isProblem(responses[status])) responses[status] = { $ref: `#/components/responses/${name}` }
  return {
    ...operation,
    ...(needs !== 'nobody' && { description: [operation.description, WHO[needs]].filter(Boolean).join(' ') }),
    security: operation.security ?? (needs === 'nobody' ? [] : [{ token: [] }]),
    responses,
  }
}

type Answer = { headers?: object; content?: Record<string, unknown>; description: string }

const isJson = (response: unknown): response is Answer => contentOf(response)?.['application/json'] !== undefined
/** One without further members of its own. */
const isProblem = (response: unknown): boolean => contentOf(response)?.['application/problem+json'] !== undefined
const contentOf = (response: unknown) => (response as Partial<Answer> | undefined)?.content
