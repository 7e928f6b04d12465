/**
 * The registry client against the edge's own registry API over a real socket; and for both forms of the registry, that records outlive changes of their schema:
 * written by older code and read by newer, and the other way round, through a real log.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SchemaRegistry as ConfluentClient, SchemaType } from '@kafkajs/confluent-schema-registry'
import avro, { type Schema } from 'avsc'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Served, serve } from '../../edge/runtime/node.ts'
import { createHarness, memoryUsers } from '../../edge/testing/harness.ts'
import { quickHash } from '../../edge/testing/quick-hash.ts'
import { subjectOf, VALUE_SCHEMAS } from '../contract/avro.ts'
import {
  createDecoder,
  createEncoder,
  RegistryUnavailable,
  type SchemaRegistry,
  UnknownSchema,
} from '../contract/codec.ts'
import type { Order } from '../contract/events.ts'
import { IncompatibleSchema } from '../contract/schema-registry.ts'
import { ORDERS } from '../contract/topics.ts'
import { createConfluentRegistry } from './confluent-registry.ts'
import { openEmbeddedLog } from './embedded.ts'
import { type EmbeddedRegistry, openEmbeddedRegistry } from './embedded-registry.ts'

const SUBJECT = subjectOf(ORDERS)
const at = { appendedAtMs: Date.UTC(2026, 0, 31, 12), partition: 0, offset: 0 }
const order: Order = {
  order_id: 'o-1',
  user_id: 'u-1',
  product_id: 'çay',
  category: null,
  quantity: 2,
  amount_minor: 12_345,
  currency: 'TRY',
  region: 'north',
  status: 'success',
  event_time: at.appendedAtMs,
  original_time: null,
  sent_at: null,
  received_at: at.appendedAtMs,
  properties: null,
}

type RecordSchema = { type: 'record'; name: string; namespace: string; fields: { name: string }[] }
const current = VALUE_SCHEMAS[ORDERS] as unknown as RecordSchema // avsc's Schema is a union that hides the fields
const changed = (fields: object[]): Schema => ({ ...current, fields }) as Schema
/** As it was before regions, and as it will be with coupons. */
const older = changed(current.fields.filter(({ name }) => name !== 'region'))
const newer = changed([{ name: 'coupon', type: ['null', 'string'], default: null }, ...current.fields])
const impossible = changed([...current.fields, { name: 'tax_minor', type: 'long' }])

let folder: string
let embedded: EmbeddedRegistry
let edge: Served
let requests: string[]
const hashes = await Promise.all(['right horse', 'staple'].map(quickHash))
const logins = { admin: 'root:right%20horse', viewer: 'eve:staple' }

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamforge-registry-'))
  embedded = openEmbeddedRegistry(join(folder, 'registry'))
  await startServing(0)
})
afterEach(async () => {
  await edge.close()
  await embedded.close()
  await rm(folder, { recursive: true })
})

async function startServing(port: number): Promise<void> {
  requests = []
  const { app } = await createHarness({
    schemas: embedded,
    users: memoryUsers(
      { username: 'root', password_hash: hashes[0]!, role: 'admin' },
      { username: 'eve', password_hash: hashes[1]!, role: 'viewer' },
    ),
  })
  edge = await serve({
    host: '127.0.0.1',
    port,
    fetch: (request) => {
      requests.push(`${request.method} ${new URL(request.url).pathname.replace('/schema-registry', '')}`)
      return app.fetch(request)
    },
  })
}

const urlAs = (login: string): string => `http://${login}@127.0.0.1:${edge.port}/schema-registry`
const connect = (login = logins.admin, timeoutMs = 30_000) => createConfluentRegistry({ url: urlAs(login), timeoutMs })
const confluentClient = () =>
  new ConfluentClient({
    host: `http://127.0.0.1:${edge.port}/schema-registry`,
    auth: { username: 'root', password: 'right horse' },
  })

async function decode(registry: SchemaRegistry, value: Buffer): Promise<object> {
  const decoder = createDecoder(ORDERS, registry, 'TRY')
  await decoder.prepare([{ value }])
  return { ...decoder.decode(value, at) }
}

async function written(registry: SchemaRegistry, schema: Schema, value: object): Promise<Buffer> {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(await registry.register(SUBJECT, schema), 1)
  return Buffer.concat([header, avro.Type.forSchema(schema, { logicalTypes: {} }).toBuffer(value)])
}

