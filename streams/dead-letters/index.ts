/**
 * The quarantine of records that no reader could apply. This is what the edge may use. What tries letters again is loaded with the first question, so that an edge which is never asked starts as light as it is.
 */
import type { Quarantine, QuarantineDeps } from './quarantine.ts'

export { BadFix } from './bad-fix.ts'
export { type DeadLetter, placeOf } from './dead-letter.ts'
export type { Quarantine, QuarantineDeps, ReplayReport } from './quarantine.ts'
export type { ReplayOutcome } from './replay.ts'
export type { Cause, FoundLetter } from './scan.ts'

export function openQuarantine(deps: QuarantineDeps): Quarantine {
  let loading: Promise<Quarantine> | undefined
  const load = () => {
    loading ??= import('./quarantine.ts').then(({ createQuarantine }) => createQuarantine(deps))
    return loading
  }
  return {
    causes: async (topics) => (await load()).causes(topics),
    letters: async (filter, page) => (await load()).letters(filter, page),
    letter: async (id) => (await load()).letter(id),
    replay: async (asked) => (await load()).replay(asked),
  }
}
