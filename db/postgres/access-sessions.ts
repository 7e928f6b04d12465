/**
 * Sessions of people who have signed in, as chains of refresh tokens; and the links that begin one without a password. Tokens and codes come here as hashes.
 *
 * Invariants: a token is exchanged once, for one other; one that comes a second time was copied, and ends all of its family; a session that belongs to an account ends with it,
 * and with its password and role (`users.ts`). Beginnings, ends and reuse are in the audit log or have not happened.
 */
import { recordAudit } from './audit.ts'
import type { Sql, Transaction } from './connect.ts'
import type { Role } from './roles.ts'
import type { Change, User } from './users.ts'

export interface RefreshToken {
  hash: Uint8Array
  /** Epoch milliseconds. */
  expiresAt: number
}

export interface NewSession extends RefreshToken {
  family: string
}

/** Whose session it is. */
export interface SessionOwner {
  username: string
  role: Role
}

export type Rotation = { outcome: 'rotated'; owner: SessionOwner } | { outcome: 'unknown' | 'reused' }

interface TokenRow {
  family: string
  username: string | null
  link_name: string | null
  link_role: Role | null
}

/** @returns false where the account is no longer the one whose password was checked */
export async function beginSession(sql: Sql, user: User, session: NewSession, { by, at }: Change): Promise<boolean> {
  return sql.begin(async (tx) => {
    const [same] = await tx`
      SELECT 1 FROM users WHERE username = ${user.username} AND password_hash = ${user.password_hash} FOR SHARE`
    if (!same) return false
    await tx`DELETE FROM refresh_tokens WHERE expires_at <= ${iso(at)}`
    await insert(tx, session, { family: session.family, username: user.username, link_name: null, link_role: null })
    await recordAudit(tx, { at, by, action: 'session.begin', target: user.username, detail: { with: 'password' } })
    return true
  })
}

export async function createLoginLink(
  sql: Sql,
  { hash, expiresAt, role }: RefreshToken & { role: Role },
  { by, at }: Change,
): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`DELETE FROM login_links WHERE expires_at <= ${iso(at)}`
    await tx`
      INSERT INTO login_links (hash, role, created_by, expires_at)
      VALUES (${hash}, ${role}, ${by.username}, ${iso(expiresAt)})`
    await recordAudit(tx, { at, by, action: 'login_link.create', target: role })
  })
}

/** Uses the link up. @returns whose session it is: of whoever made the link; null where there is no such link, or no longer */
export async function beginSessionByLink(
  sql: Sql,
  codeHash: Uint8Array,
  session: NewSession,
  { address, at }: { address: string | null; at: number },
): Promise<SessionOwner | null> {
  return sql.begin(async (tx) => {
    const [link] = await tx<{ role: Role; created_by: string }[]>`
      DELETE FROM login_links WHERE hash = ${codeHash} AND expires_at > ${iso(at)} RETURNING role, created_by`
    if (!link) return null
    const { role, created_by: username } = link
    await insert(tx, session, { family: session.family, username: null, link_name: username, link_role: role })
    await recordAudit(tx, {
      at,
      by: { username, address },
      action: 'session.begin',
      target: username,
      detail: { with: 'link', role },
    })
    return { username, role }
  })
}

export async function rotateSession(
  sql: Sql,
  hash: Uint8Array,
  next: RefreshToken,
  { address, at }: { address: string | null; at: number },
): Promise<Rotation> {
  return sql.begin(async (tx): Promise<Rotation> => {
    const known = await familyOf(tx, hash)
    const owner = known && (await ownerOf(tx, known))
    if (!known || !owner) return { outcome: 'unknown' }
    const taken = await tx`
      UPDATE refresh_tokens SET used_at = ${iso(at)}
      WHERE hash = ${hash} AND used_at IS NULL AND expires_at > ${iso(at)}`
    if (taken.count === 1) {
      await insert(tx, next, known)
      return { outcome: 'rotated', owner }
    }
    const [used] = await tx`SELECT 1 FROM refresh_tokens WHERE hash = ${hash} AND used_at IS NOT NULL`
    if (!used) return { outcome: 'unknown' }
    await tx`DELETE FROM refresh_tokens WHERE family = ${known.family}`
    const by = { username: owner.username, address }
    await recordAudit(tx, { at, by, action: 'session.reuse', target: owner.username, detail: { ended: known.family } })
    return { outcome: 'reused' }
  })
}

/** Ends the session that the token is of; one that is not known is at its end. */
export async function endSession(
  sql: Sql,
  hash: Uint8Array,
  { address, at }: { address: string | null; at: number },
): Promise<void> {
  await sql.begin(async (tx) => {
    const known = await familyOf(tx, hash)
    const username = known?.username ?? known?.link_name
    if (!known || username == null) return
    const ended = await tx`DELETE FROM refresh_tokens WHERE family = ${known.family}`
    if (ended.count > 0)
      await recordAudit(tx, { at, by: { username, address }, action: 'session.end', target: username })
  })
}

/** Whoever else comes with a token of this family waits until this transaction ends: else one could be added to a family that is being ended. */
async function familyOf(tx: Transaction, hash: Uint8Array): Promise<TokenRow | null> {
  const [row] = await tx<TokenRow[]>`
    SELECT family, username, link_name, link_role FROM refresh_tokens WHERE hash = ${hash}`
  if (!row) return null
  await tx`SELECT pg_advisory_xact_lock(hashtextextended(${row.family}, 0))`
  return row
}

/** As it is until this transaction ends. */
async function ownerOf(tx: Transaction, { username, link_name, link_role }: TokenRow): Promise<SessionOwner | null> {
  if (username === null) return { username: link_name!, role: link_role! }
  const [user] = await tx<SessionOwner[]>`SELECT username, role FROM users WHERE username = ${username} FOR SHARE`
  return user ? { ...user } : null
}

async function insert(tx: Transaction, { hash, expiresAt }: RefreshToken, row: TokenRow): Promise<void> {
  await tx`
    INSERT INTO refresh_tokens (hash, family, username, link_name, link_role, expires_at)
    VALUES (${hash}, ${row.family}, ${row.username}, ${row.link_name}, ${row.link_role}, ${iso(expiresAt)})`
}

const iso = (ms: number): string => new Date(ms).toISOString()