describe("a registry with Confluent's API", () => {
  it('gives a schema one id, however often and by whomever it is registered', async () => {
    const ids = [await connect().register(SUBJECT, older), await connect().register(SUBJECT, newer)]
    expect(ids).toEqual([1, 2])
    expect([await connect().register(SUBJECT, older), await embedded.register(SUBJECT, newer)]).toEqual(ids)
    expect(embedded.level(SUBJECT)).toBe('BACKWARD')
    await edge.close()
    await embedded.close()
    embedded = openEmbeddedRegistry(join(folder, 'registry'))
    await startServing(0)
    expect([await connect().register(SUBJECT, older), await connect().register(SUBJECT, newer)]).toEqual(ids)
  })

  it('is only read by a process whose schemas are known: an account that may read will do', async () => {
    await connect().register(SUBJECT, older)
    requests.length = 0
    expect(await connect(logins.viewer).register(SUBJECT, older)).toBe(1)
    expect(requests).toEqual([`POST /subjects/${SUBJECT}`])
    await expect(connect(logins.viewer).register(SUBJECT, newer)).rejects.toThrow(
      /did not do its part: Changing schemas takes an operator or an admin/,
    )
  })

  it('is asked once per schema, not once per record', async () => {
    const encode = await createEncoder(ORDERS, connect())
    const reader = connect()
    const decoder = createDecoder(ORDERS, reader, 'TRY')
    requests.length = 0
    for (let i = 0; i < 500; i++) {
      const value = encode({ ...order, order_id: `o-${i}` })
      await decoder.prepare([{ value }])
      expect(decoder.decode(value, at).order_id).toBe(`o-${i}`)
    }
    expect(requests).toEqual(['GET /schemas/ids/1'])
    await Promise.all(Array.from({ length: 10 }, () => reader.schema(1)))
    expect(requests).toHaveLength(1)
  })

  it("reads and writes what Confluent's client for kafkajs writes and reads", async () => {
    const client = confluentClient()
    const { id } = await client.register(
      { type: SchemaType.AVRO, schema: JSON.stringify(current) },
      { subject: SUBJECT },
    )
    const registry = connect()
    expect(await decode(registry, await client.encode(id, order))).toEqual(order)
    expect({ ...(await client.decode((await createEncoder(ORDERS, registry))(order))) }).toEqual(order)
    expect(await client.getLatestSchemaId(SUBJECT)).toBe(id)
    expect(await client.getRegistryId(SUBJECT, 1)).toBe(id)
  })

  it('refuses a schema that can not read what is there, and the refusal names the field', async () => {
    await createEncoder(ORDERS, connect())
    for (const registry of [connect(), embedded]) {
      const refused = registry.register(SUBJECT, impossible)
      await expect(refused).rejects.toBeInstanceOf(IncompatibleSchema)
      await expect(refused).rejects.toThrow(
        `The schema can't be registered under "${SUBJECT}", which is to stay BACKWARD compatible: ` +
          'field "tax_minor" has no default in the new schema, and version 1 does not have it.',
      )
    }
    await expect(
      confluentClient().register({ type: SchemaType.AVRO, schema: JSON.stringify(impossible) }, { subject: SUBJECT }),
    ).rejects.toThrow('field "tax_minor"')
  })

  it('refuses our own schemas at the start, where the subject holds something else', async () => {
    await embedded.register(SUBJECT, { type: 'record', name: 'Order', namespace: 'streamforge', fields: [] })
    for (const registry of [connect(), embedded]) {
      await expect(createEncoder(ORDERS, registry)).rejects.toThrow(/field "order_id" has no default/)
    }
  })

  it('keeps the level that its owner gave the subject', async () => {
    await embedded.setLevel(SUBJECT, 'FULL')
    expect(await connect().register(SUBJECT, older)).toBe(1)
    expect(await connect().register(SUBJECT, changed(current.fields))).toBe(2)
    expect(embedded.level(SUBJECT)).toBe('FULL')
    const fewer = changed(current.fields.filter(({ name }) => name !== 'amount_minor'))
    await expect(connect().register(SUBJECT, fewer)).rejects.toThrow(/FULL compatible: field "amount_minor"/)
  })
})

