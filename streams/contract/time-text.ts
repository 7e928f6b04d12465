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
  // The form that JSON.stringify(new Date()) gives is by far the most frequent. Not Date.parse: that takes February 30 for March 2.
  if (value.length === 24 && value.charCodeAt(23) === 90 && value.charCodeAt(10) === 84) {
    const ms = parseJsonDate(value)
    if (!Number.isNaN(ms)) return ms
  }
  return parseTime(value)
}

// Neighbouring events mostly happen on the same day: its text and its start, as last parsed.
let lastDay = ''
let lastDayMs = 0

/** `YYYY-MM-DDTHH:MM:SS.mmmZ`; NaN for anything else. */
function parseJsonDate(text: string): number {
  if (text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58 || text.charCodeAt(19) !== 46) return Number.NaN
  const hour = twoDigits(text, 11)
  const minute = twoDigits(text, 14)
  const second = twoDigits(text, 17)
  const centis = twoDigits(text, 20)
  const millis = text.charCodeAt(22) - 48
  if (!(hour < 24 && minute < 60 && second < 60 && centis < 100 && millis >= 0 && millis < 10)) return Number.NaN
  if (lastDay === '' || !text.startsWith(lastDay)) {
    const day = text.slice(0, 10)
    const ms = parseTime(day)
    if (Number.isNaN(ms)) return Number.NaN
    lastDay = day
    lastDayMs = ms
  }
  return lastDayMs + ((hour * 60 + minute) * 60 + second) * 1000 + centis * 10 + millis
}

/** The number, or NaN where there aren't two digits. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - 48
  const ones = text.charCodeAt(at + 1) - 48
  return tens >= 0 && tens < 10 && ones >= 0 && ones < 10 ? tens * 10 + ones : Number.NaN
}

export const toIso = (ms: number): string => new Date(ms).toISOString()
