/**
 * A share of a core for a process, by Linux' control groups: so that on few cores it shows how a group of processes scales, and not where the machine ends.
 * Needs the right to make control groups, which root has.
 */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BenchmarkUnavailable } from './report.ts'

const ROOT = '/sys/fs/cgroup'
const PERIOD_US = 100_000

/**
 * @param percent of one core
 * @returns takes the control group away again; call it when the process has ended
 */
export function limitCpu(pid: number, percent: number): () => void {
  const quotaUs = Math.round((percent / 100) * PERIOD_US)
  // Version 1 has a tree for each resource.
  const isFirst = existsSync(join(ROOT, 'cpu', 'cgroup.procs'))
  const folder = join(ROOT, isFirst ? 'cpu' : '', `streamforge-bench-${pid}`)
  try {
    mkdirSync(folder)
    if (isFirst) {
      writeFileSync(join(folder, 'cpu.cfs_period_us'), String(PERIOD_US))
      writeFileSync(join(folder, 'cpu.cfs_quota_us'), String(quotaUs))
    } else writeFileSync(join(folder, 'cpu.max'), `${quotaUs} ${PERIOD_US}`)
    writeFileSync(join(folder, 'cgroup.procs'), String(pid))
  } catch (error) {
    throw new BenchmarkUnavailable(
      `--cpu-percent needs Linux' control groups and the right to make one: ${(error as Error).message}`,
    )
  }
  return () => rmdirSync(folder)
}
