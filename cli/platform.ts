/**
 * The platform that runs on a data folder, as `running.json` there describes it, and how a command finds the edge and the key it needs.
 * `streamforge up` writes the file when everything listens and removes it when it ends; after a crash it is left behind, so the process is checked. Where there is
 * no `up`, an edge that runs on the folder as a process of its own stands for the platform.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Config } from '../db/config.ts'
import { isAlive } from '../db/process.ts'
import { loadSecrets } from '../db/secrets.ts'
import { CommandFailed, type CommandIo, UsageError } from './command.ts'
import { addresses, findProcesses } from './processes.ts'
import { configAt } from './settings.ts'

export const RUNNING_FILE = 'running.json'

/** Of `up`: how far Temporal and the worker are, which begin after the rest; with the reason where they don't run. */
const workflowsState = z.object({
  state: z.enum(['off', 'building', 'starting', 'running', 'missing', 'failed']),
  problem: z.string().optional(),
})
export type WorkflowsState = z.output<typeof workflowsState>

const running = z.looseObject({
  pid: z.number().int().positive(),
  started_at: z.string(),
  edge_url: z.url(),
  ...addresses.shape,
  workflows: workflowsState.optional(),
  data_dir: z.string(),
})
/** Further addresses are kept as they are. */
export type RunningPlatform = z.output<typeof running>

/** @returns null when no platform runs on the folder. */
export async function findPlatform(dataDir: string): Promise<RunningPlatform | null> {
  try {
    const found = running.parse(JSON.parse(await readFile(join(dataDir, RUNNING_FILE), 'utf8')))
    if (isAlive(found.pid)) return found
  } catch {
    // None, or one that a version of long ago has written.
  }
  for (const { role, pid, url, started_at, addresses } of await findProcesses(dataDir)) {
    if (role === 'edge' && url) return { pid, started_at, edge_url: url, ...addresses, data_dir: dataDir }
  }
  return null
}

export interface EdgeTarget {
  edgeUrl: string
  writeKey: string
  /** Whether it is another platform than the one on the data folder, whose secrets are not known here. */
  isElsewhere: boolean
  /** Where the command keeps what it leaves behind: the data folder of the platform here, else `.streamforge` in the current folder. */
  stateDir: string
}

/** Options that every command that sends events has. */
export const TARGET_OPTIONS = {
  url: { type: 'string' },
  'write-key': { type: 'string' },
  data: { type: 'string' },
} as const
export const TARGET_USAGE = `  --data DIR        data folder of the running platform (default: STREAMFORGE_DATA_DIR, else ./data)
  --url URL         an edge elsewhere, e.g. http://127.0.0.1:8080
  --write-key KEY   its write key (default: STREAMFORGE_WRITE_KEY, else the data folder's)`

/** The edge to send to: the one named, else the platform running on the data folder. @throws UsageError, CommandFailed */
export async function findEdge(
  given: { url?: string | undefined; 'write-key'?: string | undefined; data?: string | undefined },
  io: Pick<CommandIo, 'env' | 'cwd'>,
): Promise<EdgeTarget> {
  const config = configAt(given, io)
  const platform = await findPlatform(config.dataDir)
  const isElsewhere = given.url !== undefined && sameUrl(given.url, platform?.edge_url ?? '') === false
  if (given.url !== undefined && !/^https?:$/.test(URL.canParse(given.url) ? new URL(given.url).protocol : '')) {
    throw new UsageError(`--url takes an http or https URL, not "${given.url}".`)
  }
  const edgeUrl = given.url ?? platform?.edge_url
  if (edgeUrl === undefined) {
    throw new CommandFailed(
      `No platform is running on ${config.dataDir}. Start one with "npm start", name its data folder with --data, or an edge elsewhere with --url.`,
    )
  }
  const writeKey = given['write-key'] ?? config.writeKey?.reveal() ?? (isElsewhere ? undefined : await keyOf(config))
  if (writeKey === undefined) {
    throw new UsageError(`The edge at ${edgeUrl} needs its write key: give --write-key or set STREAMFORGE_WRITE_KEY.`)
  }
  return { edgeUrl, writeKey, isElsewhere, stateDir: isElsewhere ? join(io.cwd, '.streamforge') : config.dataDir }
}

/** Of a platform that runs, so its secrets exist and reading them makes none. */
const keyOf = async (config: Config): Promise<string> => (await loadSecrets(config.dataDir, config)).writeKey.reveal()

function sameUrl(a: string, b: string): boolean {
  return URL.canParse(a) && URL.canParse(b) && new URL(a).origin === new URL(b).origin
}
