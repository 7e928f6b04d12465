/** Figures as people read them. */

const BYTES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** `0 B`, `999 B`, `1.0 kB`, `12 MB`: three digits at most, thousands as everywhere outside of memory. */
export function humanBytes(bytes: number): string {
  let unit = 0
  let size = bytes
  for (; size >= 999.5 && unit < BYTES.length - 1; unit++) size /= 1_000
  return `${unit === 0 || size >= 99.5 ? Math.round(size) : size.toPrecision(2)} ${BYTES[unit]}`
}

/** `1,234,567` */
export const humanCount = (count: number): string => count.toLocaleString('en-US')

const SPANS: readonly [name: string, ms: number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
]

/** `just now`, `42 s ago`, `3 h ago`; `in 5 min` for a clock that is ahead. */
export function ago(ms: number, nowMs: number): string {
  const past = nowMs - ms
  const [name, unit] = SPANS.find(([, unit]) => Math.abs(past) >= unit) ?? []
  if (name === undefined || unit === undefined) return 'just now'
  const count = humanCount(Math.floor(Math.abs(past) / unit))
  return past < 0 ? `in ${count} ${name}` : `${count} ${name} ago`
}

/** `4.2 s`, `42 s`, `7 min`, `2.5 h`: how long something took, or takes. */
export function humanSpan(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}

/** One of it, or any other number. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${humanCount(count)} ${count === 1 ? one : many}`

/** To the second, in UTC; the exact one is in `--json`. */
export const humanTime = (ms: number): string =>
  new Date(ms)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z')
