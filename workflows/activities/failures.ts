/**
 * Errors of the stores as failures that Temporal understands: what no repetition mends is non-retryable, everything else is tried again by the policy. The message is the sentence that
 * the Temporal UI shows.
 */
import { ApplicationFailure } from '@temporalio/common'

/** By the names of error classes. A conflict, a store that does not answer, a database or a lake-writer that is behind, are not among them: they pass. */
const HOPELESS = new Set([
  // The lake: a table or a file of it is not there.
  'NoSuchTable',
  'MissingFile',
  // Models: the snapshots that a day was begun on are gone.
  'SnapshotGone',
  // Reconciliation and replays: asking for other times, or another log, is all that helps.
  'NotFinal',
  'OtherLog',
  'UnknownJob',
  // Erasures: the id is not one person's.
  'TooManyIds',
  // The warehouse: a table there, or in the lake, is of another form.
  'CannotCopy',
  // BigQuery: a right, a setting or a table stands in the way.
  'CannotRegister',
  // Imports: the file is not what was asked for.
  'BadImportFile',
  'FileChanged',
  'NotRows',
])
const HOPELESS_SQL = new Set(['SYNTAX', 'NOT_A_QUERY', 'UNKNOWN_TABLE', 'NO_SNAPSHOT', 'UNSUPPORTED', 'TOO_MANY_ROWS'])

export function asFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ApplicationFailure) return error
  const { code } = error as { code?: string }
  const hopeless = HOPELESS.has(error.name) || (error.name === 'SqlError' && HOPELESS_SQL.has(code ?? ''))
  return hopeless
    ? ApplicationFailure.create({ message: error.message, type: error.name, nonRetryable: true, cause: error })
    : error
}

/** Every activity with its errors so told. */
export function tellingFailures<A extends Record<string, (...args: never[]) => Promise<unknown>>>(activities: A): A {
  const told = Object.entries(activities).map(([name, activity]) => [
    name,
    async (...args: never[]) => {
      try {
        return await activity(...args)
      } catch (error) {
        throw asFailure(error)
      }
    },
  ])
  return Object.fromEntries(told) as A
}
