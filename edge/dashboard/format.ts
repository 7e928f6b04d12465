/** Numbers, money and times as the page shows them. All times are UTC. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const tenths = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 2 })
const percentage = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 })

export const count = (n: number): string => whole.format(n)
export const rate = (n: number): string => (n < 100 ? tenths.format(n) : whole.format(n))
export const percent = (share: number): string => percentage.format(share)
/** Short from a hundred thousand on, except on axes, where less room is: see {@link axis}. */
export const short = (n: number): string => (Math.abs(n) < 100_000 ? tenths.format(n) : compact.format(n))
export const axis = (n: number): string => (Math.abs(n) < 10_000 ? tenths.format(n) : compact.format(n))
/** `1 order`, `2 orders` */
export const counted = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`

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
/** `2026-01-31 12:00` */
export const minuteTime = (iso: string): string => iso.slice(0, 16).replace('T', ' ')
/** `12:00:05` when it is within a day of `now`, else with its date. */
export const time = (iso: string, now: string): string =>
  Math.abs(Date.parse(now) - Date.parse(iso)) < 86_400_000 ? iso.slice(11, 19) : dateTime(iso)

/** `8 s`, `3 min 5 s`, `2 h 10 min`, `5 days` */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
  return counted(Math.floor(seconds / 86_400), 'day')
}

const change = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1, signDisplay: 'exceptZero' })
const factor = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
/** `+12.5%`, `−3%`; from ten times on `×12` */
export const changeText = (share: number): string =>
  share >= 9 ? `×${factor.format(share + 1)}` : change.format(share).replace('-', '−')

const points = new Intl.NumberFormat('en', { maximumFractionDigits: 1, signDisplay: 'exceptZero' })
/** Of shares: `+0.4 pts` */
export const pointsText = (difference: number): string => `${points.format(difference * 100).replace('-', '−')} pts`

/** `page_view` as people write it: `page view` */
export const words = (name: string): string => name.replaceAll('_', ' ')
