/** `streamforge schemas` against the edge's registry over a real socket. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { hashPassword } from '../../edge/auth/password.ts'
import { type Served, serve } from '../../edge/runtime/node.ts'
import { createHarness, memoryUsers } from '../../edge/testing/harness.ts'
import { createEncoder } from '../../streams/contract/codec.ts'
import { CLICKSTREAM, ORDERS } from '../../streams/contract/topics.ts'
import { type EmbeddedRegistry, openEmbeddedRegistry } from '../../streams/log/embedded-registry.ts'
import { runCommand } from '../testing/run-command.ts'
import { schemas as command } from './schemas.ts'

const eve = { username: 'eve', password_hash: await hashPassword('staple'), role: 'viewer' as const }
let folder: string
let registry: EmbeddedRegistry
let edge: Served
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamforge-schemas-'))
  registry = openEmbeddedRegistry(join(folder, 'registry'))
  const { app } = await createHarness({ schemas: registry, users: memoryUsers(eve) })
  edge = await serve({ host: '127.0.0.1', port: 0, fetch: app.fetch })
})
afterEach(async () => {
  await edge.close()
  await registry.close()
  await rm(folder, { recursive: true })
})

const urlAs = (login: string) => `http://${login}127.0.0.1:${edge.port}/schema-registry/`
const run = (args: string[], env: Record<string, string> = { SCHEMA_REGISTRY_URL: urlAs('eve:staple@') }) =>
  runCommand(command, args, { env, cwd: folder })

it('lists subjects with their newest version and its id', async () => {
  expect(await run(['ls'])).toEqual({ code: 0, out: 'There are no schemas yet.\n', err: '' })
  await registry.register(`${ORDERS}-value`, { type: 'record', name: 'streamforge.Order', fields: [] })
  await registry.setLevel(`${ORDERS}-value`, 'NONE')
  await createEncoder(ORDERS, registry)
  await createEncoder(CLICKSTREAM, registry)
  expect((await run(['ls'])).out).toBe(
    'SUBJECT                    VERSION  ID\n' +
      'clickstream.events-value   1        3\n' +
      'transactions.orders-value  2        2\n',
  )
  expect(JSON.parse((await run(['ls', '--json'])).out)).toEqual([
    { subject: 'clickstream.events-value', version: 1, id: 3 },
    { subject: 'transactions.orders-value', version: 2, id: 2 },
  ])
})

it('shows a subject: its versions, and a schema to read', async () => {
  const schema = { type: 'record', name: 'A', fields: [{ name: 'x', type: 'int', default: 0 }] } as const
  await registry.register('a b/c', { type: 'record', name: 'A', fields: [] })
  await registry.register('a b/c', { ...schema, fields: [...schema.fields] })
  const { out } = await run(['show', 'a b/c'])
  expect(out).toBe(`VERSION  ID\n1        1\n2        2\n\nVersion 2:\n${JSON.stringify(schema, null, 2)}\n`)
  expect((await run(['show', 'a b/c', '--version', '1'])).out).toContain('Version 1:\n')
  expect(JSON.parse((await run(['show', 'a b/c', '--json'])).out)).toEqual({
    subject: 'a b/c',
    version: 2,
    id: 2,
    schema,
    versions: [1, 2],
  })
})

it('says in a sentence what is not there', async () => {
  expect(await run(['show', 'none'])).toEqual({ code: 1, out: '', err: "Subject 'none' not found.\n" })
  expect((await run(['ls', '--url', urlAs('')])).err).toMatch(
    /^Reading schemas needs an account\. .*http:\/\/user:password@/,
  )
  const nobody = await run(['ls', '--url', 'http://u:s3cret@127.0.0.1:9'])
  expect(nobody.err).toMatch(/^No schema registry answers at http:\/\/127\.0\.0\.1:9: .+\.\n$/)
  expect((await run(['ls'], { STREAMFORGE_DATA_DIR: folder })).err).toMatch(
    /^No platform is running on .* or a registry with --url/,
  )
})
