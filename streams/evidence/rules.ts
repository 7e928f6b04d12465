/** The fraud rules as people read them: what each asks for, in words and in numbers. */
import { currencyDecimals, toMajor } from '../contract/money.ts'
import { FRAUD_RULES, type FraudRule } from '../jobs/fraud-rules.ts'

export interface RuleView {
  id: string
  version: number
  /** null: this version of the rule is not among those that run here. */
  description: string | null
  parameters: { orders: number; above: number; currency: string; within_seconds: number } | null
}

export const ruleNamed = (id: string, version: number): FraudRule | null =>
  FRAUD_RULES.find((rule) => rule.id === id && rule.version === version) ?? null

export function viewOfRule(id: string, version: number): RuleView {
  const rule = ruleNamed(id, version)
  if (!rule) return { id, version, description: null, parameters: null }
  const { orders, aboveMinor, currency, withinMs } = rule
  const parameters = { orders, above: toMajor(aboveMinor, currency), currency, within_seconds: withinMs / 1_000 }
  return { id, version, description: rule.about, parameters }
}

/** `5,000.00 TRY` */
export function moneyText(minor: number, currency: string): string {
  const digits = currencyDecimals(currency)
  return `${toMajor(minor, currency).toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${currency}`
}

/** `5 min`, `40 s`, `1 h 30 min` */
export function spanText(ms: number): string {
  const parts: [number, string][] = [
    [Math.floor(ms / 3_600_000), 'h'],
    [Math.floor(ms / 60_000) % 60, 'min'],
    [(ms % 60_000) / 1_000, 's'],
  ]
  const text = parts.flatMap(([n, unit]) => (n > 0 ? `${n} ${unit}` : []))
  return text.length > 0 ? text.join(' ') : '0 s'
}

const WORDS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']
export const countText = (n: number): string => WORDS[n] ?? String(n)
