/** Schedules of the platform's task queue: ours, and those that people made for it. */
import { type ScheduleDescription, type ScheduleHandle, ScheduleNotFoundError } from '@temporalio/client'
import { SCHEDULES, type Schedule, scheduleId } from '../../../workflows/schedules.ts'
import { CommandFailed } from '../../command.ts'
import type { OpenedTemporal } from '../../temporal.ts'

type OpenedQueue = Pick<OpenedTemporal, 'client' | 'taskQueue'>

export interface FoundSchedule {
  handle: ScheduleHandle
  held: ScheduleDescription
  /** Null: a person made it. */
  declared: Schedule | null
}

/** In the order in which they are declared, then those of people by their ids. */
export async function allSchedules({ client, taskQueue }: OpenedQueue): Promise<FoundSchedule[]> {
  const ids = new Set(SCHEDULES.map(({ id }) => scheduleId(taskQueue, id)))
  const others: string[] = []
  // The list is a moment behind: what is declared is asked for by its id.
  for await (const { scheduleId: id } of client.schedule.list()) if (!ids.has(id)) others.push(id)
  const found: FoundSchedule[] = []
  for (const id of [...ids, ...others.sort()]) {
    const schedule = await describe({ client, taskQueue }, id)
    if (schedule) found.push(schedule)
  }
  return found
}

/** @param given its id, with or without the queue's prefix @throws CommandFailed */
export async function findSchedule(opened: OpenedQueue, given: string): Promise<FoundSchedule> {
  for (const id of new Set([scheduleId(opened.taskQueue, given), given])) {
    const schedule = await describe(opened, id)
    if (schedule) return schedule
  }
  const known = (await allSchedules(opened)).map(({ handle }) => handle.scheduleId)
  throw new CommandFailed(
    known.length > 0
      ? `There is no schedule "${given}" on the queue ${opened.taskQueue}. There are ${known.join(', ')}.`
      : `There is no schedule "${given}": the queue ${opened.taskQueue} has none. Workers make them when they start.`,
  )
}

/** @returns null when there is none of this id, or it is for another queue */
async function describe({ client, taskQueue }: OpenedQueue, id: string): Promise<FoundSchedule | null> {
  const handle = client.schedule.getHandle(id)
  try {
    const held = await handle.describe()
    const declared = SCHEDULES.find((each) => scheduleId(taskQueue, each.id) === id) ?? null
    return held.action.taskQueue === taskQueue ? { handle, held, declared } : null
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null
    throw error
  }
}
