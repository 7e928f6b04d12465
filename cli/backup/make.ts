/**
 * Makes a backup of an embedded platform: of its data folder while nobody uses it, or part by part while it runs.
 *
 * Invariant of a backup of one that runs: the order. PostgreSQL is first, since it names objects, positions and schemas: whatever it names is copied after it, and so is there. The log is behind
 * everything that was computed from it: what came meanwhile is read from it again. The registry is last: the log's records name its schemas.
 */
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { copyLmdb } from '../../db/lmdb.ts'
import { connect } from '../../db/postgres/connect.ts'
import { EMBEDDED_FOLDERS } from '../../streams/stores.ts'
import { CommandFailed } from '../command.ts'
import { copyOne, copyTree } from './copy-tree.ts'
import { CONTENTS } from './manifest.ts'
import { copyRunningPostgres } from './postgres-copy.ts'

const SECRETS = 'secrets.json'
/** Of who runs on the folder; and what is not the embedded platform's: files to import, and the servers of the cluster form. */
const NOT_COPIED =
  /^(lock|running\.json|processes|imports|cluster|.*\.tmp|.*\.log)$|^postgres\/postmaster\.(pid|opts)$|\/lock\.mdb$|^tmp($|\/)|^objects\/\.incomplete\//
const SERVER_FILES = /^temporal\/server\./

export interface BackupOptions {
  dataDir: string
  /** The backup's folder; new. */
  to: string
  say(sentence: string): void
}

/** Its lock is held by the caller, and no PostgreSQL of it runs. */
export async function backUpStopped({ dataDir, to, say }: BackupOptions): Promise<void> {
  say('Copying the data folder …')
  await copyTree(dataDir, join(to, CONTENTS), {
    wants: (path) => !NOT_COPIED.test(path) && !SERVER_FILES.test(path),
  })
}

/** @param databaseUrl of its embedded PostgreSQL. @param hasObjects whether its objects are in the data folder */
export async function backUpRunning(
  { dataDir, to, say }: BackupOptions,
  { databaseUrl, hasObjects }: { databaseUrl: string; hasObjects: boolean },
): Promise<void> {
  const from = (name: keyof typeof EMBEDDED_FOLDERS): string => join(dataDir, EMBEDDED_FOLDERS[name])
  const into = (name: keyof typeof EMBEDDED_FOLDERS): string => join(to, CONTENTS, EMBEDDED_FOLDERS[name])
  await mkdir(join(to, CONTENTS), { recursive: true, mode: 0o700 })
  say('Copying PostgreSQL …')
  const { sql, close } = connect(databaseUrl, { max: 1, name: 'streamforge-backup' })
  let manifests: CheckpointRow[]
  try {
    manifests = await copyRunningPostgres(sql, { from: from('postgres'), to: into('postgres') }, async (session) => [
      ...(await session<CheckpointRow[]>`SELECT topic, partition, files FROM checkpoints`),
    ])
  } finally {
    await close()
  }
  if (hasObjects) {
    say('Copying objects …')
    // What is soonest replaced goes first: checkpoints live for minutes, metadata of tables for some hundred commits, data for hours.
    const checkpoints = join(EMBEDDED_FOLDERS.objects, 'checkpoints')
    await copyTree(join(dataDir, checkpoints), join(to, CONTENTS, checkpoints))
    await mustHaveOneOfEach(manifests, into('objects'))
    await copyTree(from('objects'), into('objects'), {
      wants: (path) => !/^(checkpoints|\.incomplete|doctor)(\/|$)/.test(path),
      first: (path) => path.includes('/metadata/'),
    })
  }
  say('Copying features and the log …')
  for (const name of ['features', 'log', 'registry'] as const) await copyLmdb(from(name), into(name))
  await copyOne(join(dataDir, SECRETS), join(to, CONTENTS, SECRETS))
}

interface CheckpointRow {
  topic: string
  partition: number
  files: string[]
}

/** @throws CommandFailed where the checkpoints of a partition were all replaced before they were copied: it would be computed from the beginning of the log */
async function mustHaveOneOfEach(manifests: readonly CheckpointRow[], objects: string): Promise<void> {
  const copied = new Set(
    (await readdir(objects, { recursive: true }).catch(() => [])).map((path) => path.replaceAll('\\', '/')),
  )
  const isWhole = ({ files }: CheckpointRow): boolean => files.every((key) => copied.has(key))
  const at = ({ topic, partition }: CheckpointRow): string => `${topic}[${partition}]`
  const whole = new Set(manifests.filter(isWhole).map(at))
  const lacking = new Set(manifests.map(at).filter((place) => !whole.has(place)))
  if (lacking.size > 0)
    throw new CommandFailed(
      `The checkpoints of ${[...lacking].join(', ')} were replaced while they were copied. Try again, or stop the platform first.`,
    )
}
