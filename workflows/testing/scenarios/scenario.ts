/**
 * What is recorded of a workflow: runs that between them take its paths (it comes through, fails, is cancelled, has children), each on a world of its own. `workflows/histories` keeps their
 * histories, and every change of a definition is replayed against them.
 */
import type { WorkflowHandle } from '@temporalio/client'
import type { BatchWorld } from '../batch-world.ts'

/** Runs to their end; the recorder fetches the histories of the handles, under the keys. Runs that fail or are cancelled are wanted too. */
export type Scenario = (
  world: BatchWorld,
) => Promise<Record<string, Pick<WorkflowHandle, 'workflowId' | 'fetchHistory'>>>

/** However it ends. */
export const ended = (handle: Pick<WorkflowHandle, 'result'>): Promise<unknown> => handle.result().catch(() => null)

/** A child of the run, by what it is called: the first of its workflow. */
export async function childOf(world: BatchWorld, run: Pick<WorkflowHandle, 'fetchHistory'>, workflow: string) {
  const { events } = await run.fetchHistory()
  const id = events
    ?.map(({ childWorkflowExecutionStartedEventAttributes: started }) => started)
    .find((started) => started?.workflowType?.name === workflow)?.workflowExecution?.workflowId
  if (!id) throw new Error(`There is no child ${workflow}.`)
  return world.client.workflow.getHandle(id)
}
