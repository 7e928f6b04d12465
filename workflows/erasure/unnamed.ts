/**
 * Errors without the person in them: what an activity throws is kept in Temporal's history and in the worker's log, and other programs quote what they were asked.
 */
import { ApplicationFailure } from '@temporalio/common'
import { asFailure } from '../activities/failures.ts'

/**
 * @param ids that it is not to be told by
 * @throws what the work throws: its message without the ids, and nothing else of it
 */
export async function unnamed<R>(ids: readonly string[], work: () => Promise<R>): Promise<R> {
  try {
    return await work()
  } catch (error) {
    throw withoutIds(error, ids)
  }
}

function withoutIds(given: unknown, ids: readonly string[]): unknown {
  const error = asFailure(given)
  // A cancellation is what the SDK knows it by, and bears no data.
  if (!(error instanceof Error) || error.name === 'CancelledFailure') return error
  const longestFirst = [...ids].sort((a, b) => b.length - a.length)
  const isFailure = error instanceof ApplicationFailure
  return ApplicationFailure.create({
    message: longestFirst.reduce((text, id) => text.replaceAll(id, '(erased)'), error.message),
    type: (isFailure ? error.type : null) ?? error.name,
    nonRetryable: isFailure && error.nonRetryable === true,
  })
}
