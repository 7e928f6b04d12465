/**
 * `/schema-registry/*`: the embedded registry by the part of Confluent's REST API that clients use, so that any serializer, console or script made for
 * Confluent's works with ours. Answers and errors are in Confluent's form, not in the edge's own. Source: Confluent, "Schema Registry API Reference".
 */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { compatibilityProblems, parseSchema } from '../../streams/contract/compatibility.ts'
import {
  COMPATIBILITY_LEVELS,
  type CompatibilityLevel,
  IncompatibleSchema,
  InvalidSchema,
  InvalidSubject,
  type SubjectRegistry,
  type SubjectVersion,
} from '../../streams/contract/schema-registry.ts'
import type { RegistryAccess } from '../auth/registry-access.ts'
import { readText, WEB_DECOMPRESSORS } from '../ingest/body.ts'
import { createPressure } from '../ingest/pressure.ts'
import { Problem, type ProblemCode, problemHeaders } from '../problem.ts'
import { type RegistryOperation, registryOperations } from './schema-registry-doc.ts'

export interface SchemaRegistryDeps {
  /** null: the platform's schemas are in another registry, which is not served here. */
  schemas: SubjectRegistry | null
  access: RegistryAccess
}

export const REGISTRY_CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json'
const BODY_LIMITS = { compressedBytesMax: 256 * 1024, decompressedBytesMax: 1024 * 1024 }
const VERSION_MAX = 2 ** 31 - 1
const SUBJECT_BYTES_MAX = 1000

export const isRegistryPath = (path: string): boolean => /^(\/api\/v1)?\/schema-registry(\/|$)/.test(path)

/** A problem as Confluent's clients read it. */
export const registryProblem = (c: Context, problem: Problem): Response =>
  c.body(
    JSON.stringify({ error_code: problem.members.error_code ?? problem.status, message: problem.message }),
    problem.status,
    { ...problemHeaders(problem), 'content-type': REGISTRY_CONTENT_TYPE },
  )

