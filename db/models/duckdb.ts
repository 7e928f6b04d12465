/**
 * Models built by DuckDB in this process: the model's SELECT over views of its inputs' pinned snapshots, written and committed by the lake (`replaceByQuery`). Memory is bounded, what does not
 * fit is spilled into a folder that goes with the build.
 */
import { type DuckdbEngineOptions, type Lake, replaceByQuery } from '../lake/index.ts'
import {
  builtOf,
  conditionsOf,
  dayOf,
  ensureModelTable,
  type ModelEngine,
  pinInputs,
  pinsOf,
  planningAgain,
  readSql,
  summaryOf,
} from './build.ts'
import { type Dialect, dayNumber, type Input, renderModel } from './render.ts'

export type DuckdbModelOptions = DuckdbEngineOptions

/** Of DuckDB itself; the process has some more, for what is read and written. */
const MEMORY_MB = 1_200

const viewOf = ({ table, rows }: Input): string => `${table}|${rows}`
const dialect: Dialect = {
  relation: (input) => `"${viewOf(input)}"`,
  // Another function of DuckDB's would do; this one is its fastest. Bits, not the number, are what counts.
  hash64: (sql) => `hash(${sql})`,
}

export function createDuckdbModels(lake: Lake, options: DuckdbModelOptions = {}): ModelEngine {
  return {
    name: 'duckdb',
    async build(model, build = {}) {
      const startedAt = performance.now()
      const day = dayOf(model, build)
      const sql = await readSql(model)
      return planningAgain(build.signal, async () => {
        const target = await ensureModelTable(lake, model)
        const inputs = await pinInputs(lake, sql, build.pins)
        const query = renderModel(sql, day, dialect)
        const conditions = await Promise.all(inputs.map((input) => conditionsOf(lake, input, day)))
        const done = await replaceByQuery(lake, target, {
          memoryMb: MEMORY_MB,
          ...options,
          // The SQL may begin with comments, and ends without a semicolon.
          query: day === null ? query : `SELECT DATE '${day}' AS day, of_day.* FROM (${query}\n) AS of_day`,
          columns: model.columns.map(({ name }) => name),
          inputs: inputs.map((input, i) => ({
            as: viewOf(input),
            table: input.loaded,
            ...(input.snapshotId !== null && { snapshotId: input.snapshotId }),
            columns: input.columns,
            where: conditions[i]!,
          })),
          scope: day === null ? null : [dayNumber(day)],
          summary: summaryOf(model, day, pinsOf(inputs), build.runId),
          signal: build.signal,
          onProgress: build.onProgress,
        })
        return builtOf(model, day, done, { inputs: pinsOf(inputs), startedAt })
      })
    },
  }
}
