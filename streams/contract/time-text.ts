/** Times at the edges: ISO 8601 text in, ISO 8601 text out. Text without an offset means UTC, as everything here does. */

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?)?$/i

/** Epoch milliseconds, or NaN when the text isn't a valid ISO 8601 date or date-time. Fractions beyond milliseconds are cut. */
export function parseTime(text: string): number {
  const m = ISO.exec(text)
  if (!m) return Number.NaN
  const [year, month, day] = [Number(m[1]), Number(m[2]), Number(m[3])]
  const [hour, minute, second] = [Number(m[4] ?? 0), Number(m[5] ?? 0), Number(m[6] ?? 0)]
  const ms = m[7] ? Number(m[7].padEnd(3, '0').slice(0, 3)) : 0
  if (hour > 23 || minute > 59 || second > 59) return Number.NaN
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return Number.NaN
  return date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 + ms - offsetMs(m[8])
}

function offsetMs(zone: string | undefined): number {
  if (!zone || /^(z|utc)$/i.test(zone)) return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return (zone[0] === '-' ? -1 : 1) * minutes * 60_000
}

/** Accepts what clients send: ISO 8601 text, or epoch milliseconds as a number. NaN when it is neither. */
export function toEpochMs(value: string | number): number {
  if (typeof value === 'number') return Number.isFinite(value) ? Math.trunc(value) : Number.NaN
  // The form that JSON.stringify(new Date()) gives, by far the most frequent, has a fast parser in the engine.
  if (value.length === 24 && value.charCodeAt(23) === 90 && value.charCodeAt(10) === 84) return Date.parse(value)
  return parseTime(value)
}

export const toIso = (ms: number): string => new Date(ms).toISOString()
