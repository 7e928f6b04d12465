/**
 * The right to read from platforms that tests start: their processes sign with a secret that is known here (`processes.ts` gives it to each), so that a test needs neither
 * a password nor a file.
 */
import { createTokens } from '../../edge/auth/tokens.ts'
import type { Role } from '../../edge/ports.ts'
import { systemClock } from '../../streams/time/clock.ts'

export const JWT_SECRET = 'the secret of every platform in a test'

const tokens = createTokens(JWT_SECRET, systemClock)

/** The header that says who asks. */
export async function as(role: Role, username = `the-${role}`): Promise<{ authorization: string }> {
  return { authorization: `Bearer ${await tokens.issue({ username, role })}` }
}
