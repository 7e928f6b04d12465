/**
 * The edge's API for commands that administer the platform: on its own machine with a token that is signed for the one command, elsewhere with one that is given.
 * So whatever a command changes is in the audit log as any other change.
 */
import type { Config } from '../db/config.ts'
import { createStreamForgeClient, type StreamForgeClient } from '../edge/client/index.ts'
import type { Role } from '../edge/ports.ts'
import { ownToken } from './access.ts'
import { CommandFailed, type CommandIo, UsageError } from './command.ts'
import { findPlatform } from './platform.ts'
import { reasonOf } from './reason.ts'
import { configAt } from './settings.ts'

const TIMEOUT_MS = 30_000

export const API_OPTIONS = { url: { type: 'string' }, token: { type: 'string' }, data: { type: 'string' } } as const
export const API_USAGE = `  --data DIR        the running platform's data folder (default: STREAMFORGE_DATA_DIR, else ./data)
  --url URL         an edge elsewhere, e.g. https://events.example
  --token TOKEN     an access token for it (default: STREAMFORGE_TOKEN)`

export interface EdgeApi {
  url: string
  client: StreamForgeClient
}

/** @param role what the command needs. @throws UsageError, CommandFailed */
export async function findEdgeApi(
  given: { url?: string | undefined; token?: string | undefined; data?: string | undefined },
  role: Role,
  io: Pick<CommandIo, 'env' | 'cwd' | 'clock'>,
): Promise<EdgeApi> {
  if (given.url !== undefined && !(URL.canParse(given.url) && /^https?:$/.test(new URL(given.url).protocol)))
    throw new UsageError(`--url takes an http or https URL, not "${given.url}".`)
  const config = configAt(given, io)
  const token = given.token ?? config.token?.reveal()
  if (given.url !== undefined && token === undefined)
    throw new UsageError(
      `The edge at ${given.url} needs an access token: give --token or set STREAMFORGE_TOKEN ("streamforge token --role ${role}" prints one on its machine).`,
    )
  const url = given.url ?? (await findPlatform(config.dataDir))?.edge_url
  if (url === undefined)
    throw new CommandFailed(
      `No platform is running on ${config.dataDir}. Start one with "npm start", name its data folder with --data, or an edge elsewhere with --url.`,
    )
  return { url, client: await clientOf(url, { config, role, token, clock: io.clock }) }
}

interface Caller {
  config: Pick<Config, 'dataDir' | 'jwtSecret'>
  role: Role
  token?: string | undefined
  clock: CommandIo['clock']
}

async function clientOf(url: string, { config, role, token, clock }: Caller): Promise<StreamForgeClient> {
  return createStreamForgeClient({
    baseUrl: url,
    token: token ?? (await ownToken(config, clock, { role })),
    fetch: (request) =>
      fetch(request, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error: Error) => {
        throw new CommandFailed(`Nobody answers at ${url}: ${reasonOf(error)}.`)
      }),
  })
}

/** What the API answered. @throws CommandFailed with the sentence of a refusal */
export async function answerOf<T>(asked: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await asked
  if (response.ok) return data as T
  const { detail } = (error ?? {}) as { detail?: string }
  throw new CommandFailed(detail ?? `${new URL(response.url).origin} answered ${response.status}: is it an edge?`)
}

/** @returns the address of the dashboard, with a code behind it that signs in once */
export async function loginLink({ url, client }: EdgeApi, role: Role): Promise<string> {
  const { data } = await answerOf(client.POST('/auth/links', { body: { role } }))
  return `${url.replace(/\/+$/, '')}/#login=${data.code}`
}

/** For the platform's own screen. */
export async function ownLoginLink(url: string, caller: Omit<Caller, 'role'>): Promise<string> {
  return loginLink({ url, client: await clientOf(url, { ...caller, role: 'admin' }) }, 'admin')
}
