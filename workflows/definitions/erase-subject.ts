/**
 * `eraseSubject`: a person is forgotten, wherever the platform keeps anything of them. First everything but the log; then it waits, for weeks if need be, until the log's retention has passed, goes
 * over the lake, the warehouse and the database once more, and lets go of whom it was about. What it did is in the table `erasures`: its certificate.
 *
 * Invariant: nothing that Temporal keeps of it names the person: it is given the erasure's id, and all else stays with the activities.
 */
import {
  ActivityFailure,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  isCancellation,
  patched,
  proxyActivities,
  setHandler,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow'
import { z } from 'zod'
import type { ErasureActivities } from '../activities/erasure.ts'
import { parseInput } from '../input.ts'
import { LONG, PATIENT, QUICK } from '../policy.ts'
import { reason } from './reason.ts'

const { collectPerson, eraseFromStreams, eraseFromLake, eraseFromDatabase } = proxyActivities<ErasureActivities>(LONG)
const { eraseFromWarehouse } = proxyActivities<ErasureActivities>(PATIENT)
const { logHasPassed, completeErasure, failErasure } = proxyActivities<ErasureActivities>({
  ...QUICK,
  heartbeatTimeout: undefined,
})

const LOOK_EVERY = '1 hour'

const erasureInput = z.strictObject({ erasure_id: z.uuid() })
export type ErasureInput = z.input<typeof erasureInput>

export interface ErasureProgress {
  state: 'erasing' | 'waiting_for_log' | 'erasing_again' | 'complete' | 'failed'
}
export const erasureProgress = defineQuery<ErasureProgress>('progress')
/** Whoever knows that the log has let go of it need not wait for the hour. */
export const lookNow = defineSignal('look')

export async function eraseSubject(given?: ErasureInput): Promise<ErasureProgress> {
  const input = parseInput(erasureInput, given, { erasure_id: '7f8c7a54-2f3b-4f59-9a40-0c6b8d7c1f10' })
  const ref = { id: input.erasure_id }
  const progress: ErasureProgress = { state: 'erasing' }
  let isToLook = false
  setHandler(erasureProgress, () => progress)
  setHandler(lookNow, () => {
    isToLook = true
  })
  upsertMemo({ erasure: ref.id })

  async function logPasses(): Promise<void> {
    for (;;) {
      // Before it looks: a signal that comes meanwhile has it look again.
      isToLook = false
      if (await logHasPassed(ref)) return
      await condition(() => isToLook, LOOK_EVERY)
      if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof eraseSubject>(input)
    }
  }

  try {
    // Those that were done before are not done again: also where a run goes on for the one before it.
    await collectPerson(ref)
    await eraseFromStreams(ref)
    await eraseFromLake({ ...ref, pass: 'first' })
    await eraseFromDatabase({ ...ref, pass: 'first' })
    progress.state = 'waiting_for_log'
    // A warehouse may be away for longer than anything else takes.
    if (patched('warehouse')) await Promise.all([eraseFromWarehouse({ ...ref, pass: 'first' }), logPasses()])
    else await logPasses()
    progress.state = 'erasing_again'
    await eraseFromLake({ ...ref, pass: 'second' })
    if (patched('warehouse')) await eraseFromWarehouse({ ...ref, pass: 'second' })
    await eraseFromDatabase({ ...ref, pass: 'second' })
    await completeErasure(ref)
    progress.state = 'complete'
    return progress
  } catch (error) {
    if (!isCancellation(error) && !(error instanceof ActivityFailure)) throw error
    progress.state = 'failed'
    const message = isCancellation(error)
      ? 'It was cancelled. Asking again for the same person goes on.'
      : `${reason(error)} Asking again for the same person goes on.`
    await CancellationScope.nonCancellable(() => failErasure({ ...ref, message }))
    throw error
  }
}