export function addSchemaRegistryRoutes(api: OpenAPIHono, { schemas, access }: SchemaRegistryDeps): void {
  const pressure = createPressure({ requestsMax: 32, bytesMax: 8 * 1024 * 1024 })

  async function body<S extends z.ZodType>(c: Context, schema: S): Promise<z.output<S>> {
    const ticket = pressure.enter()
    let value: unknown
    try {
      value = JSON.parse(await readText(c.req.raw, BODY_LIMITS, WEB_DECOMPRESSORS, ticket))
    } catch (error) {
      if (error instanceof Problem && error.code !== 'malformed_body') throw error
      throw refusal('malformed_body', 400, 'The body is empty, broke off, or is not valid JSON.')
    } finally {
      ticket.leave()
    }
    const parsed = schema.safeParse(value)
    if (parsed.success) return parsed.data
    const { path, message } = parsed.error.issues[0]!
    throw refusal('unprocessable', 422, `${path.join('.') || 'The body'}: ${message}`)
  }

  const held = (): SubjectRegistry => {
    if (schemas) return schemas
    throw refusal(
      'not_found',
      404,
      'The schemas of this platform are in the registry that SCHEMA_REGISTRY_URL names; ask that one.',
    )
  }

  const schemaOf = async (c: Context) => {
    const { schema, schemaType, references } = await body(c, registration)
    if (schemaType !== undefined && schemaType !== 'AVRO')
      throw refusal('unprocessable', 42201, `Schemas are AVRO here, not ${schemaType}`)
    if (references?.length) throw refusal('unprocessable', 42201, 'Schemas with references are not supported here')
    return parseSchema(schema)
  }

  function versionOf(c: Context, subject: string): SubjectVersion {
    const given = c.req.param('version') ?? ''
    const version = given === 'latest' || given === '-1' ? 'latest' : Number(given)
    if (version !== 'latest' && !(/^\d+$/.test(given) && version >= 1 && version <= VERSION_MAX)) {
      throw refusal(
        'unprocessable',
        42202,
        `The specified version '${given.slice(0, 40)}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"`,
      )
    }
    if (held().versions(subject).length === 0) throw noSubject(subject)
    return held().version(subject, version) ?? missing(40402, `Version ${given} not found.`)
  }

  const handlers: Record<RegistryOperation, (c: Context) => unknown> = {
    listSubjects: () => held().subjects(),
    listVersions: (c) => {
      const subject = subjectOf(c)
      const versions = held().versions(subject)
      return versions.length > 0 ? versions : missing(40401, `Subject '${subject}' not found.`)
    },
    getVersion: (c) => versionOf(c, subjectOf(c)),
    getSchema: (c) => ({ schema: held().text(idOf(c)) ?? missing(40403, `Schema ${c.req.param('id')} not found`) }),
    listUsages: (c) => {
      const usages = held().usages(idOf(c))
      return usages.length > 0 ? usages : missing(40403, `Schema ${c.req.param('id')} not found`)
    },
    listTypes: () => ['AVRO'],
    lookUp: async (c) => {
      const subject = subjectOf(c)
      const schema = await schemaOf(c)
      if (held().versions(subject).length === 0) throw noSubject(subject)
      return held().lookup(subject, schema) ?? missing(40403, 'Schema not found')
    },
    register: async (c) => {
      const subject = subjectOf(c)
      const schema = await schemaOf(c)
      return { id: await held().register(subject, schema) }
    },
    checkCompatibility: async (c) => {
      const subject = subjectOf(c)
      const schema = await schemaOf(c)
      const { version, schema: text } = versionOf(c, subject)
      const level = held().level(subject) ?? held().level(null)
      const messages = compatibilityProblems(level, schema, [{ version, schema: parseSchema(text) }])
      return { is_compatible: messages.length === 0, ...(messages.length > 0 && { messages }) }
    },
    getConfig: () => ({ compatibilityLevel: held().level(null) }),
    setConfig: async (c) => {
      const compatibility = await levelOf(c)
      await held().setLevel(null, compatibility)
      return { compatibility }
    },
    getSubjectConfig: (c) => {
      const subject = subjectOf(c)
      const asked = c.req.query('defaultToGlobal') ?? 'false'
      if (asked !== 'true' && asked !== 'false')
        throw refusal('unprocessable', 422, 'defaultToGlobal is true or false.')
      const toGlobal = asked === 'true'
      const level = held().level(subject) ?? (toGlobal ? held().level(null) : null)
      if (level) return { compatibilityLevel: level }
      return missing(40408, `Subject '${subject}' does not have subject-level compatibility configured`)
    },
    setSubjectConfig: async (c) => {
      const subject = subjectOf(c)
      const compatibility = await levelOf(c)
      await held().setLevel(subject, compatibility)
      return { compatibility }
    },
    deleteSubject: keptForEver,
    deleteVersion: keptForEver,
  }

  async function levelOf(c: Context): Promise<CompatibilityLevel> {
    const { compatibility } = await body(c, z.object({ compatibility: z.string() }))
    const level = COMPATIBILITY_LEVELS.find((l) => l === compatibility.toUpperCase())
    if (level) return level
    throw refusal(
      'unprocessable',
      42203,
      `Invalid compatibility level. Valid values are ${COMPATIBILITY_LEVELS.join(', ')}`,
    )
  }

  for (const { operation, path, method, changes, document } of registryOperations()) {
    api.openAPIRegistry.registerPath(document)
    const guard = changes ? access.mayChange : access.mayRead
    api.on(method.toUpperCase(), [path.replaceAll(/\{(\w+)\}/g, ':$1')], guard, async (c: Context) => {
      try {
        const answer = await handlers[operation](c)
        return c.body(JSON.stringify(answer), 200, { 'content-type': REGISTRY_CONTENT_TYPE })
      } catch (error) {
        throw asProblem(error)
      }
    })
  }
}

const registration = z.object({
  schema: z.string().min(1),
  schemaType: z.string().optional(),
  references: z.array(z.unknown()).nullish(),
})

const refusal = (code: ProblemCode, errorCode: number, message: string): Problem =>
  new Problem(code, message, { members: { error_code: errorCode } })

function missing(errorCode: number, message: string): never {
  throw refusal('not_found', errorCode, message)
}

const noSubject = (subject: string): Problem => refusal('not_found', 40401, `Subject '${subject}' not found.`)

function subjectOf(c: Context): string {
  const subject = c.req.param('subject') ?? ''
  if (!subject.includes('\0') && new TextEncoder().encode(subject).length <= SUBJECT_BYTES_MAX) return subject
  throw refusal('unprocessable', 42208, `A subject is 1 to ${SUBJECT_BYTES_MAX} bytes of text without NUL`)
}

function idOf(c: Context): number {
  const given = c.req.param('id') ?? ''
  if (/^\d{1,10}$/.test(given)) return Number(given)
  return missing(404, 'An id is a whole number')
}

function keptForEver(): never {
  throw new Problem(
    'method_not_allowed',
    'Schemas are kept for ever: records of the log and of the lake name them by id. Register a new version instead.',
  )
}

function asProblem(error: unknown): unknown {
  if (error instanceof IncompatibleSchema) return refusal('incompatible_schema', 409, error.message)
  if (error instanceof InvalidSchema) return refusal('unprocessable', 42201, error.message)
  if (error instanceof InvalidSubject) return refusal('unprocessable', 42208, error.message)
  return error
}
