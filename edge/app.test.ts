import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createHarness } from './testing/harness.ts'

interface Document {
  openapi: string
  paths: Record<string, Record<string, { responses: Record<string, unknown>; summary?: string }>>
  components: { schemas: Record<string, object> }
}

describe('the OpenAPI document', () => {
  it('has every route of the app, and no other', async () => {
    const edge = await createHarness()
    const document = (await (await edge.get('/openapi.json')).json()) as Document
    expect(document.openapi).toBe('3.1.0')
    const served = new Set(
      edge.app.routes
        .filter(({ method }) => method !== 'ALL')
        .map(({ method, path }) => `${method} ${path.replace(/^\/api\/v1(?=\/)/, '').replaceAll(/:(\w+)/g, '{$1}')}`),
    )
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(documented.sort()).toEqual([...served].sort())
    for (const methods of Object.values(document.paths)) {
      for (const operation of Object.values(methods)) expect(operation.summary).toBeTruthy()
    }
  })

  it('describes events with the very fields that are validated', async () => {
    const edge = await createHarness()
    const document = (await (await edge.get('/api/v1/openapi.json')).json()) as Document
    expect(document.components.schemas.Order).toMatchObject({
      type: 'object',
      required: ['order_id', 'user_id', 'amount'],
      properties: { amount: { type: 'number', minimum: 0 } },
    })
    expect(document.paths['/metrics/events_timeseries']!.get).toMatchObject({
      parameters: [{ name: 'from' }, { name: 'to' }, { name: 'bucket' }],
    })
  })
})

describe('the app', () => {
  it('uses nothing of Node, so that it runs on Bun and Deno as well', () => {
    const nodeOnly = new Set(['main.ts', 'testing', 'runtime', 'bundle.ts'])
    const sources = (folder: string): string[] =>
      readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        if (nodeOnly.has(entry.name) || entry.name.endsWith('.test.ts')) return []
        const path = join(folder, entry.name)
        return entry.isDirectory() ? sources(path) : path.endsWith('.ts') ? [path] : []
      })
    const files = sources(import.meta.dirname)
    expect(files.length).toBeGreaterThan(20)
    const offenders = files.filter((file) =>
      /from '(node:|@hono\/node-server)|\b(Buffer|process)\./.test(readFileSync(file, 'utf8')),
    )
    expect(offenders).toEqual([])
  })
})
