/** Passwords: bcrypt. A password that bcrypt would cut (over 72 bytes) is refused, not shortened. */
import bcrypt from 'bcryptjs'

const COST = 10
export const PASSWORD_BYTES_MAX = 72
/** Of passwords that people choose for accounts by the API. */
export const PASSWORD_LENGTH_MIN = 12

export const passwordFits = (password: string): boolean =>
  new TextEncoder().encode(password).length <= PASSWORD_BYTES_MAX

export const hashPassword = (password: string): Promise<string> => bcrypt.hash(password, COST)

/** What an unknown user's password is compared with, so that the answer takes as long as for a known one: a hash in form and cost, and that of no password anybody knows. */
const NOBODY = `$2b$${COST}$${'.'.repeat(53)}`

/** @param hash null for an unknown user: then false, after the same work */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  const matches = await bcrypt.compare(password, hash ?? NOBODY)
  return matches && hash !== null
}
