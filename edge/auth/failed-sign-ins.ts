/**
 * What the audit log says of sign-ins that failed.
 *
 * Invariants: a flood of them fills neither the database nor memory: a name is told once in ten minutes for an address, a hundred in an hour in all, and what was not told is counted
 * into the next one that is. Whether the account exists changes nothing of the work; a name that no account has is not kept, since it may be a password in the wrong field.
 */
import type { AuditStore } from '../ports.ts'
import { createRateLimit } from './rate-limit.ts'

export interface FailedSignIn {
  username: string
  isKnown: boolean
  address: string
  at: number
}

const MINUTE_MS = 60_000
const NAMES_MAX = 10_000
const ENTRIES_PER_HOUR = 100
export const UNKNOWN_NAME = '(unknown)'

export function createFailedSignIns(audit: Pick<AuditStore, 'record'>): (failed: FailedSignIn) => Promise<void> {
  const once = createRateLimit({ triesMax: 1, windowMs: 10 * MINUTE_MS, keysMax: NAMES_MAX })
  const inAll = createRateLimit({ triesMax: ENTRIES_PER_HOUR, windowMs: 60 * MINUTE_MS, keysMax: 1 })
  let untold = 0
  return async ({ username, isKnown, address, at }) => {
    if (once.take(JSON.stringify([username, address]), at) > 0 || inAll.take('', at) > 0) {
      untold++
      return
    }
    const name = isKnown ? username : UNKNOWN_NAME
    const detail = { untold_before: untold }
    untold = 0
    await audit.record({ at, by: { username: name, address }, action: 'session.refuse', target: name, detail })
  }
}
