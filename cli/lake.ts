/**
 * The lake of the running platform, opened for a command: its catalog in the platform's database, its files in the platform's object store.
 * Invariant: what a person can mend (no platform, a database or store that does not answer, a damaged file) is told in a sentence.
 */
import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Config } from '../db/config.ts'
import { type Lake, openJdbcCatalog, openLake, openLakeFiles } from '../db/lake/index.ts'
import { objectsSettings, openObjects } from '../db/objects/open.ts'
import { connect } from '../db/postgres/connect.ts'
import { CommandFailed, type CommandIo } from './command.ts'
import { findPlatform, type RunningPlatform } from './platform.ts'
import { configFrom } from './settings.ts'

/** Where the lake is. Holds secrets. */
export interface LakePlace {
  /** With what the platform that runs has told of itself. */
  config: Config
  platform: RunningPlatform | null
  databaseUrl: string
  /** Whether the platform runs it itself, with a password of its own. The password of DATABASE_URL is the user's secret. */
  isOwnDatabase: boolean
}

export interface OpenedLake extends LakePlace {
  lake: Lake
}

export const LAKE_OPTIONS = { data: { type: 'string' } } as const
export const LAKE_USAGE =
  '  --data DIR        data folder of the running platform (default: STREAMFORGE_DATA_DIR, else ./data); elsewhere, DATABASE_URL and STREAMFORGE_OBJECTS_URL'

/** The configuration, with what the platform that runs on the data folder has told of its objects. */
export async function findObjects(
  { data }: { data?: string | undefined },
  { env, cwd }: Pick<CommandIo, 'env' | 'cwd'>,
): Promise<{ config: Config; platform: RunningPlatform | null }> {
  const dataDir = data === undefined ? undefined : resolve(cwd, data)
  const given = configFrom(env, { dataDir })
  const platform = await findPlatform(given.dataDir)
  const isAmazons = platform?.s3_endpoint?.endsWith('.amazonaws.com') ?? false
  const config = configFrom(env, {
    dataDir,
    objectsUrl: given.objectsUrl || platform?.objects_url,
    s3Endpoint: given.s3Endpoint || (isAmazons ? undefined : platform?.s3_endpoint),
  })
  return { config, platform }
}

/** @throws CommandFailed when there is neither a running platform nor DATABASE_URL */
export async function findLake(
  options: { data?: string | undefined },
  io: Pick<CommandIo, 'env' | 'cwd'>,
): Promise<LakePlace> {
  const { config, platform } = await findObjects(options, io)
  const databaseUrl = config.databaseUrl?.reveal() ?? platform?.postgres_url
  if (databaseUrl === undefined)
    throw new CommandFailed(
      `No platform is running on ${config.dataDir}. Start one with "npm start", name its data folder with --data, or its database with DATABASE_URL.`,
    )
  // Of a database that is not its own the platform tells no password.
  const isOwnDatabase = config.databaseUrl === null && new URL(databaseUrl).password !== ''
  return { config, platform, databaseUrl, isOwnDatabase }
}

/** Opens the lake, lets the work be done, closes it. @throws CommandFailed for all that a person can mend */
export async function withLake<R>(
  options: { data?: string | undefined },
  io: Pick<CommandIo, 'env' | 'cwd' | 'clock'>,
  work: (opened: OpenedLake) => Promise<R>,
): Promise<R> {
  const place = await findLake(options, io)
  const objects = objectsSettings(place.config)
  if (objects.kind === 'folder') await mustBeThere(objects.folder)
  // Files are read several at once, the catalog is asked one question at a time.
  const database = connect(place.databaseUrl, { max: 2, name: 'streamforge-lake', statementTimeoutMs: 15_000 })
  try {
    const store = await openObjects(objects)
    const lake = openLake(await openJdbcCatalog(database.sql), openLakeFiles(store), { clock: io.clock })
    return await work({ ...place, lake })
  } catch (error) {
    throw asCommandFailed(error, place)
  } finally {
    await database.close()
  }
}

async function mustBeThere(folder: string): Promise<void> {
  try {
    await access(folder)
  } catch {
    throw new CommandFailed(
      `There are no objects in ${folder}. Name the platform's data folder with --data, or where it keeps its objects with STREAMFORGE_OBJECTS_URL.`,
    )
  }
}

/** Errors that are sentences for people already: those of the lake are plain Errors, bugs have names of their own. */
const SENTENCES = new Set([
  'Error',
  'CannotCopy',
  'CannotRegister',
  'CommitConflict',
  'CommitRefused',
  'GoogleUnavailable',
  'MissingFile',
  'NoSuchTable',
  'ObjectStoreError',
  'UnknownOutcome',
])

function asCommandFailed(error: unknown, { databaseUrl, isOwnDatabase }: LakePlace): unknown {
  if (!(error instanceof Error) || error instanceof CommandFailed) return error
  const { code } = error as { code?: unknown }
  const isDatabase =
    error.name === 'PostgresError' || (typeof code === 'string' && /^(CONNECT|CONNECTION_|E[A-Z]+$)/.test(code))
  if (isDatabase && error.name !== 'ObjectStoreError') {
    const { hostname, port } = new URL(databaseUrl)
    const advice = isOwnDatabase
      ? 'Is the platform running? See "streamforge status".'
      : 'DATABASE_URL says which it is, and with which password.'
    return new CommandFailed(
      `The database at ${hostname}:${port || 5432} can't be used: ${error.message || String(code)}. ${advice}`,
    )
  }
  return SENTENCES.has(error.name) ? new CommandFailed(error.message, { cause: error }) : error
}
