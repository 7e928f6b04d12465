/**
 * Whether the stores of a process belong together and to those of the other processes; asked at the start of `up`, `edge` and `streams`, before any record is written.
 *
 * Invariants: the database holds the results of this very log; a schema id in the log's records means the same to every process. The second is what breaks
 * where processes with different data folders each keep an embedded schema registry: then one would take the other's records for poison.
 */
import { join } from 'node:path'
import type { Sql } from '../db/postgres/connect.ts'
import { claimLog, claimSchemaIds, LogMismatch, SchemaIdMismatch } from '../db/postgres/platform.ts'
import { ALERT_SCHEMA, avroType, subjectOf, VALUE_SCHEMAS } from '../streams/contract/avro.ts'
import { RegistryUnavailable, type SchemaRegistry, UnknownSchema } from '../streams/contract/codec.ts'
import { IncompatibleSchema } from '../streams/contract/schema-registry.ts'
import { ALERTS, INPUT_TOPICS } from '../streams/contract/topics.ts'
import { EMBEDDED_FOLDERS, type StoreSettings, type Stores } from '../streams/stores.ts'
import { CommandFailed } from './command.ts'

type Schema = Parameters<SchemaRegistry['register']>[1]

/** What a process writes to the log, by topic. */
export const EDGE_WRITES: ReadonlyMap<string, Schema> = new Map(INPUT_TOPICS.map((name) => [name, VALUE_SCHEMAS[name]]))
export const STREAMS_WRITE: ReadonlyMap<string, Schema> = new Map([[ALERTS, ALERT_SCHEMA]])

/** @throws CommandFailed where something belongs to another platform, or the schema registry does not answer */
export async function checkBelonging(
  sql: Sql,
  stores: Pick<Stores, 'log' | 'registry'>,
  settings: StoreSettings,
  writes: ReadonlyMap<string, Schema>,
): Promise<void> {
  try {
    await claimLog(sql, await stores.log.identity())
    await agreeOnSchemas(sql, stores.registry, writes)
  } catch (error) {
    if (error instanceof SchemaIdMismatch) throw new CommandFailed(otherRegistry(error.id, settings))
    const expected = [LogMismatch, RegistryUnavailable, IncompatibleSchema]
    if (expected.some((type) => error instanceof type)) throw new CommandFailed((error as Error).message)
    throw error
  }
}

/** @throws SchemaIdMismatch, and what the registry throws */
export async function agreeOnSchemas(
  sql: Sql,
  registry: SchemaRegistry,
  writes: ReadonlyMap<string, Schema>,
): Promise<void> {
  const own = new Map<number, string>()
  for (const [topic, schema] of writes)
    own.set(await registry.register(subjectOf(topic), schema), fingerprintOf(schema))
  for (const [id, fingerprint] of await claimSchemaIds(sql, own)) {
    const here = own.get(id) ?? (await fingerprintAt(registry, id))
    if (here !== fingerprint) throw new SchemaIdMismatch(id)
  }
}

async function fingerprintAt(registry: SchemaRegistry, id: number): Promise<string | null> {
  try {
    return fingerprintOf(await registry.schema(id))
  } catch (error) {
    if (error instanceof UnknownSchema) return null
    throw error
  }
}

/** Of the canonical form: what decides how bytes are read. */
const fingerprintOf = (schema: Schema): string => avroType(schema).fingerprint().toString('hex')

function otherRegistry(id: number, { registryUrl, dataDir }: StoreSettings): string {
  const here = registryUrl ? 'the one that SCHEMA_REGISTRY_URL names' : join(dataDir, EMBEDDED_FOLDERS.registry)
  return (
    `The other processes of this platform use another schema registry than this one (${here}): schema id ${id} is another schema there, and each would take the other's records for damaged. ` +
    'On one machine, give all the same STREAMFORGE_DATA_DIR. On several, give all the same SCHEMA_REGISTRY_URL; it may be the registry of one edge, e.g. ' +
    'http://admin:PASSWORD@EDGE:8080/schema-registry.'
  )
}
