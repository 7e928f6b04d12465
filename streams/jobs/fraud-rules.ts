/** The fraud rules, as data. A changed rule gets a higher version: its alerts then have ids of their own. */
import { minutes } from './job.ts'

export interface FraudRule {
  readonly id: string
  readonly version: number
  /** Orders of one user … */
  readonly orders: number
  /** … above this amount, in minor units, … */
  readonly aboveMinor: number
  readonly currency: string
  /** … with last − first below this. */
  readonly withinMs: number
  readonly about: string
}

export const FRAUD_RULES: readonly FraudRule[] = [
  {
    id: 'rapid-high-value-orders',
    version: 1,
    orders: 3,
    aboveMinor: 500_000,
    currency: 'TRY',
    withinMs: minutes(5),
    about: 'Three orders above 5000.00 TRY within five minutes, paid or not.',
  },
]
