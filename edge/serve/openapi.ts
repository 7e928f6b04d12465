/** `GET /openapi.json`: OpenAPI 3.1, made from the very schemas that validate. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { BASE } from '../base-path.ts'
import { completed } from './document.ts'

const route = createRoute({
  method: 'get',
  path: '/openapi.json',
  tags: ['Operation'],
  summary: 'This document',
  responses: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': { schema: z.looseObject({}) } } } },
})

/** To be added last: the document has the routes that `api` has by then. */
export function addOpenApiRoute(api: OpenAPIHono, version: string): void {
  const scheme = (
    name: string,
    value: Parameters<typeof api.openAPIRegistry.registerComponent<'securitySchemes'>>[2],
  ) => api.openAPIRegistry.registerComponent('securitySchemes', name, value)
  scheme('writeKey', { type: 'http', scheme: 'basic', description: 'The write key as user name, without a password' })
  scheme('writeKeyHeader', { type: 'apiKey', in: 'header', name: 'X-Write-Key' })
  scheme('writeKeyQuery', { type: 'apiKey', in: 'query', name: 'write_key', description: 'For beacons' })
  scheme('account', { type: 'http', scheme: 'basic', description: 'User name and password of an account' })
  scheme('token', { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'From POST /auth/login' })

  let text: string | undefined
  api.openapi(route, (c) => {
    text ??= JSON.stringify(documentOf(api, version))
    return c.body(text, 200, { 'content-type': 'application/json' }) as never
  })
}

const documentOf = (api: OpenAPIHono, version: string) =>
  completed(
    api.getOpenAPI31Document({
      openapi: '3.1.0',
      info: {
        title: 'StreamForge',
        version,
        license: { name: 'MIT' },
        description:
          'Live event analytics. Success is `{data, meta}` (ingestion answers with the verdicts themselves); every error is `application/problem+json` (RFC 9457). Money is decimal, in the major unit of its currency; times are ISO 8601 in UTC. Every path is also served without /api/v1. A GET can be a HEAD; readings and lists refuse a query parameter that they do not know, and paths a method that they do not have (405, with `Allow`). The Iceberg catalog and the schema registry speak their own protocols (Apache Iceberg REST, Confluent), which are shown here in short.',
      },
      servers: [{ url: BASE }],
    }),
  )
