/** Which jobs a shadow run runs, and with which fraud rules: the live ones, or one of them changed. */
import { fraudDetectorOf } from '../jobs/fraud-detector.ts'
import { FRAUD_RULES, type FraudRule } from '../jobs/fraud-rules.ts'
import type { Job } from '../jobs/job.ts'
import { REPLAYED_JOBS } from './ranges.ts'

export interface JobChoice {
  jobs: readonly Job[]
  rules: readonly FraudRule[]
}

/** What was asked for can't be run; the sentence says what can. */
export class UnknownJob extends Error {
  override readonly name = 'UnknownJob'
}

/** A fraud rule's id, and what is to be different about it; a changed rule gets the next version unless one is given. */
export interface RuleChange {
  readonly id: string
  readonly version?: number | undefined
  readonly orders?: number | undefined
  readonly aboveMinor?: number | undefined
  readonly currency?: string | undefined
  readonly withinMs?: number | undefined
}

/** @param name of one job; missing: all that can be replayed. @throws UnknownJob */
export function jobsFor(name?: string, change?: RuleChange): JobChoice {
  const jobs = name === undefined ? REPLAYED_JOBS : REPLAYED_JOBS.filter((job) => job.name === name)
  if (jobs.length === 0)
    throw new UnknownJob(
      `There is no job "${name}" that can be replayed. There are: ${REPLAYED_JOBS.map((job) => job.name).join(', ')}. (The features of users are kept as of now, not by time.)`,
    )
  if (change === undefined) return { jobs, rules: FRAUD_RULES }
  const known = FRAUD_RULES.find(({ id }) => id === change.id)
  if (!known)
    throw new UnknownJob(
      `There is no fraud rule "${change.id}". There are: ${FRAUD_RULES.map(({ id }) => id).join(', ')}.`,
    )
  if (name !== 'fraud-detector')
    throw new UnknownJob('A changed rule goes with the job fraud-detector: "job":"fraud-detector".')
  const rules = FRAUD_RULES.map((rule) => (rule === known ? changed(rule, change) : rule))
  return { jobs: [fraudDetectorOf(rules)], rules }
}

/** Alerts of a changed rule have ids of their own by its version. */
function changed(rule: FraudRule, change: RuleChange): FraudRule {
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
  return { ...rule, version: rule.version + 1, ...given }
}
