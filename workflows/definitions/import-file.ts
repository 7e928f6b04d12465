/**
 * `importFile`: the rows of a CSV, JSON or NDJSON file, of any size, become rows of the lake. The content of a file is imported once; what breaks off goes on where it was, when the same
 * file is imported again.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  continueAsNew,
  defineQuery,
  isCancellation,
  proxyActivities,
  setHandler,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow'
import { z } from 'zod'
import type { ImportActivities, ImportStatus } from '../activities/imports.ts'
import { parseInput } from '../input.ts'
import { LONG, QUICK } from '../policy.ts'
import { reason } from './reason.ts'

const { claimImport, importStretch } = proxyActivities<ImportActivities>(LONG)
const { endImport } = proxyActivities<ImportActivities>(QUICK)

const importInput = z.strictObject({
  /** Below the import folder, or a key of the object store that begins with `imports/`. */
  file: z.string().min(1).max(1_000),
  mapping: z.union([z.string().min(1).max(200), z.record(z.string(), z.unknown())], {
    error: 'must be the name of a preset, or what a mapping file says as an object',
  }),
  /** What its dead letters call it. */
  name: z.string().min(1).max(200).optional(),
  /** Import content anew that was imported before. */
  again: z.boolean().default(false),
})
export type ImportInput = z.input<typeof importInput>

export interface ImportProgress {
  file: string
  state: 'reading' | 'importing' | 'done' | 'cancelled' | 'failed'
  /** Null while the file is read to be known again. */
  import: number | null
  table: string | null
  rows_read: number
  rows_imported: number
  rows_rejected: number
  /** Rows that say that whom they are about does not agree: not imported; missing where there are none. */
  rows_without_consent?: number
  bytes: number
  bytes_total: number | null
  /** Why it ended before the file did, and how to go on. */
  message: string | null
}
export const importProgress = defineQuery<ImportProgress>('progress')

export async function importFile(given?: ImportInput): Promise<ImportProgress> {
  const input = parseInput(importInput, given, { file: 'orders.csv', mapping: 'online-retail' })
  const progress: ImportProgress = {
    file: input.file,
    state: 'reading',
    import: null,
    table: null,
    rows_read: 0,
    rows_imported: 0,
    rows_rejected: 0,
    bytes: 0,
    bytes_total: null,
    message: null,
  }
  setHandler(importProgress, () => progress)
  upsertMemo({ file: input.file })
  const { workflowId, firstExecutionRunId: runId } = workflowInfo()
  try {
    let status = await claimImport({ ...input, workflowId, runId })
    upsertMemo({ file: input.file, import: status.id, table: status.table })
    tell(progress, status)
    while (!status.done) {
      // The next run finds the import by the first one's id.
      if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof importFile>(input)
      status = await importStretch({ id: status.id, runId })
      tell(progress, status)
    }
    return progress
  } catch (error) {
    if (!isCancellation(error) && !(error instanceof ActivityFailure)) throw error
    const isCancelled = isCancellation(error)
    const state = isCancelled ? 'cancelled' : 'failed'
    const why = isCancelled ? 'Cancelled.' : reason(error)
    const message = await CancellationScope.nonCancellable(() => ended(progress, { state, why, runId }))
    // All was there already when the end came.
    if (message === null) return progress
    if (isCancelled) throw new CancelledFailure(message, [progress])
    const { cause } = error as ActivityFailure
    const type = cause instanceof ApplicationFailure ? cause.type : undefined
    throw ApplicationFailure.create({
      message,
      nonRetryable: true,
      details: [progress],
      cause: error as Error,
      ...(type && { type }),
    })
  }
}

/** What was committed stays; the progress, the record and the failure say how far it came. @returns null when it came to the end */
async function ended(
  progress: ImportProgress,
  { state, why, runId }: { state: 'cancelled' | 'failed'; why: string; runId: string },
): Promise<string | null> {
  const { import: id } = progress
  const status = id === null ? null : await endImport({ id, runId, state, message: why })
  if (status) tell(progress, status)
  if (status?.done) return null
  const message =
    id === null
      ? why
      : `${why} ${progress.rows_imported} rows of the first ${progress.rows_read} of the file are in ${progress.table}, and stay; importing the same file with the same mapping goes on behind them.`
  Object.assign(progress, { state, message })
  return message
}

function tell(progress: ImportProgress, { id, table, bytes, bytesTotal, rows, done }: ImportStatus): void {
  Object.assign(progress, {
    state: done ? 'done' : 'importing',
    import: id,
    table,
    rows_read: rows.read,
    rows_imported: rows.imported,
    rows_rejected: rows.rejected,
    ...(rows.withoutConsent && { rows_without_consent: rows.withoutConsent }),
    bytes,
    bytes_total: bytesTotal,
  } satisfies Partial<ImportProgress>)
}
