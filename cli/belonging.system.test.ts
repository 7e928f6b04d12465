/** Schema ids mean the same to all processes of one platform, or a process refuses to begin: on a real PostgreSQL, with embedded registries in folders and over HTTP. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { withPostgres } from '../db/testing/postgres.ts'
import { hashPassword } from '../edge/auth/password.ts'
import { serve } from '../edge/runtime/node.ts'
import { createHarness, memoryUsers } from '../edge/testing/harness.ts'
import type { SchemaRegistry } from '../streams/contract/codec.ts'
import { createConfluentRegistry } from '../streams/log/confluent-registry.ts'
import { openEmbeddedRegistry } from '../streams/log/embedded-registry.ts'
import type { Stores } from '../streams/stores.ts'
import { checkBelonging, EDGE_WRITES, STREAMS_WRITE } from './belonging.ts'
import { CommandFailed } from './command.ts'

const postgres = withPostgres()

async function folderRegistry() {
  const folder = await mkdtemp(join(tmpdir(), 'streamforge-belonging-'))
  const registry = openEmbeddedRegistry(join(folder, 'registry'))
  onTestFinished(async () => {
    await registry.close()
    await rm(folder, { recursive: true })
  })
  return registry
}

async function platform() {
  const { sql } = await postgres.database()
  const log = { identity: async () => 'kafka-1' } as Stores['log']
  return (registry: SchemaRegistry, writes: typeof EDGE_WRITES, registryUrl?: string) => {
    const settings = { dataDir: '/data', kafka: null, redis: null, ...(registryUrl && { registryUrl }) }
    return checkBelonging(sql, { log, registry }, settings, writes)
  }
}

it('processes that share a registry begin in any order', async () => {
  const begin = await platform()
  const shared = await folderRegistry()
  await Promise.all([begin(shared, EDGE_WRITES), begin(shared, STREAMS_WRITE), begin(shared, EDGE_WRITES)])
  await begin(shared, STREAMS_WRITE)
})

it('a process with a registry of its own is refused, and told how to share', async () => {
  const begin = await platform()
  await begin(await folderRegistry(), EDGE_WRITES)
  const refused = begin(await folderRegistry(), STREAMS_WRITE)
  await expect(refused).rejects.toThrow(CommandFailed)
  await expect(refused).rejects.toThrow(
    /another schema registry than this one \(\/data\/registry\): .*STREAMFORGE_DATA_DIR.*SCHEMA_REGISTRY_URL.*\/schema-registry\.$/,
  )
})

it('one that would read ids which its registry does not know is refused as well', async () => {
  const begin = await platform()
  await begin(await folderRegistry(), EDGE_WRITES)
  await expect(begin(await folderRegistry(), new Map())).rejects.toThrow(/another schema registry/)
})

it("another machine's process may use the registry that an edge serves", async () => {
  const begin = await platform()
  const atEdge = await folderRegistry()
  await begin(atEdge, EDGE_WRITES)
  const { app } = await createHarness({
    schemas: atEdge,
    users: memoryUsers({ username: 'root', password_hash: await hashPassword('right'), role: 'admin' }),
  })
  const edge = await serve({ host: '127.0.0.1', port: 0, fetch: app.fetch })
  onTestFinished(() => edge.close())
  const url = `http://root:right@127.0.0.1:${edge.port}/schema-registry`
  await begin(createConfluentRegistry({ url }), EDGE_WRITES, url)
})

it('a registry that does not answer is a sentence', async () => {
  const begin = await platform()
  const url = 'http://127.0.0.1:1'
  await expect(begin(createConfluentRegistry({ url }), EDGE_WRITES, url)).rejects.toThrow(
    /^The schema registry at http:\/\/127\.0\.0\.1:1 did not do its part: .*SCHEMA_REGISTRY_URL/,
  )
})
