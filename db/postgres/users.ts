/** The accounts of people. Hashing and checking passwords is done by the edge's sign-in; here is storage only. */
import type { Sql } from './connect.ts'
import type { Role } from './schema.ts'

export interface User {
  username: string
  password_hash: string
  role: Role
}

/**
 * Makes the account if nobody has that name.
 * @returns whether it was made now; an existing account keeps its password.
 */
export async function ensureAdmin(sql: Sql, username: string, passwordHash: string): Promise<boolean> {
  const made = await sql`
    INSERT INTO users (username, password_hash, role) VALUES (${username}, ${passwordHash}, 'admin') ON CONFLICT (username) DO NOTHING`
  return made.count === 1
}

/** @returns whether there is such a user. */
export async function setPassword(sql: Sql, username: string, passwordHash: string): Promise<boolean> {
  const changed = await sql`UPDATE users SET password_hash = ${passwordHash} WHERE username = ${username}`
  return changed.count === 1
}

export async function findUser(sql: Sql, username: string): Promise<User | null> {
  // No account has such a name, and PostgreSQL would refuse the text.
  if (username.includes('\0')) return null
  const [user] = await sql<User[]>`SELECT username, password_hash, role FROM users WHERE username = ${username}`
  return user ? { ...user } : null
}
