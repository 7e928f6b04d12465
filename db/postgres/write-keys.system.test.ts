/** Write keys in PostgreSQL: what is made is read back, what is revoked is not, and each change is in the audit log with its row. */
import { expect, it } from 'vitest'
import { withPostgres } from '../testing/postgres.ts'
import { auditLog } from './audit.ts'
import { createWriteKey, liveWriteKeys, revokedWriteKeys, revokeWriteKey, WRITE_KEYS_MAX } from './write-keys.ts'

const postgres = withPostgres()
const AT = Date.UTC(2026, 0, 31, 12)
const by = { username: 'ada', address: '192.0.2.1' }
const key = (id: string, more: object = {}) => ({
  ...{ id, name: `the "${id}"`, hash: new Uint8Array(32).fill(7), origins: null, events_per_minute: null },
  ...{ requires_consent: false, created_at: AT, ...more },
})

it('keeps keys with what they are for, until they are revoked, once', async () => {
  const { sql } = await postgres.database({ max: 2 })
  const origins = ['https://shop.example', `https://"'{},\\.example`]
  expect(await createWriteKey(sql, key('wk_1', { origins, events_per_minute: 60 }), by)).toBe(true)
  expect(await createWriteKey(sql, key('wk_2', { origins: [], requires_consent: true, created_at: AT + 1 }), by)).toBe(
    true,
  )
  const live = await liveWriteKeys(sql)
  expect(live).toMatchObject([
    {
      id: 'wk_1',
      name: 'the "wk_1"',
      origins,
      events_per_minute: 60,
      requires_consent: false,
      created_at: AT,
      created_by: 'ada',
      revoked_at: null,
    },
    { id: 'wk_2', origins: [], events_per_minute: null, requires_consent: true },
  ])
  expect(new Uint8Array(live[0]!.hash)).toEqual(new Uint8Array(32).fill(7))
  expect([await revokeWriteKey(sql, 'wk_1', AT + 2, by), await revokeWriteKey(sql, 'wk_1', AT + 3, by)]).toEqual([
    true,
    false,
  ])
  expect((await liveWriteKeys(sql)).map(({ id }) => id)).toEqual(['wk_2'])
  expect(await revokedWriteKeys(sql, 10)).toMatchObject([{ id: 'wk_1', revoked_at: AT + 2, revoked_by: 'ada' }])
  const { items } = await auditLog(sql, { limit: 10 })
  expect(items.map(({ action, target, actor, address }) => [action, target, actor, address])).toEqual([
    ['write_key.revoke', 'wk_1', 'ada', '192.0.2.1'],
    ['write_key.create', 'wk_2', 'ada', '192.0.2.1'],
    ['write_key.create', 'wk_1', 'ada', '192.0.2.1'],
  ])
  expect(JSON.stringify(items)).not.toContain('0707')
})

it('makes no more than edges can hold, and has the change undone where its audit entry fails', async () => {
  const { sql } = await postgres.database({ max: 2 })
  await sql`
    INSERT INTO write_keys (id, name, hash, created_at, created_by)
    SELECT 'full_' || i, 'x', ''::bytea, now(), 'ada' FROM generate_series(1, ${WRITE_KEYS_MAX - 1}::int) AS i`
  await expect(createWriteKey(sql, key('wk_bad'), { username: 'a\u0000', address: null })).rejects.toThrow()
  expect((await liveWriteKeys(sql)).some(({ id }) => id === 'wk_bad')).toBe(false)
  expect([await createWriteKey(sql, key('wk_1'), by), await createWriteKey(sql, key('wk_2'), by)]).toEqual([
    true,
    false,
  ])
})
