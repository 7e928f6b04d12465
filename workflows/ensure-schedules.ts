/**
 * Temporal's schedules brought to what schedules.ts declares: run by every worker at its start, by several at once without harm.
 *
 * Invariants: that a person has paused a schedule, and their note, stay; a schedule that was not made here is left alone, whatever it is called; one that was made here by a version that
 * declared it, and is declared no more, is deleted: its workflow may be gone, and its history stays.
 */
import { isDeepStrictEqual } from 'node:util'
import {
  ScheduleAlreadyRunning,
  type ScheduleClient,
  type ScheduleDescription,
  ScheduleNotFoundError,
  type ScheduleOptionsAction,
  type ScheduleSpec,
} from '@temporalio/client'
import type { Logger } from '../observability/log.ts'
import { TASK_QUEUE } from './policy.ts'
import { SCHEDULES, type Schedule, scheduleId, specOf } from './schedules.ts'

/** The note in a schedule's memo that says who made it: the task queue it is for. */
const MARK = 'streamforge'

/** @returns null: it was not made here */
export function markedQueue({ memo }: { memo?: Record<string, unknown> }): string | null {
  const queue = memo?.[MARK]
  return typeof queue === 'string' ? queue : null
}

export interface Ensured {
  /** Ids, as Temporal has them. */
  created: string[]
  updated: string[]
  deleted: string[]
  /** Of the name of one that is declared, but made by somebody else. */
  foreign: string[]
}

export interface EnsureOptions {
  /** Default: {@link TASK_QUEUE}. */
  taskQueue?: string
  /** Default: all there are. */
  schedules?: readonly Schedule[]
  logger: Logger
}

export async function ensureSchedules(
  client: { schedule: ScheduleClient },
  { taskQueue = TASK_QUEUE, schedules = SCHEDULES, logger }: EnsureOptions,
): Promise<Ensured> {
  const ensured: Ensured = { created: [], updated: [], deleted: [], foreign: [] }
  for (const declared of schedules) {
    const id = scheduleId(taskQueue, declared.id)
    const did = await ensureOne(client.schedule, { id, taskQueue, declared })
    if (did === null) continue
    ensured[did].push(id)
    if (did === 'foreign')
      logger.warn(
        { schedule: id },
        `Temporal has a schedule ${id} that StreamForge did not make: it is left as it is, and ${declared.workflow} runs by it alone. Rename it to have both.`,
      )
    else logger[did === 'created' ? 'debug' : 'info']({ schedule: id }, `The schedule ${id} was ${did}`)
  }
  const wanted = new Set(schedules.map(({ id }) => scheduleId(taskQueue, id)))
  for await (const schedule of client.schedule.list()) {
    const id = schedule.scheduleId
    if (markedQueue(schedule) !== taskQueue || wanted.has(id)) continue
    await client.schedule.getHandle(id).delete().catch(unlessGone)
    ensured.deleted.push(id)
    logger.info({ schedule: id }, `The schedule ${id} was deleted: this version has none of that name`)
  }
  return ensured
}

interface Place {
  id: string
  taskQueue: string
  declared: Schedule
}

async function ensureOne(client: ScheduleClient, place: Place, attempt = 1): Promise<keyof Ensured | null> {
  const { id, taskQueue, declared } = place
  const handle = client.getHandle(id)
  const held = await handle.describe().catch(unlessGone)
  if (held) {
    if (markedQueue(held) !== taskQueue) return 'foreign'
    if (isAsDeclared(held, place)) return null
    await handle.update(({ state }) => ({ ...optionsOf(place), state }))
    return 'updated'
  }
  try {
    await client.create({
      ...optionsOf(place),
      scheduleId: id,
      memo: { [MARK]: taskQueue },
      state: { note: declared.note },
    })
    return 'created'
  } catch (error) {
    // Another worker was faster.
    if (error instanceof ScheduleAlreadyRunning && attempt < 3) return ensureOne(client, place, attempt + 1)
    throw error
  }
}

const unlessGone = (error: unknown): undefined => {
  if (!(error instanceof ScheduleNotFoundError)) throw error
}

function optionsOf({ id, taskQueue, declared }: Place) {
  return {
    spec: specOf(declared.at),
    action: {
      type: 'startWorkflow',
      workflowType: declared.workflow,
      // Temporal adds the scheduled time.
      workflowId: id,
      taskQueue,
      args: [declared.input],
    } satisfies ScheduleOptionsAction,
    policies: {
      overlap: declared.overlap,
      catchupWindow: declared.catchUpMs,
      pauseOnFailure: declared.pauseOnFailure,
    },
  }
}

function isAsDeclared({ spec, action, policies }: ScheduleDescription, place: Place): boolean {
  const wanted = optionsOf(place)
  return (
    action.workflowType === wanted.action.workflowType &&
    action.workflowId === wanted.action.workflowId &&
    action.taskQueue === wanted.action.taskQueue &&
    isDeepStrictEqual(action.args, wanted.action.args) &&
    isDeepStrictEqual(policies, wanted.policies) &&
    isDeepStrictEqual(plain(spec), plain(wanted.spec))
  )
}

const ANY = {
  second: [0, 0],
  minute: [0, 0],
  hour: [0, 0],
  dayOfMonth: [1, 31],
  month: ['JANUARY', 'DECEMBER'],
  dayOfWeek: ['SUNDAY', 'SATURDAY'],
} as const

/** A specification with nothing left out: Temporal fills in what is missing, and gives single values as ranges. */
function plain({ calendars = [], intervals = [], skip = [], startAt, endAt, jitter = 0, timezone = '' }: AnySpec) {
  return {
    calendars: calendars.map((calendar) => ({
      ...Object.fromEntries(
        Object.entries(ANY).map(([field, [start, end]]) => [
          field,
          ranges(calendar[field as keyof typeof ANY] ?? { start, end }),
        ]),
      ),
      year: calendar.year === undefined ? [] : ranges(calendar.year),
    })),
    intervals,
    skip,
    startAt: startAt?.getTime() ?? null,
    endAt: endAt?.getTime() ?? null,
    jitter,
    timezone: timezone === 'UTC' ? '' : timezone,
  }
}
type AnySpec = Pick<ScheduleSpec, 'calendars' | 'intervals' | 'skip' | 'startAt' | 'endAt' | 'jitter' | 'timezone'>

function ranges(given: unknown): object[] {
  return (Array.isArray(given) ? given : [given]).map((each) => {
    const { start, end = start, step = 1 } = typeof each === 'object' ? each : { start: each }
    return { start, end, step }
  })
}
