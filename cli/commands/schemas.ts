/** `streamforge schemas`: what the schema registry holds, the platform's own or the one that SCHEMA_REGISTRY_URL names. Reads only, by its REST API. */
import { z } from 'zod'
import { registryAddress } from '../../streams/log/registry-address.ts'
import { ownToken } from '../access.ts'
import { CommandFailed, type CommandIo, defineCommand, parseArguments, UsageError } from '../command.ts'
import { findPlatform } from '../platform.ts'
import { reasonOf } from '../reason.ts'
import { configAt } from '../settings.ts'
import { textTable } from '../text-table.ts'

const TIMEOUT_MS = 5_000

const version = z.object({ subject: z.string(), version: z.number(), id: z.number(), schema: z.string() })
type Version = z.output<typeof version>

export const schemas = defineCommand({
  name: 'schemas',
  usage: `streamforge schemas ls              subjects with their newest version
streamforge schemas show SUBJECT    its versions, and the newest schema

The registry is the running platform's, else the one that SCHEMA_REGISTRY_URL names.

  --version N       show this version of the subject
  --json            for programs
  --data DIR        data folder of the running platform (default: STREAMFORGE_DATA_DIR, else ./data)
  --url URL         a registry elsewhere, e.g. http://user:password@127.0.0.1:8080/schema-registry`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      version: { type: 'string' },
      json: { type: 'boolean', default: false },
      data: { type: 'string' },
      url: { type: 'string' },
    })
    const [verb, subject, ...more] = positionals
    if (verb === 'ls' && subject === undefined) {
      const get = await findRegistry(values, io)
      await list(get, values.json, io)
    } else if (verb === 'show' && subject !== undefined && more.length === 0) {
      const get = await findRegistry(values, io)
      await show(get, subject, values.version ?? 'latest', values.json, io)
    } else throw new UsageError('schemas takes "ls", or "show" and a subject.')
    return 0
  },
})

type Get = <S extends z.ZodType>(path: string, answer: S) => Promise<z.output<S>>

async function list(get: Get, json: boolean, io: CommandIo): Promise<void> {
  const subjects = await get('/subjects', z.array(z.string()))
  const newest = await Promise.all(subjects.map((s) => get(`${pathOf(s)}/latest`, version)))
  if (json) io.out(`${JSON.stringify(newest.map(({ schema: _, ...rest }) => rest))}\n`)
  else if (newest.length === 0) io.out('There are no schemas yet.\n')
  else
    io.out(
      textTable(
        ['SUBJECT', 'VERSION', 'ID'],
        newest.map((v) => [v.subject, `${v.version}`, `${v.id}`]),
      ),
    )
}

async function show(get: Get, subject: string, which: string, json: boolean, io: CommandIo): Promise<void> {
  const numbers = await get(pathOf(subject), z.array(z.number()))
  const shown = await get(`${pathOf(subject)}/${encodeURIComponent(which)}`, version)
  const schema: unknown = JSON.parse(shown.schema)
  if (json) {
    io.out(`${JSON.stringify({ ...shown, schema, versions: numbers })}\n`)
    return
  }
  const versions: Version[] = await Promise.all(numbers.map((n) => get(`${pathOf(subject)}/${n}`, version)))
  io.out(
    textTable(
      ['VERSION', 'ID'],
      versions.map((v) => [`${v.version}`, `${v.id}`]),
    ),
  )
  io.out(`\nVersion ${shown.version}:\n${JSON.stringify(schema, null, 2)}\n`)
}

const pathOf = (subject: string): string => `/subjects/${encodeURIComponent(subject)}/versions`

async function findRegistry(
  given: { url?: string | undefined; data?: string | undefined },
  io: Pick<CommandIo, 'env' | 'cwd' | 'clock'>,
): Promise<Get> {
  if (given.url !== undefined && !(URL.canParse(given.url) && /^https?:$/.test(new URL(given.url).protocol)))
    throw new UsageError('--url takes an http or https URL.')
  const config = configAt(given, io)
  const named = given.url ?? config.schemaRegistryUrl?.reveal()
  const address = registryAddress(named ?? (await ownRegistry(config.dataDir)))
  const { base } = address
  const headers =
    named === undefined ? { authorization: `Bearer ${await ownToken(config, io.clock)}` } : address.headers
  return async (path, answer) => {
    let response: Response
    let body: unknown
    try {
      response = await fetch(base + path, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) })
      body = await response.json()
    } catch (error) {
      throw new CommandFailed(`No schema registry answers at ${base}: ${reasonOf(error as Error)}.`)
    }
    if (!response.ok) {
      const { message } = z.looseObject({ message: z.string().optional() }).parse(body)
      throw new CommandFailed(message ?? `${base} answered ${response.status}: is it a schema registry?`)
    }
    return answer.parse(body)
  }
}

async function ownRegistry(dataDir: string): Promise<string> {
  const platform = await findPlatform(dataDir)
  if (platform) return `${platform.edge_url}/schema-registry`
  throw new CommandFailed(
    `No platform is running on ${dataDir}. Start one with "npm start", name its data folder with --data, or a registry with --url or SCHEMA_REGISTRY_URL.`,
  )
}
