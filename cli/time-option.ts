/** Moments and spans on the command line: ISO 8601, or `90m`, `24h`, `7d`. */
import { toEpochMs } from '../streams/contract/time-text.ts'
import { UsageError } from './command.ts'

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** @returns epoch milliseconds. @throws UsageError naming the option */
export function momentOption(name: string, text: string, nowMs: number): number {
  const span = spanMs(text)
  const ms = span === null ? toEpochMs(text) : nowMs - span
  if (Number.isNaN(ms)) throw new UsageError(`${name} takes ISO 8601, or e.g. 90m, 24h, 7d, not "${text}".`)
  return ms
}

/** @returns milliseconds, more than none. @throws UsageError naming the option */
export function durationOption(name: string, text: string, maxDays: number): number {
  const ms = spanMs(text) ?? 0
  if (ms === 0 || ms > maxDays * UNITS.d!)
    throw new UsageError(`${name} takes a span such as 30m, 8h or 7d, at most ${maxDays}d, not "${text}".`)
  return ms
}

function spanMs(text: string): number | null {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  return unit === undefined ? null : Number(count) * UNITS[unit]!
}
