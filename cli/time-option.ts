/** Moments on the command line: ISO 8601, or a span back from now. */
import { toEpochMs } from '../streams/contract/time-text.ts'
import { UsageError } from './command.ts'

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** @returns epoch milliseconds. @throws UsageError naming the option */
export function momentOption(name: string, text: string, nowMs: number): number {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  const ms = unit === undefined ? toEpochMs(text) : nowMs - Number(count) * UNITS[unit]!
  if (Number.isNaN(ms)) throw new UsageError(`${name} takes ISO 8601, or e.g. 90m, 24h, 7d, not "${text}".`)
  return ms
}
