/**
 * What the doctor looks at: families of checks, one per part of the platform, each with why it matters and what to do.
 *
 * Invariants: a check changes nothing but what it made itself; what can't be seen from here is said as such, and is neither well nor broken.
 */

/** What a check found. It throws where something is broken. */
export type Finding =
  | { status: 'ok'; seen: string }
  /** Works, and will not for long, or not as it should. */
  | { status: 'warning'; problem: string; remedy?: string }
  | { status: 'unseen'; why: string }

export interface Check {
  /** As a person reads it: "the newest migration is applied". */
  name: string
  /** What goes wrong, or is lost, where it is not so. */
  matters: string
  remedy: string
  /** Where it is not well, the rest of its family can't be: they are not tried. */
  gate?: boolean
  run(): Promise<Finding>
}

/** Of one part; run one after the other, beside the other families. */
export interface Family {
  part: string
  checks: readonly Check[]
  close?(): unknown
}

export interface Result {
  part: string
  name: string
  status: Finding['status'] | 'failed'
  ms: number
  /** What was seen where it is well; why nothing was, where it is unseen. */
  seen?: string
  problem?: string
  matters?: string
  remedy?: string
}

/** Broken, with a remedy of its own where that of the check does not fit. */
export class Broken extends Error {
  override readonly name = 'Broken'
  readonly remedy: string | undefined

  constructor(problem: string, remedy?: string) {
    super(problem)
    this.remedy = remedy
  }
}

export const ok = (seen = ''): Finding => ({ status: 'ok', seen })
export const unseen = (why: string): Finding => ({ status: 'unseen', why })
export const warning = (problem: string, remedy?: string): Finding => ({
  status: 'warning',
  problem,
  ...(remedy !== undefined && { remedy }),
})

/** A family of which nothing can be seen from here, or that is off by choice. */
export const unseenFamily = (part: string, why: string): Family => ({
  part,
  checks: [{ name: '', matters: '', remedy: '', run: async () => unseen(why) }],
})
