/** What the project expects of its tables, and how a day is asked for it. This is what the rest may use; the files beside are its inside. */
import type { Stage, TableExpectations } from './expectation.ts'
import { FACTS } from './facts.ts'
import { METRICS } from './metrics.ts'
import { STAGING } from './staging.ts'

export { type Check, type Severity, STAGES, type Stage, type TableExpectations } from './expectation.ts'
export { type CheckDeps, type CheckOptions, type CheckResult, runChecks } from './run.ts'

export const EXPECTATIONS: readonly TableExpectations[] = [...STAGING, ...FACTS, ...METRICS]

/** In the order in which they are asked. */
export const expectationsOf = (stage: Stage): TableExpectations[] => EXPECTATIONS.filter((each) => each.stage === stage)
