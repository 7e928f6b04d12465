/**
 * The log of a platform on which much goes wrong: sign-ins that fail, keys and tokens that are wrong, bodies that are none, a database that goes away. Every line has one form, and no
 * secret that is used here is in any. What every other test's processes write is held to the same by `support/processes.ts`.
 */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readPidFile } from '../db/postgres/embedded/postmaster.ts'
import { as } from './support/access.ts'
import { eventually } from './support/eventually.ts'
import { complaints, linesOf, neverLogged } from './support/log-hygiene.ts'
import { runCli, startPlatform } from './support/platform.ts'

const ADMIN_PASSWORD = neverLogged('correct horse battery staple')
const WRONG_PASSWORD = neverLogged('Tr0ub4dor&3-and-then-some')
const DATABASE_BREAKS_MS = 60_000

it('has JSON lines with level, time, component and message, and none of the secrets', {
  timeout: 180_000,
}, async () => {
  const env = { STREAMFORGE_LOG_LEVEL: 'debug', STREAMFORGE_ADMIN_PASSWORD: ADMIN_PASSWORD }
  const platform = await startPlatform({ env })
  const { url, writeKey, dataDir } = platform
  for (const secret of Object.values(JSON.parse(await readFile(join(dataDir, 'secrets.json'), 'utf8')) as object))
    neverLogged(String(secret))
  const call = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const response = await fetch(`${url}/api/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: text,
    })
    return { status: response.status, body: (await response.json().catch(() => null)) as Record<string, never> | null }
  }
  const ask = async (path: string, headers: Record<string, string> = {}) =>
    (await fetch(`${url}${path}`, { headers })).status

  // Sessions, good and bad.
  const login = await call('/auth/login', { username: 'admin', password: ADMIN_PASSWORD })
  expect(login.status).toBe(200)
  const session = (login.body as unknown as { data: { access_token: string; refresh_token: string } }).data
  const bearer = { authorization: `Bearer ${neverLogged(session.access_token)}` }
  neverLogged(session.refresh_token)
  expect((await call('/auth/login', { username: 'admin', password: WRONG_PASSWORD })).status).toBe(401)
  expect((await call('/auth/login', { username: WRONG_PASSWORD, password: WRONG_PASSWORD })).status).toBe(401)
  expect((await call('/auth/login', `{"username":"admin","password":"${WRONG_PASSWORD}`)).status).toBe(400)
  const refreshed = await call('/auth/refresh', { refresh_token: session.refresh_token })
  expect(refreshed.status).toBe(200)
  const next = (refreshed.body as unknown as { data: { access_token: string; refresh_token: string } }).data
  neverLogged(next.access_token)
  neverLogged(next.refresh_token)
  // One that was used before: its family ends, and that is logged.
  expect((await call('/auth/refresh', { refresh_token: session.refresh_token })).status).toBe(401)
  const link = await call('/auth/links', { role: 'viewer' }, bearer)
  const { code } = (link.body as unknown as { data: { code: string } }).data
  expect((await call('/auth/link', { code: neverLogged(code) })).status).toBe(200)
  expect((await call('/auth/link', { code })).status).toBe(401)
  expect(await ask('/api/v1/auth/me', { authorization: `Bearer ${neverLogged(`${session.access_token}x`)}` })).toBe(401)

  // Keys and accounts.
  const key = await call('/write-keys', { name: 'shop' }, await as('admin'))
  expect(key.status).toBe(201)
  const made = (key.body as unknown as { data: { key: string } }).data.key
  expect(
    (await call('/events', [{ event_type: 'page_view', user_id: 'a' }], { 'x-write-key': neverLogged(made) })).status,
  ).toBe(202)
  const wrongKey = neverLogged('wk_that_nobody_has_ever_made')
  expect((await call('/events', [], { 'x-write-key': wrongKey })).status).toBe(401)
  expect((await call(`/events?write_key=${wrongKey}`, [])).status).toBe(401)
  const user = { username: 'ada', role: 'viewer', password: neverLogged('a password of Ada, long enough') }
  expect((await call('/users', user, await as('admin'))).status).toBe(201)
  expect((await call('/users', { ...user, role: 'queen' }, await as('admin'))).status).toBe(400)

  // What is no request, or asks for what is not there; secrets where they do not belong.
  const mine = { 'x-write-key': writeKey }
  for (const body of ['{"half', '[{"event_type":1}]', '\u0000', 'null']) await call('/events', body, mine)
  await ask(`/nothing?token=${session.access_token}`)
  await ask(`/api/v1/features/${encodeURIComponent('x'.repeat(5_000))}`, bearer)
  await ask('/iceberg/v1/config', { authorization: `Basic ${btoa(`admin:${WRONG_PASSWORD}`)}` })
  await ask('/schema-registry/subjects', { authorization: `Basic ${btoa(`admin:${ADMIN_PASSWORD}`)}` })
  neverLogged(btoa(`admin:${ADMIN_PASSWORD}`))
  neverLogged(btoa(`admin:${WRONG_PASSWORD}`))
  await call('/iceberg/v1/oauth/tokens', 'grant_type=client_credentials', {})
  await runCli(['doctor', '--data', dataDir, '--write-key', wrongKey])

  // An outage: every part says what it misses, with the addresses of what it misses.
  const postmaster = await readPidFile(join(dataDir, 'postgres'))
  // All of its output comes after its end.
  const closed = once(platform.child, 'close')
  process.kill(postmaster!.pid, 'SIGKILL')
  const code_ = await eventually('the platform has ended without its database', DATABASE_BREAKS_MS, () => {
    return platform.child.exitCode ?? undefined
  })
  expect(code_).toBe(1)
  await closed
  expect(complaints({ args: ['up'], err: platform.err, secrets: [] })).toEqual([])
  const lines = linesOf(platform.err).map((line) => JSON.parse(line) as { component: string; level: string })
  expect(new Set(lines.map(({ component }) => component))).toEqual(new Set(['edge', 'streams', 'lake-writer']))
  expect(lines.filter(({ level }) => level === 'warn' || level === 'error').length).toBeGreaterThan(0)
})

it('is told of each kind of line that may not be', () => {
  const good = { level: 'info', time: '2026-01-02T03:04:05.678Z', component: 'edge', msg: 'm' }
  const err = (line: object | string) => (typeof line === 'string' ? line : JSON.stringify(line))
  const wrong = (line: object | string, secrets: string[] = []) =>
    complaints({ args: ['edge'], err: `${err(line)}\n`, secrets }).length
  expect(wrong(good)).toBe(0)
  expect(wrong({ ...good, trace_id: '0'.repeat(32) })).toBe(0)
  expect(wrong('Stopping: what was accepted is kept …')).toBe(0)
  for (const lacking of ['level', 'time', 'component', 'msg']) expect(wrong({ ...good, [lacking]: undefined })).toBe(1)
  expect(wrong({ ...good, trace_id: 'abc' })).toBe(1)
  expect(wrong('{"level":"info"')).toBe(1)
  expect(wrong({ ...good, url: 'postgres://u:very-secret@h/' }, ['very-secret'])).toBe(1)
})
