/**
 * `streamforge restore`: makes a data folder of a backup. Nothing is started.
 *
 * Invariants: the data folder comes into being as a whole or not at all; one that holds something is never touched.
 */
import { mkdir, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { giveToServer } from '../../db/postgres/embedded/binaries.ts'
import { EMBEDDED_FOLDERS } from '../../streams/stores.ts'
import { copyTree } from '../backup/copy-tree.ts'
import { CONTENTS, readManifest } from '../backup/manifest.ts'
import { mustBeEmpty } from '../backup/must-be-empty.ts'
import { CommandFailed, defineCommand, parseArguments, UsageError } from '../command.ts'
import { humanBytes } from '../human.ts'
import { configAt } from '../settings.ts'
import { version } from '../version.ts'

export const restore = defineCommand({
  name: 'restore',
  usage: `streamforge restore --from DIR [options]

Makes a data folder of what "streamforge backup" has copied. The folder must not be there yet, or be empty, and must be the one that the backup is of where it has a lake:
Iceberg tables name their files by their place. A link to another place will do.

  --from DIR        the backup
  --data DIR        the data folder (default: STREAMFORGE_DATA_DIR, else ./data)`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, { from: { type: 'string' }, data: { type: 'string' } })
    if (positionals.length > 0) throw new UsageError(`restore takes options only, not "${positionals[0]}".`)
    if (values.from === undefined) throw new UsageError('restore needs to know where from: --from DIR.')
    const from = resolve(io.cwd, values.from)
    const { dataDir } = configAt(values, io)
    const about = await readManifest(from)
    const contents = join(from, CONTENTS)
    const hasLake = (await readdir(join(contents, EMBEDDED_FOLDERS.objects, 'warehouse')).catch(() => [])).length > 0
    if (hasLake && about.data_dir !== dataDir)
      throw new CommandFailed(
        `The lake in this backup is of ${about.data_dir}, and its tables name their files by that place. Restore to it with --data ${about.data_dir}; where the files are to lie elsewhere, make it a link first.`,
      )
    await mustBeEmpty(dataDir, 'Move it away, or name another folder with --data.')
    const aside = `${dataDir}.restoring-${process.pid}`
    try {
      await mkdir(dirname(dataDir), { recursive: true })
      await copyTree(contents, aside)
      await giveToServer(join(aside, EMBEDDED_FOLDERS.postgres))
      await rmdir(dataDir).catch(() => {})
      await rename(aside, dataDir)
    } catch (error) {
      await rm(aside, { recursive: true, force: true })
      throw new CommandFailed(`${dataDir} could not be written: ${(error as Error).message}`)
    }
    io.out(
      `${dataDir} is as it was at ${about.made_at} (${humanBytes(about.bytes)}, made by version ${about.version}; this is ${version()}).\n"npm start -- --data ${dataDir}" goes on from there.\n`,
    )
    return 0
  },
})
