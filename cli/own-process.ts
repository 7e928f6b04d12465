/** Whether a process id that was found in a file is still that of a process of ours. */
import { readFile } from 'node:fs/promises'
import { isAlive } from '../db/process.ts'

/** Process ids are given out again (in a container the platform is always process 1), so a living process must also look like us. */
export async function isStreamforge(pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes('streamforge')
  } catch {
    // No /proc on this system: the living process is taken for ours.
    return process.platform !== 'linux'
  }
}
