/**
 * Money: integers of a currency's minor unit inside, decimals of its major unit at the edges.
 * The number of decimals of a currency comes from the runtime's ISO 4217 table (Intl), so JPY has 0, TRY 2 and KWD 3.
 */

const decimalsOf = new Map<string, number>()

/** Decimals of the currency's major unit. @throws RangeError when `currency` is not three letters. */
export function currencyDecimals(currency: string): number {
  let decimals = decimalsOf.get(currency)
  if (decimals === undefined) {
    decimals = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
    if (decimalsOf.size < 1000) decimalsOf.set(currency, decimals)
  }
  return decimals
}

/** Largest amount accepted, in major units: sums of millions of them stay exact integers. */
export const AMOUNT_MAX = 1_000_000_000

/**
 * Minor units of a decimal amount, rounded half away from zero to the currency's decimals.
 * The tiny nudge makes 1.005, which floating point keeps as 1.00499…, round as it was written.
 */
export function toMinor(amount: number, currency: string): number {
  const scaled = amount * 10 ** currencyDecimals(currency)
  return Math.sign(scaled) * Math.round(Math.abs(scaled) * (1 + Number.EPSILON * 2)) + 0
}

/** The decimal amount, in major units. */
export function toMajor(minor: number, currency: string): number {
  return minor / 10 ** currencyDecimals(currency)
}
