/**
 * A memory limit as containers have it: a control group of our own, where the machine lets us make one (Linux, as root; version 1 or 2).
 *
 * Everything counts that the processes in it caused, pages of mapped files included: the kernel takes those back when the limit is reached, and kills when
 * that is not enough. So a part that gets to its end has been held to the limit.
 */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface MemoryLimit {
  /** A process joins by writing its pid here. */
  readonly processesFile: string
  /** The most that was ever charged, MiB. */
  peakMiB(): number
  /** Only once its processes have ended. */
  remove(): void
}

const V1 = { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', peak: 'memory.max_usage_in_bytes' }
const V2 = { root: '/sys/fs/cgroup', limit: 'memory.max', peak: 'memory.peak' }

/** @returns undefined where no limit can be set: another system, or no right to */
export function createMemoryLimit(megabytes: number): MemoryLimit | undefined {
  const version = existsSync(join(V1.root, V1.limit)) ? V1 : V2
  const folder = join(version.root, `streamforge-bench-${process.pid}`)
  try {
    mkdirSync(folder)
    writeFileSync(join(folder, version.limit), String(megabytes * 1_000_000))
  } catch {
    if (existsSync(folder)) rmdirSync(folder)
    return undefined
  }
  return {
    processesFile: join(folder, 'cgroup.procs'),
    peakMiB: () => Math.round(Number(readFileSync(join(folder, version.peak), 'utf8')) / 2 ** 20),
    remove: () => rmdirSync(folder),
  }
}
