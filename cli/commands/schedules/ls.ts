/** `streamforge schedules ls`: what runs by itself, when next, and how it went last. */
import type { At } from '../../../workflows/schedules.ts'
import type { CommandIo } from '../../command.ts'
import { ago, humanTime } from '../../human.ts'
import { type OpenedTemporal, withTemporal } from '../../temporal.ts'
import { textTable } from '../../text-table.ts'
import { allSchedules, type FoundSchedule } from './find.ts'

export const ls = ({ json, data }: { json: boolean; data: string | undefined }, io: CommandIo): Promise<number> =>
  withTemporal({ data }, io, async (opened) => {
    const schedules = await allSchedules(opened)
    if (json) io.out(`${JSON.stringify(schedules.map((each) => forPrograms(each, opened)))}\n`)
    else io.out(forPeople(schedules, opened, io.clock.now()))
    return 0
  })

/** `daily 00:15`, `hourly at :05`, `every 2 h at :35`; times are UTC. */
export function whenText(at: At): string {
  const minute = String(at.minute).padStart(2, '0')
  if ('hour' in at) return `daily ${String(at.hour).padStart(2, '0')}:${minute}`
  return `${at.everyHours === 1 ? 'hourly' : `every ${at.everyHours} h`} at :${minute}`
}

function forPeople(schedules: readonly FoundSchedule[], { taskQueue }: OpenedTemporal, nowMs: number): string {
  if (schedules.length === 0)
    return `The queue ${taskQueue} has no schedules yet. Workers make them when they start: "streamforge worker".\n`
  const rows = schedules.map(({ held, declared }) => {
    const [next] = held.info.nextActionTimes
    const last = held.info.recentActions.at(-1)
    const running = held.info.runningActions.length
    return [
      held.scheduleId,
      held.action.workflowType,
      declared ? whenText(declared.at) : '',
      held.state.paused ? 'paused' : next ? humanTime(next.getTime()) : 'never',
      running > 0 ? 'running' : last ? ago(last.takenAt.getTime(), nowMs) : 'never',
      held.state.note ?? '',
    ]
  })
  return textTable(['SCHEDULE', 'WORKFLOW', 'WHEN (UTC)', 'NEXT RUN', 'LAST START', 'NOTE'], rows)
}

const forPrograms = (
  { held: { scheduleId, action, state, info, policies }, declared }: FoundSchedule,
  { uiUrl, target }: OpenedTemporal,
) => ({
  id: scheduleId,
  workflow: action.workflowType,
  input: action.args?.[0] ?? null,
  when: declared ? whenText(declared.at) : null,
  paused: state.paused,
  note: state.note ?? '',
  next_at: state.paused ? null : (info.nextActionTimes[0]?.toISOString() ?? null),
  running: info.runningActions.map(({ workflow }) => workflow.workflowId),
  last:
    info.recentActions.slice(-1).map(({ scheduledAt, takenAt, action: { workflow } }) => ({
      scheduled_at: scheduledAt.toISOString(),
      started_at: takenAt.toISOString(),
      workflow_id: workflow.workflowId,
      run_id: workflow.firstExecutionRunId,
    }))[0] ?? null,
  overlap: policies.overlap?.toLowerCase() ?? 'skip',
  catch_up_seconds: policies.catchupWindow / 1_000,
  pause_on_failure: policies.pauseOnFailure,
  url: uiUrl === null ? null : `${uiUrl}/namespaces/${target.namespace}/schedules/${encodeURIComponent(scheduleId)}`,
})