describe('a schema that can not be had', () => {
  const value = Buffer.from([0, 0, 0, 0, 1, 2])

  it('is unknown where the registry says so', async () => {
    await expect(connect().schema(1)).rejects.toBeInstanceOf(UnknownSchema)
  })

  it('is not unknown where there is no registry, where the path is wrong, or where it does not answer', async () => {
    const silent = await listening()
    const { port } = silent.address() as { port: number }
    const urls = [
      'http://127.0.0.1:9/schema-registry',
      `http://root:s3cret@127.0.0.1:${edge.port}/schema-registree`,
      urlAs('root:s3cret').replace('127.0.0.1', 'localhost.invalid'),
      `http://127.0.0.1:${port}`,
    ]
    for (const url of urls) {
      const registry = createConfluentRegistry({ url, timeoutMs: 300 })
      for (const attempt of [
        () => registry.schema(1),
        () => registry.register(SUBJECT, older),
        () => prepare(registry),
      ]) {
        const failure = await Promise.resolve(attempt()).catch((error: Error) => error)
        expect(failure, url).toBeInstanceOf(RegistryUnavailable)
        expect((failure as Error).message).not.toContain('s3cret')
      }
    }
    // Nothing is left open to the one that never answers.
    await new Promise((resolve) => silent.close(resolve))
  })

  it('is unknown as well where it is there, but of a kind that can not be read: waiting would change nothing', async () => {
    const schemas = [
      { schema: JSON.stringify({ type: 'record', name: 'Order', fields: [{ name: 'a', type: 'elsewhere.Type' }] }) },
      { schema: 'message Broken {', schemaType: 'PROTOBUF' },
      { schema: 'no schema at all' },
    ]
    const other = createHttpServer((request, response) => {
      response.setHeader('content-type', 'application/vnd.schemaregistry.v1+json')
      response.end(JSON.stringify(schemas[Number(request.url?.split('/').pop()) - 1]))
    })
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as { port: number }
    const registry = createConfluentRegistry({ url: `http://127.0.0.1:${port}` })
    for (const id of schemas.keys()) {
      const refused = registry.schema(id + 1)
      await expect(refused).rejects.toBeInstanceOf(UnknownSchema)
      await expect(refused).rejects.toThrow(`Schema ${id + 1} `)
    }
    other.closeAllConnections()
    await new Promise((resolve) => other.close(resolve))
  })

  it('is had as soon as it is registered, also by a reader that was told before that there is none', async () => {
    const reader = connect()
    await expect(reader.schema(1)).rejects.toBeInstanceOf(UnknownSchema)
    await embedded.register(SUBJECT, older)
    expect(await reader.schema(1)).toMatchObject({ name: 'streamforge.Order' })
  })

  it('is had as soon as the registry is back', async () => {
    const registry = connect()
    await registry.register(SUBJECT, older)
    const { port } = edge
    await edge.close()
    const reader = createConfluentRegistry({ url: urlAs(logins.admin) })
    await expect(reader.schema(1)).rejects.toBeInstanceOf(RegistryUnavailable)
    await startServing(port)
    expect(await reader.schema(1)).toMatchObject({ type: 'record', name: 'streamforge.Order' })
  })

  const prepare = (registry: SchemaRegistry) => createDecoder(ORDERS, registry, 'TRY').prepare([{ value }])
})

describe.each(['embedded', 'confluent'] as const)('with the %s registry', (form) => {
  it('records of older, present and newer code are read together from the log, each with what its reader knows', async () => {
    const registry: SchemaRegistry = form === 'embedded' ? embedded : connect()
    const log = await openEmbeddedLog({ folder: join(folder, 'log') })
    const { region: _, ...withoutRegion } = order
    const values = [
      await written(registry, older, withoutRegion),
      (await createEncoder(ORDERS, registry))(order),
      await written(registry, newer, { ...order, coupon: 'SPRING' }),
    ]
    await log.append(values.map((value) => ({ topic: ORDERS, key: 'u-1', value })))
    expect(embedded.versions(SUBJECT)).toEqual([1, 2, 3])

    // The present code, newer than the first writer and older than the last, started afresh.
    const reader: SchemaRegistry = form === 'embedded' ? embedded : connect()
    const decoder = createDecoder(ORDERS, reader, 'TRY')
    const partitions = await Promise.all([0, 1, 2, 3].map((partition) => log.read({ topic: ORDERS, partition }, 0, 10)))
    const records = partitions.flat()
    await decoder.prepare(records)
    expect(records.map(({ value, offset }) => ({ ...decoder.decode(value, { ...at, offset }) }))).toEqual([
      { ...order, region: null },
      order,
      order,
    ])
    await log.close()
  })
})

async function listening(): Promise<Server> {
  const server = createServer((socket) => socket.resume().on('error', () => undefined))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
