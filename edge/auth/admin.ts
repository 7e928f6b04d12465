/**
 * The first account: made at the first start, with a password that is given or made up, and never a default one. One that was removed while another admin is there stays
 * removed, unless a password for it is given.
 */
import type { Clock, UserStore } from '../ports.ts'
import { hashPassword, passwordFits, verifyPassword } from './password.ts'

export const ADMIN = 'admin'
/** Who does it, for the audit log. */
const STARTER = 'start'

export interface FirstLogin {
  username: string
  password: string
}

/**
 * @param given the password from the configuration. If the account exists with another one, it gets this one: that is also how a lost password is replaced.
 * @returns the login to print, once, when a password was made up; else null.
 */
export async function ensureAdmin(
  users: Pick<UserStore, 'find' | 'hasAdmin' | 'create' | 'change'>,
  given: string | null,
  clock: Pick<Clock, 'now'>,
  makeUp: () => string = randomPassword,
): Promise<FirstLogin | null> {
  if (given !== null && !passwordFits(given)) throw new Error('STREAMFORGE_ADMIN_PASSWORD must have at most 72 bytes.')
  const change = { by: { username: STARTER, address: null }, at: clock.now() }
  const known = await users.find(ADMIN)
  if (known) {
    if (given !== null && !(await verifyPassword(given, known.password_hash))) {
      await users.change(ADMIN, { password_hash: await hashPassword(given) }, change)
    }
    return null
  }
  if (given === null && (await users.hasAdmin())) return null
  const password = given ?? makeUp()
  const account = { username: ADMIN, password_hash: await hashPassword(password), role: 'admin' as const }
  const isNew = await users.create(account, change)
  return isNew && given === null ? { username: ADMIN, password } : null
}

/** 120 random bits, in letters and digits that can't be mistaken for each other. */
function randomPassword(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789AB'.slice(0, 32)
  return Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) => alphabet[byte % 32]).join('')
}
