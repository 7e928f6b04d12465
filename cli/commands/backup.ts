/**
 * `streamforge backup`: a copy of an embedded platform in a folder, also while it runs; `streamforge restore` makes a data folder of it.
 * Of the cluster form, docs/operations/backup-and-restore.md says how each server is backed up.
 */
import { mkdir, readdir } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'
import type { Config } from '../../db/config.ts'
import { clearFolder } from '../../db/postgres/embedded/postmaster.ts'
import { EMBEDDED_FOLDERS } from '../../streams/stores.ts'
import { backUpRunning, backUpStopped } from '../backup/make.ts'
import { CONTENTS, sizeOf, writeManifest } from '../backup/manifest.ts'
import { mustBeEmpty } from '../backup/must-be-empty.ts'
import { CommandFailed, defineCommand, parseArguments, UsageError } from '../command.ts'
import { lockDataFolder } from '../data-folder.ts'
import { counted, humanBytes } from '../human.ts'
import { findPlatform } from '../platform.ts'
import { findProcesses } from '../processes.ts'
import { configAt } from '../settings.ts'
import { version } from '../version.ts'

export const backup = defineCommand({
  name: 'backup',
  usage: `streamforge backup --to DIR [options]

Copies an embedded platform (PostgreSQL, objects, features, log, schemas, secrets) into a new folder, whether it runs or not. Whoever has the copy has its secrets: keep it as carefully.
"streamforge restore --from DIR" makes a data folder of it. Temporal's own history is copied only of a platform that is stopped.

  --to DIR          where the backup goes: a folder that is not there yet, or is empty
  --data DIR        the data folder (default: STREAMFORGE_DATA_DIR, else ./data)`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, { to: { type: 'string' }, data: { type: 'string' } })
    if (positionals.length > 0) throw new UsageError(`backup takes options only, not "${positionals[0]}".`)
    if (values.to === undefined) throw new UsageError('backup needs to know where to: --to DIR.')
    const config = configAt(values, io)
    const { dataDir } = config
    mustBeEmbedded(config)
    const to = resolve(io.cwd, values.to)
    await mustBeNew(to, dataDir)
    const say = (sentence: string): void => io.err(`${sentence}\n`)
    const platform = await findPlatform(dataDir)
    const startedMs = io.clock.now()
    if (platform === null) {
      if (!(await readdir(dataDir).catch((): string[] => [])).includes(EMBEDDED_FOLDERS.postgres))
        throw new CommandFailed(
          `There is no embedded platform in ${dataDir}. Name its data folder with --data; of others, docs/operations/backup-and-restore.md says how they are backed up.`,
        )
      const lock = await lockDataFolder(dataDir)
      try {
        // One that a killed platform has left behind is stopped, so that its files stand still.
        await clearFolder(join(dataDir, EMBEDDED_FOLDERS.postgres), say)
        await mkdir(to, { recursive: true, mode: 0o700 })
        await backUpStopped({ dataDir, to, say })
      } finally {
        await lock.release()
      }
    } else {
      const databaseUrl = platform.postgres_url
      const isCluster =
        platform.kafka_brokers !== undefined || (await findProcesses(dataDir)).some(({ role }) => role === 'edge')
      if (isCluster || databaseUrl === undefined || new URL(databaseUrl).password === '')
        throw new CommandFailed(NOT_EMBEDDED)
      await mkdir(to, { recursive: true, mode: 0o700 })
      const hasObjects =
        platform.objects_url === undefined ||
        platform.objects_url === `file://${join(dataDir, EMBEDDED_FOLDERS.objects)}`
      if (!hasObjects)
        say(`Objects are elsewhere (${platform.objects_url}) and are not copied: keep versions of them there.`)
      await backUpRunning({ dataDir, to, say }, { databaseUrl, hasObjects })
    }
    const size = await sizeOf(join(to, CONTENTS))
    await writeManifest(to, {
      format: 1,
      version: version(),
      made_at: new Date(startedMs).toISOString(),
      running: platform !== null,
      data_dir: dataDir,
      ...size,
    })
    const seconds = ((io.clock.now() - startedMs) / 1000).toFixed(1)
    io.out(`${to}: ${counted(size.files, 'file')}, ${humanBytes(size.bytes)}, in ${seconds} s.\n`)
    return 0
  },
})

const NOT_EMBEDDED =
  'This platform is not an embedded one: its servers are backed up by their own means. docs/operations/backup-and-restore.md says how.'

function mustBeEmbedded({ databaseUrl, kafkaBrokers, redisUrl }: Config): void {
  if (databaseUrl !== null || kafkaBrokers.length > 0 || redisUrl !== null) throw new CommandFailed(NOT_EMBEDDED)
}

async function mustBeNew(to: string, dataDir: string): Promise<void> {
  if (`${to}${sep}`.startsWith(`${dataDir}${sep}`))
    throw new UsageError(`--to can't lie in the data folder (${dataDir}): the next backup would have this one in it.`)
  await mustBeEmpty(to, 'Name a new folder with --to.')
}
