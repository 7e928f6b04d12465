/** Why something failed, in the words of the innermost cause: the one that a person can mend. */
import { ChildWorkflowFailure } from '@temporalio/workflow'

export function reason(error: unknown): string {
  let cause: unknown = error
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause
  if (cause instanceof ChildWorkflowFailure) return `its run ended as ${cause.message}`
  return cause instanceof Error ? cause.message : String(cause)
}
