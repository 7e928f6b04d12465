/** Numbers, money and times as the page shows them. All times are UTC. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 2 })
const percentage = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 })

export const count = (n: number): string => whole.format(n)
export const rate = (n: number): string => (n < 100 ? tenths.format(n) : whole.format(n))
export const percent = (share: number): string => percentage.format(share)
export const short = (n: number): string => (Math.abs(n) < 10_000 ? tenths.format(n) : compact.format(n))

const moneyFormats = new Map<string, Intl.NumberFormat>()
function moneyFormat(currency: string, isShort: boolean): Intl.NumberFormat {
  const key = `${currency}${isShort}`
  let format = moneyFormats.get(key)
  if (!format) {
    const options = { style: 'currency', currency, currencyDisplay: 'narrowSymbol' } as const
    format = new Intl.NumberFormat(
      'en',
      isShort ? { ...options, notation: 'compact', minimumSignificantDigits: 3, maximumSignificantDigits: 3 } : options,
    )
    moneyFormats.set(key, format)
  }
  return format
}
export const money = (amount: number, currency: string): string => moneyFormat(currency, false).format(amount)
/** Short from ten thousand on. */
export const moneyShort = (amount: number, currency: string): string =>
  moneyFormat(currency, Math.abs(amount) >= 10_000).format(amount)

/** `2026-01-31 12:00:05` */
export const dateTime = (iso: string): string => iso.slice(0, 19).replace('T', ' ')
/** `12:00:05` when it is within a day of `now`, else with its date. */
export const time = (iso: string, now: string): string =>
  Math.abs(Date.parse(now) - Date.parse(iso)) < 86_400_000 ? iso.slice(11, 19) : dateTime(iso)

/** `8 s`, `3 min`, `2 h`, `5 days` */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
  return `${whole.format(Math.floor(seconds / 86_400))} days`
}
