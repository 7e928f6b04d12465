/** The lake-writer: the writers of all tables side by side. What it fills is in `tables.ts`; how one table is filled exactly once in `table-writer.ts` and `commit-batch.ts`. */
import { createTurns } from '../runtime/turns.ts'
import { createTableWriter, type TableWriterDeps } from './table-writer.ts'
import type { TableJob } from './tables.ts'

export interface LakeWriter {
  /** Runs until {@link stop}; never rejects. */
  run(): Promise<void>
  /** Commits what is held; then `run` resolves. */
  stop(graceMs?: number): Promise<void>
}

export function createLakeWriter(deps: Omit<TableWriterDeps, 'inTurn'>, jobs: readonly TableJob[]): LakeWriter {
  const inTurn = createTurns()
  const writers = jobs.map((job) => createTableWriter({ ...deps, inTurn }, job))
  return {
    async run() {
      await Promise.all(writers.map((writer) => writer.run()))
    },
    async stop(graceMs) {
      await Promise.all(writers.map((writer) => writer.stop(graceMs)))
    },
  }
}
