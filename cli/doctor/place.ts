/**
 * What the doctor is to look at: the edge, with what opens it, and the stores behind it as far as they are known here: by the environment, or by the platform
 * that runs on the data folder.
 *
 * Invariant: a password goes to no other server than the one it is for.
 */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../../db/config.ts'
import { loadSecrets } from '../../db/secrets.ts'
import type { Clock } from '../../streams/time/clock.ts'
import { ownToken } from '../access.ts'
import { CLUSTER_FOLDER } from '../cluster/servers.ts'
import { type CommandIo, UsageError } from '../command.ts'
import { findEdge, findPlatform, type RunningPlatform } from '../platform.ts'
import { findProcesses, type RoleProcess } from '../processes.ts'
import { configFrom } from '../settings.ts'

export interface Place {
  edgeUrl: string
  writeKey: string
  token: string
  /** Whether it is another platform than the one on the data folder: then only its edge, and what the environment names, is seen. */
  isElsewhere: boolean
  /** With what the platform that runs here has told of itself. Holds secrets. */
  config: Config
  platform: RunningPlatform | null
  processes: readonly RoleProcess[]
  env: CommandIo['env']
  /** How long a single question may wait for its answer: less than all of them together, so that who does not answer is named. */
  answerMs: number
  clock: Clock
}

export interface Given {
  url?: string | undefined
  'write-key'?: string | undefined
  token?: string | undefined
  data?: string | undefined
}

/** @throws UsageError, CommandFailed where nothing can be looked at */
export async function findPlace(
  given: Given,
  io: Pick<CommandIo, 'env' | 'cwd' | 'clock'>,
  timeoutMs: number,
): Promise<Place> {
  const { edgeUrl, writeKey, isElsewhere } = await findEdge(given, io)
  const alone = configFrom(io.env, { dataDir: given.data })
  const token = given.token ?? alone.token?.reveal() ?? (await signedHere(alone, { edgeUrl, isElsewhere }, io.clock))
  const [platform, processes] = isElsewhere
    ? [null, []]
    : await Promise.all([findPlatform(alone.dataDir), findProcesses(alone.dataDir)])
  const config = platform ? await withTold(alone, platform, given, io) : alone
  const { env, clock } = io
  return {
    edgeUrl,
    writeKey,
    token,
    isElsewhere,
    config,
    platform,
    processes,
    env,
    clock,
    answerMs: (timeoutMs * 2) / 3,
  }
}

async function signedHere(
  config: Config,
  { edgeUrl, isElsewhere }: Pick<Place, 'edgeUrl' | 'isElsewhere'>,
  clock: Clock,
): Promise<string> {
  if (!isElsewhere || config.jwtSecret) return ownToken(config, clock)
  throw new UsageError(
    `The edge at ${edgeUrl} needs an access token to read: give --token or set STREAMFORGE_TOKEN ("streamforge token" prints one on its machine).`,
  )
}

/** What the environment says goes first; of what the platform told only what this process can use, so no address whose password is not known. */
async function withTold(config: Config, told: RunningPlatform, given: Given, io: Pick<CommandIo, 'env'>) {
  const isAmazons = told.s3_endpoint?.endsWith('.amazonaws.com') ?? false
  const password = (url: string | undefined): string => (url && URL.canParse(url) ? new URL(url).password : '')
  const hasKeys = config.awsAccessKeyId !== null && config.awsSecretAccessKey !== null
  return configFrom(io.env, {
    dataDir: given.data,
    ...(config.kafkaBrokers.length === 0 && { kafkaBrokers: told.kafka_brokers }),
    ...(config.databaseUrl === null && password(told.postgres_url) !== '' && { databaseUrl: told.postgres_url }),
    ...(config.redisUrl === null && { redisUrl: await ownRedis(config, told) }),
    ...(config.objectsUrl === '' &&
      (hasKeys || !told.objects_url?.startsWith('s3:')) && {
        objectsUrl: told.objects_url,
        ...(config.s3Endpoint === '' && !isAmazons && { s3Endpoint: told.s3_endpoint }),
      }),
    ...(config.temporalAddress === '' && {
      temporalAddress: told.temporal_address,
      temporalNamespace: told.temporal_namespace,
      temporalTaskQueue: told.temporal_task_queue,
      temporalUiUrl: told.temporal_ui_url,
    }),
  })
}

/** The Redis that `up --cluster` runs has a password of this data folder; that of any other is not known here. */
async function ownRedis(config: Config, { redis_url }: RunningPlatform): Promise<string | undefined> {
  if (redis_url === undefined || new URL(redis_url).hostname !== '127.0.0.1') return undefined
  const isOurs = await access(join(config.dataDir, CLUSTER_FOLDER, 'redis', 'server.pid')).then(
    () => true,
    () => false,
  )
  if (!isOurs) return undefined
  const url = new URL(redis_url)
  url.password = (await loadSecrets(config.dataDir, config)).redisPassword.reveal()
  return url.href
}
