/** What a person does with a schedule: pause, resume, trigger, backfill. */
import type { ScheduleDescription } from '@temporalio/client'
import { inSpan } from '../../../observability/spans.ts'
import { DAY_MS, toDay } from '../../../workflows/input.ts'
import { type Schedule, timesOf } from '../../../workflows/schedules.ts'
import { CommandFailed, type CommandIo, UsageError } from '../../command.ts'
import { counted, humanTime } from '../../human.ts'
import { startedText, withTemporal } from '../../temporal.ts'
import { momentOption } from '../../time-option.ts'
import { findSchedule } from './find.ts'

interface Asked {
  id: string
  data: string | undefined
}

/** A worker that starts later leaves it paused. */
export const pause = ({ id, data, reason }: Asked & { reason: string | undefined }, io: CommandIo): Promise<number> =>
  withTemporal({ data }, io, async (opened) => {
    const { handle } = await findSchedule(opened, id)
    await handle.pause(reason ?? 'Paused by hand')
    io.out(`${handle.scheduleId} starts nothing until "streamforge schedules resume ${id}".\n`)
    return 0
  })

export const resume = ({ id, data }: Asked, io: CommandIo): Promise<number> =>
  withTemporal({ data }, io, async (opened) => {
    const { handle, held, declared } = await findSchedule(opened, id)
    await handle.unpause(declared?.note ?? 'Resumed by hand')
    const [next] = held.info.nextActionTimes
    io.out(`${handle.scheduleId} runs again${next ? `, next at ${humanTime(next.getTime())}` : ''}.\n`)
    return 0
  })

const STARTS_WITHIN_MS = 5_000
const ASK_EVERY_MS = 100

export const trigger = ({ id, data, input }: Asked & { input: object | undefined }, io: CommandIo): Promise<number> =>
  withTemporal({ data }, io, async (opened) => {
    const { handle, held } = await findSchedule(opened, id)
    const { workflowType: workflow } = held.action
    if (input !== undefined) {
      // A schedule has one input: with another one it is a run of its own, beside the schedule's.
      const workflowId = `${handle.scheduleId}-by-hand-${new Date(io.clock.now()).toISOString()}`
      const { taskQueue } = opened
      const run = await opened.client.workflow.start(workflow, { workflowId, taskQueue, args: [input] })
      io.out(startedText(workflow, workflowId, run.firstExecutionRunId, opened))
      return 0
    }
    // The schedule's own policy might drop it without a word while another run is under way.
    // The run is a trace of its own: Temporal takes no context along with a schedule.
    await inSpan(`TriggerSchedule:${workflow}`, { attributes: { temporalScheduleId: handle.scheduleId } }, () =>
      handle.trigger('BUFFER_ALL'),
    )
    const [running] = held.info.runningActions
    if (running) {
      io.out(`${workflow} starts when ${running.workflow.workflowId} has ended.\n`)
      return 0
    }
    const begun = await firstAfter(held, () => handle.describe(), io)
    io.out(
      begun
        ? startedText(workflow, begun.workflowId, begun.firstExecutionRunId, opened)
        : `${workflow} is about to start; "streamforge schedules ls" shows it.\n`,
    )
    return 0
  })

async function firstAfter(
  { info: { numActionsTaken } }: ScheduleDescription,
  describe: () => Promise<ScheduleDescription>,
  { clock, signal }: CommandIo,
) {
  for (const until = clock.now() + STARTS_WITHIN_MS; clock.now() < until && !signal.aborted; ) {
    const { info } = await describe()
    if (info.numActionsTaken > numActionsTaken) return info.recentActions.at(-1)?.action.workflow ?? null
    await clock.sleep(ASK_EVERY_MS, signal)
  }
  return null
}

const RUNS_MAX = 500

export const backfill = (
  { id, data, from, to }: Asked & { from: string; to: string },
  io: CommandIo,
): Promise<number> =>
  withTemporal({ data }, io, async (opened) => {
    const { handle, declared } = await findSchedule(opened, id)
    if (declared === null)
      throw new CommandFailed(
        `${handle.scheduleId} was made by hand, so its times are not known here. Temporal's UI can backfill it.`,
      )
    const times = scheduledTimes(declared, from, to, io.clock.now())
    // All at once would be as many DuckDBs, and commits that lose their races; so one runs after the other, none is dropped.
    const overlap = 'BUFFER_ALL'
    await handle.backfill({ start: new Date(times[0]! - 1_000), end: new Date(times.at(-1)! + 1_000), overlap })
    const about = times.map((ms) => (declared.aboutDayBefore ? toDay(ms - DAY_MS) : humanTime(ms)))
    const named = about.length > 4 ? `${about[0]}, ${about[1]}, … ${about.at(-1)}` : about.join(', ')
    io.out(
      `${counted(times.length, 'run')} of ${declared.workflow}, one after the other, ${
        declared.aboutDayBefore ? 'for' : 'as scheduled at'
      } ${named}.\n`,
    )
    return 0
  })

/**
 * When the runs asked for would have been due. Days mean the days that runs are about, both included; moments mean the scheduled times themselves.
 * @throws UsageError
 */
export function scheduledTimes(
  { id, at, aboutDayBefore }: Pick<Schedule, 'id' | 'at' | 'aboutDayBefore'>,
  from: string,
  to: string,
  nowMs: number,
): number[] {
  const shift = aboutDayBefore ? DAY_MS : 0
  const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text)
  const fromMs = momentOption('--from', from, nowMs) + (isDay(from) ? shift : 0)
  const toMs = momentOption('--to', to, nowMs) + (isDay(to) ? shift + DAY_MS - 1 : 0)
  if (fromMs > toMs) throw new UsageError(`--from ${from} is after --to ${to}.`)
  const times = timesOf(at, fromMs, toMs)
  if (times.length === 0) throw new UsageError(`${id} is never due between ${from} and ${to}.`)
  if (times.length > RUNS_MAX)
    throw new UsageError(`That would be ${counted(times.length, 'run')}; at most ${RUNS_MAX} at once.`)
  if (times.at(-1)! > nowMs)
    throw new UsageError(
      `The run due at ${humanTime(times.at(-1)!)} is yet to come: the schedule will start it. Take an earlier --to.`,
    )
  return times
}
