/**
 * What a benchmark measures: CPU seconds of this process and of others (Linux: from /proc), resident memory, percentiles.
 *
 * CPU is preferred to the clock on the wall: it says the same on a machine that other work shares.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** user + system time of this whole process, all threads and since its start, in seconds. */
export const ownCpuSeconds = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Ticks per second of /proc times: 100 on every Linux that Node runs on (USER_HZ). */
const TICKS_PER_SECOND = 100

/** user + system time of a process, its living children and those it has waited for; NaN where there is no /proc. */
export function treeCpuSeconds(pid: number): number {
  let ticks = 0
  try {
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue
      const stat = statOf(name)
      if (stat && (Number(name) === pid || stat.parent === pid)) ticks += stat.ticks
    }
  } catch {
    return Number.NaN
  }
  return ticks / TICKS_PER_SECOND
}

function statOf(pid: string): { parent: number; ticks: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field, a name in brackets, may hold anything; what follows it is plain.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [utime, stime, childrenUtime, childrenStime] = fields.slice(11, 15).map(Number)
    return { parent: Number(fields[1]), ticks: utime! + stime! + childrenUtime! + childrenStime! }
  } catch {
    return null // gone meanwhile
  }
}

export interface ResidentMiB {
  /** Now. */
  rss: number
  /** The highest so far. */
  peak: number
}

export function residentMiB(): ResidentMiB {
  return {
    rss: Math.round(process.memoryUsage.rss() / 2 ** 20),
    peak: Math.round(process.resourceUsage().maxRSS / 1024),
  }
}

/** @param share 0.5 is the median @returns NaN of nothing */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
}
