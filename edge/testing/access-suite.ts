/**
 * What every form of the stores of access must do, as tests: PostgreSQL and the memory form each call {@link describeAccessStores}. Each test gets empty ones.
 */
import { describe, expect, it } from 'vitest'
import type { AuditStore, SessionStore, User, UserStore } from '../ports.ts'

export interface AccessStores {
  users: UserStore
  sessions: SessionStore
  audit: AuditStore
}

const AT = Date.UTC(2026, 0, 31, 12)
const HOUR_MS = 3_600_000
const by = { username: 'root', address: '192.0.2.1' }
const from = { address: '192.0.2.7', at: AT }
const user = (username: string, role: User['role'] = 'viewer'): User => ({
  username,
  password_hash: `hash of ${username}`,
  role,
})
const hash = (n: number): Uint8Array => new Uint8Array(32).fill(n)
const token = (n: number) => ({ hash: hash(n), expiresAt: AT + HOUR_MS })
const session = (n: number, family = `f-${n}`) => ({ ...token(n), family })

export function describeAccessStores(name: string, empty: () => Promise<AccessStores>): void {
  const actions = async ({ audit }: AccessStores) =>
    (await audit.page({ limit: 100 })).items
      .map(({ action, actor, target }) => `${action} ${target} by ${actor}`)
      .reverse()
  /** ada and root, and no word about how they came. */
  const withUsers = async () => {
    const stores = await empty()
    await stores.users.create(user('root', 'admin'), { by, at: AT })
    await stores.users.create(user('ada', 'operator'), { by, at: AT })
    const before = (await actions(stores)).length
    return { ...stores, since: async () => (await actions(stores)).slice(before) }
  }

  describe(`${name}: accounts`, () => {
    it('are made once, found, and listed page by page', async () => {
      const { users } = await empty()
      expect(await users.hasAdmin()).toBe(false)
      for (const name of ['mia', 'ada', 'zoe']) expect(await users.create(user(name), { by, at: AT })).toBe(true)
      expect(await users.create({ ...user('ada'), password_hash: 'another' }, { by, at: AT })).toBe(false)
      expect(await users.find('ada')).toMatchObject(user('ada'))
      expect([await users.find('bob'), await users.find('ada\0')]).toEqual([null, null])
      const first = await users.list({ limit: 2 })
      expect(first.items).toMatchObject([
        { username: 'ada', role: 'viewer', created_at: expect.any(Number) },
        { username: 'mia' },
      ])
      const second = await users.list({ limit: 2, cursor: first.next! })
      expect([second.items.map((u) => u.username), second.next]).toEqual([['zoe'], null])
    })

    it('change and go, each with its line in the audit log', async () => {
      const stores = await withUsers()
      const { users, audit } = stores
      expect(await users.hasAdmin()).toBe(true)
      expect(await users.change('ada', { role: 'viewer' }, { by, at: AT })).toBe('done')
      expect(await users.change('ada', { password_hash: 'new' }, { by, at: AT })).toBe('done')
      expect(await users.find('ada')).toMatchObject({ role: 'viewer', password_hash: 'new' })
      expect(await users.remove('ada', { by, at: AT })).toBe('done')
      expect(await users.find('ada')).toBeNull()
      expect([
        await users.remove('ada', { by, at: AT }),
        await users.change('ada', { role: 'admin' }, { by, at: AT }),
      ]).toEqual(['missing', 'missing'])
      expect(await stores.since()).toEqual([
        'user.change ada by root',
        'user.change ada by root',
        'user.remove ada by root',
      ])
      const entries = (await audit.page({ limit: 100, target: 'ada' })).items
      expect(JSON.stringify(entries)).not.toContain('hash')
      expect(entries[2]!.detail).toEqual({ role: 'viewer', was: 'operator' })
    })

    it('keep one admin, also where all are demoted or removed at once', async () => {
      const stores = await withUsers()
      const { users } = stores
      expect(await users.remove('root', { by, at: AT })).toBe('last_admin')
      expect(await users.change('root', { role: 'operator' }, { by, at: AT })).toBe('last_admin')
      expect(await users.change('root', { role: 'admin', password_hash: 'x' }, { by, at: AT })).toBe('done')
      await users.change('ada', { role: 'admin' }, { by, at: AT })
      const outcomes = await Promise.all([
        users.remove('root', { by, at: AT }),
        users.change('ada', { role: 'viewer' }, { by, at: AT }),
      ])
      expect(outcomes.sort()).toEqual(['done', 'last_admin'])
      expect(await users.hasAdmin()).toBe(true)
    })
  })

  describe(`${name}: sessions`, () => {
    it('go on token by token, each good for one exchange', async () => {
      const { sessions, since } = await withUsers()
      const ada = user('ada', 'operator')
      expect(await sessions.begin(ada, session(1), { by: { username: 'ada', address: null }, at: AT })).toBe(true)
      const owner = { username: 'ada', role: 'operator' }
      expect(await sessions.rotate(hash(1), token(2), from)).toEqual({ outcome: 'rotated', owner })
      expect(await sessions.rotate(hash(2), token(3), from)).toEqual({ outcome: 'rotated', owner })
      expect(await sessions.rotate(hash(9), token(4), from)).toEqual({ outcome: 'unknown' })
      await sessions.end(hash(3), from)
      await sessions.end(hash(3), from)
      expect(await sessions.rotate(hash(3), token(4), from)).toEqual({ outcome: 'unknown' })
      expect(await since()).toEqual(['session.begin ada by ada', 'session.end ada by ada'])
    })

    it('end as a family when a token comes a second time; others of the account go on', async () => {
      const { sessions, since } = await withUsers()
      const change = { by: { username: 'ada', address: null }, at: AT }
      await sessions.begin(user('ada', 'operator'), session(1), change)
      await sessions.begin(user('ada', 'operator'), session(11), change)
      await sessions.rotate(hash(1), token(2), from)
      expect(await sessions.rotate(hash(1), token(3), from)).toEqual({ outcome: 'reused' })
      expect(await sessions.rotate(hash(2), token(4), from)).toEqual({ outcome: 'unknown' })
      expect(await sessions.rotate(hash(1), token(5), from)).toEqual({ outcome: 'unknown' })
      expect(await sessions.rotate(hash(11), token(12), from)).toMatchObject({ outcome: 'rotated' })
      expect((await since()).slice(2)).toEqual(['session.reuse ada by ada'])
    })

    it('give one of many that exchange the same token at once the next, and end', async () => {
      const { sessions } = await withUsers()
      await sessions.begin(user('ada', 'operator'), session(1), { by, at: AT })
      const outcomes = await Promise.all([2, 3, 4, 5].map((n) => sessions.rotate(hash(1), token(n), from)))
      expect(outcomes.filter(({ outcome }) => outcome === 'rotated')).toHaveLength(1)
      expect(outcomes.filter(({ outcome }) => outcome === 'reused')).toHaveLength(1)
      for (const n of [2, 3, 4, 5])
        expect(await sessions.rotate(hash(n), token(20 + n), from)).toEqual({ outcome: 'unknown' })
    })

    it('end with their time, and with what is changed of their account', async () => {
      const { sessions, users } = await withUsers()
      const ada = user('ada', 'operator')
      await sessions.begin(ada, session(1), { by, at: AT })
      expect(await sessions.rotate(hash(1), token(2), { ...from, at: AT + HOUR_MS })).toEqual({ outcome: 'unknown' })
      await sessions.begin(ada, session(3), { by, at: AT })
      await users.change('ada', { role: 'viewer' }, { by, at: AT })
      expect(await sessions.rotate(hash(3), token(4), from)).toEqual({ outcome: 'unknown' })
      await sessions.begin({ ...ada, role: 'viewer' }, session(5), { by, at: AT })
      await users.change('ada', { password_hash: 'new' }, { by, at: AT })
      expect(await sessions.rotate(hash(5), token(6), from)).toEqual({ outcome: 'unknown' })
      expect(await sessions.begin(ada, session(7), { by, at: AT }), 'its password was checked before').toBe(false)
      const now = { ...ada, role: 'viewer', password_hash: 'new' } as const
      expect(await sessions.begin(now, session(8), { by, at: AT })).toBe(true)
      await users.remove('ada', { by, at: AT })
      await users.create(now, { by, at: AT })
      expect(await sessions.rotate(hash(8), token(9), from), 'another account of that name').toEqual({
        outcome: 'unknown',
      })
    })

    it('begin by a link once, in time, with its role and the name of who made it', async () => {
      const { sessions, since } = await withUsers()
      const link = { ...token(1), role: 'operator' as const }
      await sessions.createLink(link, { by, at: AT })
      const begun = await Promise.all([2, 3].map((n) => sessions.beginByLink(hash(1), session(n), from)))
      expect(begun.filter((owner) => owner !== null)).toEqual([{ username: 'root', role: 'operator' }])
      const first = begun[0] ? 2 : 3
      expect(await sessions.rotate(hash(first), token(4), from)).toEqual({
        outcome: 'rotated',
        owner: { username: 'root', role: 'operator' },
      })
      await sessions.createLink({ ...link, hash: hash(6) }, { by, at: AT })
      expect(await sessions.beginByLink(hash(6), session(7), { ...from, at: AT + HOUR_MS })).toBeNull()
      expect(await since()).toEqual([
        'login_link.create operator by root',
        'session.begin root by root',
        'login_link.create operator by root',
      ])
    })
  })

  describe(`${name}: the audit log`, () => {
    it('is read from its end, page by page, by actor and by target', async () => {
      const { audit } = await empty()
      for (let i = 0; i < 5; i++) {
        const actor = { username: i % 2 ? 'ada' : 'root', address: null }
        await audit.record({ at: AT + i, by: actor, action: 'thing.do', target: `t-${i % 3}`, detail: { i } })
      }
      const first = await audit.page({ limit: 3 })
      expect(first.items.map((row) => row.detail.i)).toEqual([4, 3, 2])
      const second = await audit.page({ limit: 3, cursor: first.next! })
      expect([second.items.map((row) => row.detail.i), second.next]).toEqual([[1, 0], null])
      expect((await audit.page({ limit: 9, actor: 'ada' })).items).toMatchObject([
        { actor: 'ada', action: 'thing.do', target: 't-0', at: AT + 3, address: null },
        { target: 't-1' },
      ])
      expect((await audit.page({ limit: 9, actor: 'ada', target: 't-0' })).items).toHaveLength(1)
    })
  })
}
