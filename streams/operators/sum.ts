/**
 * Sums of money that can't run out of exact integers.
 *
 * A client may send orders of a billion as often as it likes. A sum beyond 2^53 is neither exact here nor storable in a checkpoint or in PostgreSQL, so it
 * would stop its partition for good; instead it stays at the largest one that is.
 */
export const SUM_MAX = Number.MAX_SAFE_INTEGER - 1

/** @returns `sum + amount`, within ±SUM_MAX */
export function plus(sum: number, amount: number): number {
  const next = sum + amount
  if (next > SUM_MAX) return SUM_MAX
  return next < -SUM_MAX ? -SUM_MAX : next
}
