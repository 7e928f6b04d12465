/** Every workflow there is, by the name under which it is started: what the worker bundles. Determinism is linted: no I/O, no clock, no randomness of Node's own in this folder. */
export { dailyAggregation } from './daily-aggregation.ts'
export { importFile } from './import-file.ts'
export { compactTable, expireSnapshots, removeOrphans } from './maintenance.ts'
export { reconcile } from './reconcile.ts'
export { replayJob } from './replay-job.ts'
export { validateQuality } from './validate-quality.ts'
