/** Guessing passwords: what it costs, how often it may be tried, and what the audit log says of it. */
import bcrypt from 'bcryptjs'
import type { Context } from 'hono'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { AuditEntry } from '../ports.ts'
import { memoryUsers } from '../testing/memory-access.ts'
import { createFailedSignIns, UNKNOWN_NAME } from './failed-sign-ins.ts'
import { hashPassword } from './password.ts'
import { createRateLimit } from './rate-limit.ts'
import { createSignIn } from './sign-in.ts'

const vera = { username: 'vera', password_hash: await hashPassword('right'), role: 'viewer' as const }
const nowhere = {} as Context

afterEach(() => vi.restoreAllMocks())

function signingIn() {
  const users = memoryUsers(vera)
  const clock = { nowMs: 0, now: () => clock.nowMs }
  const from = { address: '192.0.2.1' }
  const audit = { record: async (entry: AuditEntry) => void users.audit.push(entry) }
  const signIn = createSignIn({ users, audit, clock, clientAddress: () => from.address })
  const code = (username: string, password: string) =>
    signIn(nowhere, username, password).then(
      () => 'ok',
      (error) => error.code as string,
    )
  return { users, clock, from, code }
}

describe('a guess', () => {
  it('is the same work for a name that nobody has: one look-up, one bcrypt of the same rounds, one line of audit', async () => {
    const { users, code } = signingIn()
    const compared = vi.spyOn(bcrypt, 'compare')
    const found = vi.spyOn(users, 'find')
    const work = async (username: string) => {
      const before = [compared.mock.calls.length, found.mock.calls.length, users.audit.length] as const
      expect(await code(username, 'wrong')).toBe('unauthorized')
      const hashes = compared.mock.calls.slice(before[0]).map(([, hash]) => bcrypt.getRounds(hash))
      return { hashes, lookups: found.mock.calls.length - before[1], lines: users.audit.length - before[2] }
    }
    const known = await work('vera')
    expect(known).toEqual({ hashes: [10], lookups: 1, lines: 1 })
    expect(await work('nobody')).toEqual(known)
  })

  it('may be made five times a minute for a name from an address, and thirty times from an address; good ones do not count', async () => {
    const { clock, from, code } = signingIn()
    // No test of bcrypt: it would take half a minute.
    vi.spyOn(bcrypt, 'compare').mockImplementation((async (password: string) => password === 'right') as never)
    for (let i = 0; i < 9; i++) expect(await code('vera', 'right')).toBe('ok')
    for (let i = 0; i < 5; i++) expect(await code('vera', 'wrong')).toBe('unauthorized')
    expect(await code('vera', 'right')).toBe('too_many_attempts')
    from.address = '192.0.2.2'
    expect(await code('vera', 'right'), 'its owner, elsewhere').toBe('ok')
    for (let i = 0; i < 30; i++) expect(await code(`name-${i}`, 'wrong')).toBe('unauthorized')
    expect(await code('another', 'wrong')).toBe('too_many_attempts')
    clock.nowMs += 60_000
    expect(await code('another', 'wrong')).toBe('unauthorized')
  })

  it('takes memory for as many names and addresses as there may be, and no more', () => {
    const limit = createRateLimit({ triesMax: 5, windowMs: 60_000, keysMax: 10_000 })
    for (let i = 0; i < 100_000; i++) limit.take(`name-${i}`, 0)
    expect(limit.size).toBe(10_000)
  })
})

describe('the audit log of failed sign-ins', () => {
  it('tells a name once in ten minutes for an address, a hundred in an hour, and counts what it does not tell', async () => {
    const told: AuditEntry[] = []
    const failed = createFailedSignIns({ record: async (entry) => void told.push(entry) })
    const fail = (username: string, at: number, address = '192.0.2.1') =>
      failed({ username, isKnown: username === 'vera', address, at })
    for (let i = 0; i < 3; i++) await fail('vera', i)
    await fail('vera', 3, '192.0.2.2')
    expect(told).toEqual([
      {
        at: 0,
        by: { username: 'vera', address: '192.0.2.1' },
        action: 'session.refuse',
        target: 'vera',
        detail: { untold_before: 0 },
      },
      expect.objectContaining({ at: 3, detail: { untold_before: 2 } }),
    ])
    for (let i = 0; i < 100_000; i++) await fail(`name-${i}`, 4)
    expect(told).toHaveLength(100)
    await fail('vera', 3_600_000)
    expect(told.at(-1)).toMatchObject({ target: 'vera', detail: { untold_before: 99_902 } })
  })

  it('keeps no name that nobody has: it may be a password in the wrong field', async () => {
    const told: AuditEntry[] = []
    const failed = createFailedSignIns({ record: async (entry) => void told.push(entry) })
    await failed({ username: 'my-secret-password', isKnown: false, address: '192.0.2.1', at: 0 })
    expect(told).toMatchObject([{ target: UNKNOWN_NAME, by: { username: UNKNOWN_NAME } }])
    expect(JSON.stringify(told)).not.toContain('secret')
  })
})
