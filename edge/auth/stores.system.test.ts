/** The stores of access on PostgreSQL; and that no change is there without its line in the audit log. */
import { expect, it } from 'vitest'
import { withPostgres } from '../../db/testing/postgres.ts'
import { auditStore, sessionStore, userStore } from '../postgres.ts'
import { describeAccessStores } from '../testing/access-suite.ts'

const postgres = withPostgres()

const stores = async () => {
  const { sql } = await postgres.database({ max: 6 })
  return { sql, users: userStore(sql), sessions: sessionStore(sql), audit: auditStore(sql) }
}

describeAccessStores('on PostgreSQL', stores)

const by = { username: 'root', address: null }
const AT = Date.UTC(2026, 0, 31, 12)

it('no change and no session is there where the audit log can not be written', async () => {
  const { sql, users, sessions } = await stores()
  const ada = { username: 'ada', password_hash: 'h', role: 'admin' as const }
  const hash = (n: number) => new Uint8Array(32).fill(n)
  const token = (n: number) => ({ hash: hash(n), expiresAt: AT + 1000 })
  await users.create(ada, { by, at: AT })
  await users.create({ ...ada, username: 'mia' }, { by, at: AT })
  await sessions.begin(ada, { ...token(1), family: 'f' }, { by, at: AT })
  await sessions.rotate(hash(1), token(2), { address: null, at: AT })
  await sql`ALTER TABLE audit_log ADD CONSTRAINT full_up CHECK (false) NOT VALID`
  const changes = [
    () => users.create({ ...ada, username: 'zoe' }, { by, at: AT }),
    () => users.change('ada', { role: 'viewer' }, { by, at: AT }),
    () => users.remove('ada', { by, at: AT }),
    () => sessions.begin(ada, { ...token(3), family: 'g' }, { by, at: AT }),
    () => sessions.createLink({ ...token(4), role: 'admin' }, { by, at: AT }),
    () => sessions.rotate(hash(1), token(5), { address: null, at: AT }),
    () => sessions.end(hash(2), { address: null, at: AT }),
  ]
  for (const change of changes) await expect(change()).rejects.toThrow(/full_up/)
  expect(await sql`SELECT username, role FROM users ORDER BY username`).toEqual([
    { username: 'ada', role: 'admin' },
    { username: 'mia', role: 'admin' },
  ])
  expect(await sql`SELECT family FROM refresh_tokens`).toEqual([{ family: 'f' }, { family: 'f' }])
  expect(await sql`SELECT * FROM login_links`).toHaveLength(0)
})

it('what is over goes with the next that begins', async () => {
  const { sql, users, sessions } = await stores()
  const ada = { username: 'ada', password_hash: 'h', role: 'admin' as const }
  await users.create(ada, { by, at: AT })
  const begin = (n: number, at: number) =>
    sessions.begin(ada, { hash: new Uint8Array([n]), family: `f-${n}`, expiresAt: at + 1000 }, { by, at })
  await begin(1, AT)
  await begin(2, AT + 500)
  await begin(3, AT + 1000)
  expect(await sql`SELECT family FROM refresh_tokens ORDER BY family`).toEqual([{ family: 'f-2' }, { family: 'f-3' }])
})
