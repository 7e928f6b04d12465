/**
 * Temporary folders that say whose they are, so that what a killed process left is removed by the next one.
 *
 * Invariant: a folder is removed as left over only when it is of this machine and its process is gone. Machines may share the place.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isAlive } from './process.ts'

const swept = new Set<string>()

/**
 * A new folder in `parent`, for the caller to remove. The first call of a place also removes what dead processes have left there.
 * @param name what it is for; the same for all that are
 * @param isAlone the process makes no other folder of that name, in no thread: one that is there is of a predecessor with its number, as in containers
 */
export async function makeOwnFolder(parent: string, name: string, { isAlone = false } = {}): Promise<string> {
  const place = join(parent, name)
  if (isAlone || !swept.has(place)) {
    swept.add(place)
    await sweep(parent, name, (pid) => !isAlive(pid) || (isAlone && pid === process.pid))
  }
  return mkdtemp(join(parent, `${name}-${process.pid}@${hostname()}-`))
}

async function sweep(parent: string, name: string, isLeft: (pid: number) => boolean): Promise<void> {
  for (const entry of await readdir(parent)) {
    if (!entry.startsWith(`${name}-`)) continue
    const [, pid, host] = /^(\d+)@(.*)-[^-]+$/.exec(entry.slice(name.length + 1)) ?? []
    if (host !== hostname() || !isLeft(Number(pid))) continue
    // Another may be at it too; or it is another user's, whose next process removes it.
    await rm(join(parent, entry), { recursive: true, force: true }).catch(() => {})
  }
}
