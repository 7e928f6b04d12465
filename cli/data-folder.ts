/**
 * One platform per data folder: a lock file that holds the owner's process id. Taken before anything in the folder is opened.
 * Invariant: a living owner is never displaced; what a crash left behind never blocks the next start.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandFailed } from './command.ts'
import { isStreamforge } from './own-process.ts'
import { findPlatform } from './platform.ts'

const LOCK_FILE = 'lock'

export interface DataFolderLock {
  release(): Promise<void>
}

/** @throws CommandFailed when another platform runs on the folder, or it can't be written */
export async function lockDataFolder(folder: string): Promise<DataFolderLock> {
  const path = join(folder, LOCK_FILE)
  try {
    await mkdir(folder, { recursive: true })
    for (let attempt = 0; attempt < 5; attempt++) {
      if (await create(path)) return { release: () => rm(path, { force: true }) }
      const owner = Number(await readFile(path, 'utf8').catch(() => ''))
      if (owner !== process.pid && (await isStreamforge(owner)))
        throw new CommandFailed(await alreadyRunning(folder, owner))
      await rm(path, { force: true })
    }
  } catch (error) {
    if (error instanceof CommandFailed) throw error
    throw new CommandFailed(
      `The data folder ${folder} can't be used: ${(error as Error).message}. Choose another with --data or STREAMFORGE_DATA_DIR.`,
    )
  }
  throw new CommandFailed(`The data folder ${folder} is being started by others again and again. Try once more.`)
}

async function create(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function alreadyRunning(folder: string, pid: number): Promise<string> {
  const platform = await findPlatform(folder)
  const where = platform ? ` at ${platform.edge_url}` : ''
  return `StreamForge is already running on ${folder}${where} (process ${pid}). Stop it first, or use another folder with --data.`
}
