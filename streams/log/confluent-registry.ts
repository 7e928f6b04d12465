/**
 * The schema registry of the cluster form: any with Confluent's REST API, ours on the edge included. The port of `codec.ts` through `@kafkajs/confluent-schema-registry`.
 *
 * Invariants: what is registered already is only looked up, so that a restart needs no right to write; a schema is fetched once; a registry that does not
 * answer is never taken for one that does not know (that would turn good records into dead letters).
 */
import { SchemaRegistry as Client, type COMPATIBILITY, SchemaType } from '@kafkajs/confluent-schema-registry'
import type { Schema } from 'avsc'
import { RegistryUnavailable, type SchemaRegistry, UnknownSchema } from '../contract/codec.ts'
import { IncompatibleSchema } from '../contract/schema-registry.ts'
import { registryAddress } from './registry-address.ts'

export interface ConfluentRegistryOptions {
  /** `http(s)://[user:password@]host[:port][/path]`; for our own edge `http://…/schema-registry`. */
  url: string
  /** How long one request may take. */
  timeoutMs?: number
}

const CLIENT_ID = 'streamforge'
const TIMEOUT_MS = 5_000
/** Confluent's error code for an id that no schema has. */
const SCHEMA_NOT_FOUND = 40403

/** Makes no request yet. */
export function createConfluentRegistry({ url, timeoutMs = TIMEOUT_MS }: ConfluentRegistryOptions): SchemaRegistry {
  const { base: host, auth, headers } = registryAddress(url)
  const client = new Client({
    host,
    clientId: CLIENT_ID,
    // The callers try again themselves, for as long as it takes.
    retry: { retries: 0 },
    ...(auth && { auth }),
    middlewares: [
      // By a signal, which ends the connection too; the client's own timeout would leave it open.
      () => ({ prepareRequest: async (next) => (await next()).enhance({ signal: AbortSignal.timeout(timeoutMs) }) }),
    ],
  })

  const unavailable = (error: unknown): RegistryUnavailable =>
    new RegistryUnavailable(
      `The schema registry at ${host} did not do its part: ${messageOf(error)}. SCHEMA_REGISTRY_URL says where it is, with user and password where it asks for them.`,
      { cause: error },
    )

  async function registered(subject: string, schema: string): Promise<number | null> {
    try {
      return await client.getRegistryIdBySchema(subject, { type: SchemaType.AVRO, schema })
    } catch (error) {
      if (isNamed(error, 'ConfluentSchemaRegistryError')) return null
      throw unavailable(error)
    }
  }

  async function register(subject: string, schema: string, compatibility?: COMPATIBILITY): Promise<number> {
    try {
      const options = { subject, ...(compatibility && { compatibility }) }
      return (await client.register({ type: SchemaType.AVRO, schema }, options)).id
    } catch (error) {
      // The client insists on BACKWARD unless told otherwise. Which level a subject has is its owner's affair; the registry holds us to it.
      const level = isNamed(error, 'ConfluentSchemaRegistryCompatibilityError') && /!= (\w+)\)$/.exec(messageOf(error))
      if (level && !compatibility) return register(subject, schema, level[1] as COMPATIBILITY)
      if (statusOf(error) === 409) throw new IncompatibleSchema(refusalOf(subject, messageOf(error)), { cause: error })
      throw unavailable(error)
    }
  }

  /** A 404 may also come from what is no registry, or from a wrong path; and a schema that is there may be one that the client can't use. */
  async function whatIsAt(id: number): Promise<'nothing' | 'a schema' | 'no answer'> {
    const response = await fetch(`${host}/schemas/ids/${id}`, { headers, signal: AbortSignal.timeout(timeoutMs) })
    const body = (await response.json()) as { error_code?: unknown; schema?: unknown }
    if (response.status === 404 && body.error_code === SCHEMA_NOT_FOUND) return 'nothing'
    return response.ok && typeof body.schema === 'string' ? 'a schema' : 'no answer'
  }

  return {
    async register(subject, schema) {
      const text = JSON.stringify(schema)
      return (await registered(subject, text)) ?? (await register(subject, text))
    },
    async schema(id) {
      let found: Awaited<ReturnType<Client['getSchema']>>
      try {
        found = await client.getSchema(id)
      } catch (error) {
        const status = statusOf(error)
        const found = status === 404 || status === undefined ? await whatIsAt(id).catch(() => 'no answer') : 'no answer'
        if (found === 'nothing') throw new UnknownSchema(`Schema ${id} is not in the registry`, { cause: error })
        // It answered: waiting would change nothing.
        if (found === 'a schema' && status === undefined) {
          throw new UnknownSchema(`Schema ${id} can't be used: ${messageOf(error)}`, { cause: error })
        }
        throw unavailable(error)
      }
      // The client's type for Avro leaves out most of what avsc's types have; those of other formats lack it.
      const type = found as { schema?: (options: { exportAttrs: boolean }) => Schema }
      if (typeof type.schema !== 'function') throw new UnknownSchema(`Schema ${id} is not Avro`)
      return type.schema({ exportAttrs: true })
    },
  }
}

/** The client's errors are told apart by name and status: it exports no classes of theirs. */
const isNamed = (error: unknown, name: string): boolean => error instanceof Error && error.name === name
const statusOf = (error: unknown): unknown => (error as { status?: unknown } | null)?.status

const messageOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error)
  return message
    .replace(`${CLIENT_ID} - `, '')
    .replace(/^Error, status 400: (?=\w)/, '') // what the client makes of a connection that failed
    .replace(': [object Object]', '')
    .replace(/\.$/, '')
}

/** Ours says it in whole sentences already. */
const refusalOf = (subject: string, message: string): string =>
  message.includes(`"${subject}"`) ? `${message}.` : `The schema can't be registered under "${subject}": ${message}.`
