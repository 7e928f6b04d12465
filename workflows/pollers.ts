/** Which workers wait for work on a task queue, as Temporal knows it: for whoever wonders why a workflow does not get on. */
import type { Client } from '@temporalio/client'

const ANSWER_MS = 5_000
/** A question for work is left open for a minute; Temporal remembers those who asked for longer than that. */
const SILENT_MS = 70_000
/** TASK_QUEUE_TYPE_ACTIVITY */
const ACTIVITIES = 2

/** @returns their identities, `pid@host` */
export async function pollersOf(client: Client, taskQueue: string, nowMs: number): Promise<string[]> {
  const { pollers } = await client.connection.withDeadline(nowMs + ANSWER_MS, () =>
    client.workflowService.describeTaskQueue({
      namespace: client.options.namespace,
      taskQueue: { name: taskQueue },
      taskQueueType: ACTIVITIES,
    }),
  )
  return (pollers ?? [])
    .filter(({ lastAccessTime }) => Number(lastAccessTime?.seconds ?? 0) * 1_000 > nowMs - SILENT_MS)
    .map(({ identity }) => identity ?? '')
}
