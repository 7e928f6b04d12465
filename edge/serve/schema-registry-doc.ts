/** The operations of `/schema-registry`, as they are routed and as they are documented: one list for both. */
import { z } from '@hono/zod-openapi'
import { COMPATIBILITY_LEVELS } from '../../streams/contract/schema-registry.ts'

type Method = 'get' | 'post' | 'put' | 'delete'

interface Operation {
  method: Method
  /** Below /schema-registry, parameters in braces. */
  path: string
  summary: string
  answer: z.ZodType
  body?: z.ZodType
  query?: z.ZodObject
  /** For operators and admins. */
  changes?: true
  errors: readonly number[]
}

const CONTENT = 'application/vnd.schemaregistry.v1+json'
const level = z.enum(COMPATIBILITY_LEVELS)
const version = z.object({
  subject: z.string(),
  version: z.number().int(),
  id: z.number().int(),
  schema: z.string().describe('JSON text'),
})
const registration = z
  .object({
    schema: z.string().min(1).describe('The Avro schema as JSON text'),
    schemaType: z.literal('AVRO').optional(),
  })
  .openapi('SchemaRegistration')
const none = z.object({})

const OPERATIONS = {
  listSubjects: {
    method: 'get',
    path: '/subjects',
    summary: 'Subjects that have schemas',
    answer: z.array(z.string()),
    errors: [],
  },
  listVersions: {
    method: 'get',
    path: '/subjects/{subject}/versions',
    summary: 'Versions of a subject',
    answer: z.array(z.number().int()),
    errors: [404],
  },
  register: {
    method: 'post',
    path: '/subjects/{subject}/versions',
    summary: 'Register a schema; one that the subject has already keeps its id',
    answer: z.object({ id: z.number().int() }),
    body: registration,
    changes: true,
    errors: [409, 422],
  },
  getVersion: {
    method: 'get',
    path: '/subjects/{subject}/versions/{version}',
    summary: 'One version of a subject, or the latest',
    answer: version,
    errors: [404, 422],
  },
  lookUp: {
    method: 'post',
    path: '/subjects/{subject}',
    summary: 'Under which version the subject has a schema',
    answer: version,
    body: registration,
    errors: [404, 422],
  },
  getSchema: {
    method: 'get',
    path: '/schemas/ids/{id}',
    summary: 'The schema of an id',
    answer: z.object({ schema: z.string() }),
    errors: [404],
  },
  listUsages: {
    method: 'get',
    path: '/schemas/ids/{id}/versions',
    summary: 'Subjects and versions that use an id',
    answer: z.array(z.object({ subject: z.string(), version: z.number().int() })),
    errors: [404],
  },
  listTypes: {
    method: 'get',
    path: '/schemas/types',
    summary: 'Kinds of schemas that are understood',
    answer: z.array(z.literal('AVRO')),
    errors: [],
  },
  checkCompatibility: {
    method: 'post',
    path: '/compatibility/subjects/{subject}/versions/{version}',
    summary: 'Whether a schema is compatible with a version, by the level of the subject',
    answer: z.object({ is_compatible: z.boolean(), messages: z.array(z.string()).optional() }),
    body: registration,
    errors: [404, 422],
  },
  getConfig: {
    method: 'get',
    path: '/config',
    summary: 'The compatibility level of subjects that have none of their own',
    answer: z.object({ compatibilityLevel: level }),
    errors: [],
  },
  setConfig: {
    method: 'put',
    path: '/config',
    summary: 'Set that level',
    answer: z.object({ compatibility: level }),
    body: z.object({ compatibility: level }),
    changes: true,
    errors: [422],
  },
  getSubjectConfig: {
    method: 'get',
    path: '/config/{subject}',
    summary: 'The compatibility level of a subject',
    answer: z.object({ compatibilityLevel: level }),
    query: z.object({
      defaultToGlobal: z.enum(['true', 'false']).optional().describe('Answer the level of all where it has none'),
    }),
    errors: [404, 422],
  },
  setSubjectConfig: {
    method: 'put',
    path: '/config/{subject}',
    summary: 'Set that level',
    answer: z.object({ compatibility: level }),
    body: z.object({ compatibility: level }),
    changes: true,
    errors: [422],
  },
  deleteSubject: {
    method: 'delete',
    path: '/subjects/{subject}',
    summary: 'Refused: schemas are kept for ever',
    answer: none,
    changes: true,
    errors: [405],
  },
  deleteVersion: {
    method: 'delete',
    path: '/subjects/{subject}/versions/{version}',
    summary: 'Refused: schemas are kept for ever',
    answer: none,
    changes: true,
    errors: [405],
  },
} as const satisfies Record<string, Operation>

export type RegistryOperation = keyof typeof OPERATIONS

const ERRORS: Record<number, string> = {
  400: 'The body is no JSON',
  401: 'User and password, or a token, are missing or wrong',
  403: 'The account may not change schemas',
  404: 'No such subject, version or schema',
  405: 'Schemas are kept for ever',
  409: 'The schema is not compatible; the message names the field',
  413: 'The body is too large',
  415: 'The encoding of the body is not known',
  422: 'The schema, version or level is not valid',
  429: 'Too many sign-ins that failed; see Retry-After',
  431: 'Path, query and headers are larger than the server takes',
  500: 'Something went wrong here',
  503: 'Too much at once; see Retry-After',
}

/** Made anew for each document: only schemas made after zod-openapi was loaded can be named. */
export function registryOperations() {
  const error = z.object({ error_code: z.number().int(), message: z.string() }).openapi('SchemaRegistryError')
  return (Object.entries(OPERATIONS) as [RegistryOperation, Operation][]).map(([operation, o]) => {
    const path = `/schema-registry${o.path}`
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
    const statuses = [
      ...o.errors,
      401,
      ...(o.changes ? [403] : []),
      ...(o.body ? [400, 413, 415, 503] : []),
      429,
      431,
      500,
    ]
    const refused = o.errors.includes(405)
    const document = {
      method: o.method,
      path,
      tags: ['Schema registry'],
      summary: o.summary,
      security: o.changes ? [{ account: [] }, { token: [] }] : [{}, { account: [] }, { token: [] }],
      request: {
        ...(names.length > 0 && { params: z.object(Object.fromEntries(names.map((name) => [name, z.string()]))) }),
        ...(o.query && { query: o.query }),
        ...(o.body && { body: { required: true, content: { [CONTENT]: { schema: o.body } } } }),
      },
      responses: {
        ...(!refused && { 200: { description: o.summary, content: { [CONTENT]: { schema: o.answer } } } }),
        ...Object.fromEntries(
          statuses.map((status) => [
            status,
            { description: ERRORS[status] ?? 'Refused', content: { [CONTENT]: { schema: error } } },
          ]),
        ),
      },
    }
    return { operation, method: o.method, path, changes: o.changes === true, document }
  })
}
