/** Whether a process of this machine is there. Used wherever something was left by a process that may be gone: locks, pid files, temporary folders. */
import { readdirSync, readFileSync } from 'node:fs'

export function isAlive(pid: number): boolean {
  // 0 and negative numbers mean groups of processes.
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    // It exists, but belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return !hasEnded(pid)
}

/**
 * Whether there is no more of it than its entry, for its parent to read how it ended: an orphan's is the first process of the machine, which in many a container never does. Waiting for
 * such a one to go would have no end. While another of its threads is still ending, it holds on to its files, its locks and the ports that it listens on. Known on Linux only.
 */
function hasEnded(pid: number): boolean {
  if (process.platform !== 'linux') return false
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name before the state is in parentheses, and may hold some of its own.
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2)) && readdirSync(`/proc/${pid}/task`).length === 1
  } catch {
    return false
  }
}
