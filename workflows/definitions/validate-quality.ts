/**
 * `validateQuality`: what is expected of a day's tables, asked stage by stage and stored. A stage in which a gate failed fails the workflow, once all that were asked for have been checked: so the one
 * who mends sees everything at once. Warnings fail nothing.
 */
import { ApplicationFailure, defineQuery, proxyActivities, setHandler, upsertMemo } from '@temporalio/workflow'
import { z } from 'zod'
import type { QualityActivities, QualitySummary } from '../activities/quality.ts'
import { badInput, day, parseInput, toDay } from '../input.ts'
import { LONG } from '../policy.ts'
import { scheduledMs, yesterday } from './moment.ts'

const { checkQuality } = proxyActivities<QualityActivities>(LONG)

/** Those of db/models/checks, which a test compares. */
export const QUALITY_STAGES = ['staging', 'facts', 'metrics'] as const satisfies readonly QualitySummary['stage'][]
export const QUALITY_GATE_FAILED = 'QualityGateFailed'

const validateInput = z.strictObject({
  /** UTC. Default: the day before the one that the run was scheduled for. */
  date: day.optional(),
  /** Default: all of them. */
  stage: z.enum(QUALITY_STAGES).optional(),
})
export type ValidateInput = z.input<typeof validateInput>

export interface ValidateProgress {
  date: string
  /** That is being checked. */
  stage: string | null
  done: QualitySummary[]
}
export const validateProgress = defineQuery<ValidateProgress>('progress')

export async function validateQuality(given?: ValidateInput): Promise<QualitySummary[]> {
  const { date = yesterday(), stage } = parseInput(validateInput, given, { date: '2026-11-20', stage: 'facts' })
  const today = toDay(scheduledMs())
  if (date > today)
    throw badInput(`${date} is yet to come, there is nothing to check. Name a day up to ${today}, in UTC.`)
  const progress: ValidateProgress = { date, stage: null, done: [] }
  setHandler(validateProgress, () => progress)
  upsertMemo({ date, stage: stage ?? 'all' })
  for (const each of stage === undefined ? QUALITY_STAGES : [stage]) {
    progress.stage = each
    progress.done.push(await checkQuality({ day: date, stage: each }))
  }
  progress.stage = null
  const failed = progress.done.filter(({ outcome }) => outcome === 'failed')
  if (failed.length > 0)
    throw ApplicationFailure.nonRetryable(sentenceOf(date, failed), QUALITY_GATE_FAILED, { date, stages: failed })
  return progress.done
}

const SHOWN = 3

function sentenceOf(date: string, failed: readonly QualitySummary[]): string {
  const gates = failed.flatMap(({ problems }) => problems.filter(({ severity }) => severity === 'error'))
  const count = failed.reduce((sum, each) => sum + each.failed, 0)
  const stages = failed.map(({ stage }) => stage).join(' and ')
  const more =
    count > SHOWN ? ` There are ${count - SHOWN} more: GET /quality/latest?date=${date} has all of them.` : ''
  return `${count} ${count === 1 ? 'gate' : 'gates'} of ${stages} failed for ${date}. ${gates
    .slice(0, SHOWN)
    .map(({ sentence }) => sentence)
    .join(' ')}${more}`
}
