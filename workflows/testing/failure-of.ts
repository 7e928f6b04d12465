/** What a workflow has failed with, for tests that expect it to. */
import { ApplicationFailure, WorkflowFailedError } from '@temporalio/client'
import { expect } from 'vitest'

export async function failureOf(result: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await result.then(
    () => new Error('it came through'),
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(WorkflowFailedError)
  const { cause } = error as WorkflowFailedError
  expect(cause).toBeInstanceOf(ApplicationFailure)
  return cause as ApplicationFailure
}
