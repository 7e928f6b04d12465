/**
 * Shadow runs: jobs run again over the log as the lake keeps it, to prove the live results or to try a changed rule. This is what the rest of the project may use.
 *
 *   const shadow = await createShadow(database, databaseUrl, { name: shadowName(runId, 1), nowMs, keepMs })
 *   const partitions = await runShadow({ lake, engine, shadow, sort }, { jobs, rules, fromMs, toMs })
 */
export { alertId } from '../jobs/fraud-detector.ts'
export type { FraudRule } from '../jobs/fraud-rules.ts'
export { nextOffsets, OtherLog } from '../lake-writer/offsets.ts'
export { type JobChoice, jobsFor, type RuleChange, UnknownJob } from './choice.ts'
export { differences, type RowDifference, type TableDifferences } from './compare.ts'
export { offsetsBehind } from './extent.ts'
export { allObjects, msOfText, numberOf, objectsOf, textLiteral, timeLiteral } from './lake-sql.ts'
export {
  REPLAYED_JOBS,
  REPLAYED_TABLES,
  type ReplayedTable,
  SESSION_GAP_MS,
  TABLE_RANGES,
  type TableRange,
  tablesOf,
} from './ranges.ts'
export { eventReader, type SortOptions } from './records.ts'
export { type Gap, type PartitionRun, runShadow, type ShadowDeps, type ShadowRun, settledAfterMs } from './run.ts'
export {
  createShadow,
  dropShadow,
  openShadow,
  type Refused,
  SHADOW_PREFIX,
  type Shadow,
  shadowName,
  sweepShadows,
} from './schema.ts'
