/**
 * The accounts of people. Hashing and checking passwords is done by the edge's sign-in; here is storage only.
 *
 * Invariants: there is always an admin once there was one; what is changed of an account, and its end, also ends the sessions that could be renewed; each change is in the
 * audit log or has not happened.
 */
import { type Actor, recordAudit } from './audit.ts'
import type { Sql, Transaction } from './connect.ts'
import { decodeCursor, type Page, toPage } from './queries/cursor.ts'
import type { Role } from './roles.ts'

export interface User {
  username: string
  password_hash: string
  role: Role
}

export interface Account {
  username: string
  role: Role
  /** Epoch milliseconds. */
  created_at: number
}

/** Who changes something, and when (epoch milliseconds). */
export interface Change {
  by: Actor
  at: number
}

export type ChangeOutcome = 'done' | 'missing' | 'last_admin'

export async function findUser(sql: Sql, username: string): Promise<User | null> {
  // No account has such a name, and PostgreSQL would refuse the text.
  if (username.includes('\0')) return null
  const [user] = await sql<User[]>`SELECT username, password_hash, role FROM users WHERE username = ${username}`
  return user ? { ...user } : null
}

/** By name. @throws QueryError for a cursor that is none */
export async function listUsers(
  sql: Sql,
  { limit, cursor }: { limit: number; cursor?: string | undefined },
): Promise<Page<Account>> {
  const after = cursor === undefined ? '' : decodeCursor(cursor).id
  const rows = await sql<Account[]>`
    SELECT username, role, created_at FROM users WHERE username COLLATE "C" > ${after} ORDER BY username COLLATE "C" LIMIT ${limit + 1}`
  return toPage(
    rows.map((row) => ({ ...row })),
    limit,
    ({ username }) => ({ at: 0, id: username }),
  )
}

export async function hasAdmin(sql: Sql): Promise<boolean> {
  const [admin] = await sql`SELECT 1 FROM users WHERE role = 'admin' LIMIT 1`
  return admin !== undefined
}

/** @returns whether it was made now; an existing account stays as it is. */
export async function createUser(
  sql: Sql,
  { username, password_hash, role }: User,
  { by, at }: Change,
): Promise<boolean> {
  return sql.begin(async (tx) => {
    const made = await tx`
      INSERT INTO users (username, password_hash, role) VALUES (${username}, ${password_hash}, ${role}) ON CONFLICT (username) DO NOTHING`
    if (made.count === 0) return false
    await recordAudit(tx, { at, by, action: 'user.create', target: username, detail: { role } })
    return true
  })
}

export interface UserChange {
  role?: Role | undefined
  password_hash?: string | undefined
}

export async function changeUser(
  sql: Sql,
  username: string,
  { role, password_hash }: UserChange,
  { by, at }: Change,
): Promise<ChangeOutcome> {
  return sql.begin(async (tx) => {
    const before = await held(tx, username)
    if (!before) return 'missing'
    if (before.isLastAdmin && role !== undefined && role !== 'admin') return 'last_admin'
    await tx`
      UPDATE users SET role = ${role ?? before.role}, password_hash = coalesce(${password_hash ?? null}, password_hash)
      WHERE username = ${username}`
    await tx`DELETE FROM refresh_tokens WHERE username = ${username}`
    const detail = {
      ...(role !== undefined && { role, was: before.role }),
      ...(password_hash !== undefined && { password: true }),
    }
    await recordAudit(tx, { at, by, action: 'user.change', target: username, detail })
    return 'done'
  })
}

/** Its refresh tokens go with it. */
export async function removeUser(sql: Sql, username: string, { by, at }: Change): Promise<ChangeOutcome> {
  return sql.begin(async (tx) => {
    const before = await held(tx, username)
    if (!before) return 'missing'
    if (before.isLastAdmin) return 'last_admin'
    await tx`DELETE FROM users WHERE username = ${username}`
    await recordAudit(tx, { at, by, action: 'user.remove', target: username, detail: { role: before.role } })
    return 'done'
  })
}

/** The account as it is until this transaction ends. All admins are held with it: of two that go at once, each would else count on the other. */
async function held(tx: Transaction, username: string): Promise<{ role: Role; isLastAdmin: boolean } | null> {
  const admins = await tx<{ username: string }[]>`
    SELECT username FROM users WHERE role = 'admin' ORDER BY username FOR UPDATE`
  const [user] = await tx<{ role: Role }[]>`SELECT role FROM users WHERE username = ${username} FOR UPDATE`
  return user ? { role: user.role, isLastAdmin: admins.every((admin) => admin.username === username) } : null
}
