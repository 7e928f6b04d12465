/**
 * The role processes (edge, streams, lake-writer, worker, cdc) that run on a data folder, each with a file of its own in `processes/`: for `status`, `doctor` and whoever needs the edge.
 * Invariant: what a crash left behind is never taken for a process that runs, and goes with the next start.
 */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { Config } from '../db/config.ts'
import { parseRedisUrls } from '../db/features/redis-url.ts'
import { OBJECTS_FOLDER, s3EndpointOf } from '../db/objects/open.ts'
import { writeJsonFile } from './json-file.ts'
import { isStreamforge } from './own-process.ts'
import { version } from './version.ts'

const FOLDER = 'processes'

/** Where the parts of the platform that are no process of ours listen. Without passwords; missing where the part is an embedded one. */
export const addresses = z.object({
  kafka_brokers: z.string().optional(),
  redis_url: z.string().optional(),
  postgres_url: z.string().optional(),
  schema_registry_url: z.string().optional(),
  /** Of the object store, where that is S3. */
  s3_endpoint: z.string().optional(),
  /** Where objects are kept, the lake's files among them: `s3://…`, `gs://…` or `file:///…`. */
  objects_url: z.string().optional(),
  /** `host:port` */
  temporal_address: z.string().optional(),
  temporal_namespace: z.string().optional(),
  temporal_task_queue: z.string().optional(),
  temporal_ui_url: z.string().optional(),
})
export type Addresses = z.output<typeof addresses>

const roleProcess = z.object({
  role: z.enum(['edge', 'streams', 'lake-writer', 'worker', 'cdc']),
  pid: z.number().int().positive(),
  /** The machine or container: process ids of another one mean nothing here. */
  host: z.string(),
  /** Of `up --cluster`, where that started it. */
  parent: z.number().int().positive().nullable().default(null),
  started_at: z.string(),
  /** Of the program; null: one of long ago, which told none. */
  version: z.string().nullable().default(null),
  /** Where it answers `/health`; null: nowhere. */
  url: z.string().nullable(),
  addresses,
})
export type RoleProcess = z.output<typeof roleProcess>

export function addressesOf(
  config: Pick<
    Config,
    | 'kafkaBrokers'
    | 'redisUrl'
    | 'databaseUrl'
    | 'schemaRegistryUrl'
    | 'dataDir'
    | 'objectsUrl'
    | 's3Endpoint'
    | 'awsRegion'
  > &
    TemporalSettings,
): Addresses {
  const { kafkaBrokers, redisUrl, databaseUrl, schemaRegistryUrl } = config
  return {
    ...(kafkaBrokers.length > 0 && { kafka_brokers: kafkaBrokers.join(',') }),
    ...(redisUrl && {
      redis_url: parseRedisUrls(redisUrl.reveal())
        .map(({ href }) => withoutPassword(href))
        .join(','),
    }),
    ...(databaseUrl && { postgres_url: withoutPassword(databaseUrl.reveal()) }),
    ...(schemaRegistryUrl && { schema_registry_url: withoutPassword(schemaRegistryUrl.reveal()) }),
    ...(/^(s3|gs):/.test(config.objectsUrl) && { s3_endpoint: s3EndpointOf(config) }),
    objects_url: config.objectsUrl || `file://${join(config.dataDir, OBJECTS_FOLDER)}`,
    ...temporalAddresses(config),
  }
}

type TemporalSettings = Pick<Config, 'temporalAddress' | 'temporalNamespace' | 'temporalTaskQueue' | 'temporalUiUrl'>

/** Nothing where there is none. */
export function temporalAddresses(config: TemporalSettings): Addresses {
  const { temporalAddress, temporalNamespace, temporalTaskQueue, temporalUiUrl } = config
  if (temporalAddress === '') return {}
  return {
    temporal_address: temporalAddress,
    temporal_namespace: temporalNamespace,
    temporal_task_queue: temporalTaskQueue,
    ...(temporalUiUrl !== '' && { temporal_ui_url: temporalUiUrl }),
  }
}

export function withoutPassword(url: string): string {
  const shown = new URL(url)
  shown.password = ''
  return shown.href
}

/** @returns what takes the announcement back */
export async function announceProcess(
  dataDir: string,
  { role, url, startedMs, addresses }: Pick<RoleProcess, 'role' | 'url' | 'addresses'> & { startedMs: number },
): Promise<() => Promise<void>> {
  const folder = join(dataDir, FOLDER)
  await mkdir(folder, { recursive: true })
  for (const { path, process } of await announced(folder)) {
    if (process?.host === hostname() && !(await isStreamforge(process.pid))) await rm(path, { force: true })
  }
  const path = join(folder, `${role}-${hostname()}-${process.pid}.json`)
  const me: RoleProcess = {
    role,
    pid: process.pid,
    host: hostname(),
    parent: process.send ? process.ppid : null,
    started_at: new Date(startedMs).toISOString(),
    version: version(),
    url,
    addresses,
  }
  await writeJsonFile(path, me)
  return () => rm(path, { force: true })
}

/** Those that live, on this machine; by role, the edges first, then by age. */
export async function findProcesses(dataDir: string): Promise<RoleProcess[]> {
  const living: RoleProcess[] = []
  for (const { process } of await announced(join(dataDir, FOLDER))) {
    if (process?.host === hostname() && (await isStreamforge(process.pid))) living.push(process)
  }
  return living.sort((a, b) => a.role.localeCompare(b.role) || a.started_at.localeCompare(b.started_at))
}

async function announced(folder: string): Promise<{ path: string; process: RoleProcess | null }[]> {
  const names = await readdir(folder).catch(() => [])
  const paths = names.filter((name) => name.endsWith('.json')).map((name) => join(folder, name))
  return Promise.all(
    paths.map(async (path) => {
      try {
        return { path, process: roleProcess.parse(JSON.parse(await readFile(path, 'utf8'))) }
      } catch {
        return { path, process: null }
      }
    }),
  )
}
