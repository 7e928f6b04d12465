/** The first account: made once, at the first start, with a password that is given or made up, and never a default one. */
import type { UserStore } from '../ports.ts'
import { hashPassword, passwordFits, verifyPassword } from './password.ts'

export const ADMIN = 'admin'

export interface FirstLogin {
  username: string
  password: string
}

/**
 * @param given the password from the configuration. If the account exists with another one, it gets this one: that is also how a lost password is replaced.
 * @returns the login to print, once, when a password was made up; else null.
 */
export async function ensureAdmin(
  users: UserStore,
  given: string | null,
  makeUp: () => string = randomPassword,
): Promise<FirstLogin | null> {
  if (given !== null && !passwordFits(given)) throw new Error('STREAMFORGE_ADMIN_PASSWORD must have at most 72 bytes.')
  const known = await users.find(ADMIN)
  if (known) {
    if (given !== null && !(await verifyPassword(given, known.password_hash))) {
      await users.setPassword(ADMIN, await hashPassword(given))
    }
    return null
  }
  const password = given ?? makeUp()
  const isNew = await users.createAdmin(ADMIN, await hashPassword(password))
  return isNew && given === null ? { username: ADMIN, password } : null
}

/** 120 random bits, in letters and digits that can't be mistaken for each other. */
function randomPassword(): string {
  const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789AB'.slice(0, 32)
  return Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) => alphabet[byte % 32]).join('')
}
