/**
 * The command line as a user meets it, every command a real process: what it says to mistakes, how the platform starts, stops and goes on, and what
 * the commands beside it do.
 */
import { access, chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Result } from '../cli/doctor/check.ts'
import { connect } from '../db/postgres/connect.ts'
import { readPidFile } from '../db/postgres/embedded/postmaster.ts'
import { isAlive } from '../db/process.ts'
import { simulate } from '../streams/sources/simulate.ts'
import { as } from './support/access.ts'
import { type Answer, caughtUp, get, post } from './support/api.ts'
import { eventually } from './support/eventually.ts'
import {
  type CliResult,
  newDataDir,
  runCli,
  spawnCli,
  startPlatform,
  type TestPlatform,
  WITHOUT_LAKE,
} from './support/platform.ts'

/** "Within seconds", with room for a busy machine. */
const SECONDS_MS = 60_000
/** Less than the grace that requests in flight are given: nothing is, so nothing may wait for it. Where a start takes longer than this, the machine is busy, and a stop may take as long. */
const STOP_MS = 8_000
const EVERYTHING = { from: '1990-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' }
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** One sentence for people, nothing of how the program is made. */
function expectOneSentence({ err, out }: CliResult, about: RegExp): void {
  expect(err).toMatch(about)
  expect(err.trim().split('\n'), err).toHaveLength(1)
  expect(err).toMatch(/^\S.*\.\n$/)
  expect(err).not.toMatch(/\bat .*:\d+:\d+|Error:|node:/)
  expect(out).toBe('')
}

describe('mistakes on the command line', () => {
  // One of each command; `cli/commands/mistakes.test.ts` has the others.
  const MISTAKES: [args: string, about: RegExp][] = [
    ['upp', /no command "upp"\. Known: up, .*status, .*replay/],
    ['constructor', /no command "constructor"/],
    ['up --port abc', /--port .*whole number from 0 to 65535, not "abc"/],
    ['status --jsn', /--jsn/],
    ['doctor who', /doctor takes options only, not "who"/],
    ['simulate --rate 0', /--rate takes a whole number from 1/],
    ['replay', /replay needs a file/],
    ['bench everything', /no benchmark "everything"/],
  ]
  it.concurrent.each(MISTAKES)('streamforge %s', { timeout: 60_000 }, async (args, about) => {
    const result = await runCli(args.split(' '))
    expect(result.code, result.err).toBe(2)
    expectOneSentence(result, about)
  })

  it('is told all at once what is wrong with the configuration, and never a secret', async () => {
    const env = {
      STREAMFORGE_PORT: 'abc',
      STREAMFORGE_CURRENCY: 'lira',
      STREAMFORGE_WRITE_KEY: 'my secret key',
      DATABASE_URL: 'mysql://me:hidden@db/x',
    }
    for (const command of ['up', 'status', 'simulate']) {
      const { code, err, out } = await runCli([command], { env })
      expect(code, command).toBe(1)
      expect(out).toBe('')
      expect(err).toMatch(/^The configuration has 4 problems:\n(- .+\n){4}$/)
      for (const name of Object.keys(env)) expect(err).toContain(`- ${name} must be`)
      expect(err).toContain('not "abc"')
      expect(err).not.toMatch(/my secret key|hidden/)
    }
  })

  it('is helped by --help', async () => {
    const overview = await runCli([])
    expect(overview.code).toBe(0)
    for (const name of ['up', 'status', 'doctor', 'simulate', 'replay', 'bench'])
      expect(overview.out).toMatch(new RegExp(`^ {2}${name} +\\S`, 'm'))
    for (const name of ['up', 'replay']) {
      const { code, out } = await runCli([name, '--help'])
      expect([code, out.split(' [')[0]!.split('\n')[0]]).toEqual([0, expect.stringMatching(`^streamforge ${name}`)])
    }
    expect(await runCli(['--version'])).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  })
})

describe('without a platform', () => {
  it('each command says so, and what to do', async () => {
    const data = join(await newDataDir(), 'none')
    for (const command of ['doctor', 'simulate']) {
      const result = await runCli([command, '--data', data])
      expect(result.code).toBe(1)
      expectOneLine(result, /No platform is running on .*none\. Start one with "npm start"/)
    }
    const replayed = await runCli(['replay', 'package.json', '--mapping', 'rees46', '--data', data])
    expect(replayed).toMatchObject({ code: 1, err: expect.stringContaining('No platform is running on') })
    const status = await runCli(['status', '--data', data])
    expect(status).toMatchObject({ code: 3, out: '', err: expect.stringContaining('No platform is running on') })
    const json = await runCli(['status', '--json', '--data', data])
    expect([json.code, JSON.parse(json.out), json.err]).toEqual([3, { running: false, data_dir: data }, ''])
    expect(await exists(data), 'asking made a folder').toBe(false)
  })

  it('doctor says which hop fails where nobody answers', async () => {
    const { code, out, err } = await runCli(['doctor', '--url', 'http://127.0.0.1:1', '--write-key', 'k'])
    expect([code, err]).toEqual([1, ''])
    expect(out).toMatch(
      /^✗ edge +answers at http:\/\/127\.0\.0\.1:1\n +what +Nobody answers at .*\n +matters +.*\n +do +.*npm start/,
    )
    expect(out).toMatch(/^– edge +an event is accepted .*: needs "answers at /m)
    expect(out).toMatch(/^– postgres +not seen from here: DATABASE_URL/m)
  })

  const expectOneLine = ({ err, out }: CliResult, about: RegExp) => {
    expect(err).toMatch(about)
    expect(err.trim().split('\n')).toHaveLength(1)
    expect(out).toBe('')
  }
})

describe('a data folder that can not be used', () => {
  it('is named in one sentence when it is a file', async () => {
    const file = join(await newDataDir(), 'data')
    await writeFile(file, 'mine')
    const result = await runCli(['up', '--data', file])
    expect(result.code).toBe(1)
    expectOneSentence(result, /The data folder .*\/data can't be used: .*Choose another with --data/)
    expect(await readFile(file, 'utf8')).toBe('mine')
  })

  it('is named in one sentence when it may not be written', async () => {
    let folder = '/sys/streamforge'
    // Root may write everywhere but to the system's own file systems.
    if (process.getuid?.() !== 0) {
      folder = join(await newDataDir(), 'closed')
      await mkdir(folder)
      await chmod(folder, 0o500)
    }
    const result = await runCli(['up', '--data', folder])
    expect(result.code).toBe(1)
    expectOneSentence(result, /The data folder \S+ can't be used: .*Choose another with --data/)
  })
})

describe('a platform that runs', () => {
  it('starts, tells where it is, is used, stops with Ctrl-C and goes on with everything', {
    timeout: 400_000,
  }, async () => {
    const startedAt = performance.now()
    const first = await startPlatform()
    const startMs = performance.now() - startedAt
    await statusTells(first)
    await doctorIsContent(first)
    await refusesASecondInstance(first)
    const simulated = await simulates(first)
    const login = await eventually('the banner is printed', SECONDS_MS, () => {
      const [, username, password] = /Admin login +(\S+) \/ (\S+) +\(shown this once/.exec(first.out) ?? []
      return username && password ? { username, password } : undefined
    })
    expect(first.out).toContain(first.writeKey)
    await servesItsLake(first, login)
    await signsInByItsLink(first)
    await keepsAccounts(first)
    const before = await resultsOf(first)
    expect(before.pipelines.events).toBe(simulated.events + 1)

    const stoppedAt = performance.now()
    expect(await first.stop()).toBe(0)
    expect(performance.now() - stoppedAt).toBeLessThan(Math.max(STOP_MS, startMs))
    expect(first.err).toMatch(/Stopped\. "npm start" goes on from here\.\n$/)
    await expectNothingLeft(first.dataDir)

    const second = await startPlatform({ dataDir: first.dataDir })
    await caughtUp(second.url)
    expect(await resultsOf(second)).toEqual(before)
    expect(second.writeKey).toBe(first.writeKey)
    await eventually('the banner is printed', SECONDS_MS, () => second.out.includes('Ctrl-C stops'))
    expect(second.out).toContain('with the password of the first start')
    expect(second.out).not.toContain(login.password)
    for (const [password, status] of [
      [login.password, 200],
      ['another one', 401],
    ] as const) {
      expect(await post(second, '/auth/login', { username: login.username, password })).toMatchObject({ status })
    }
    // The same event again is no second event.
    expect(await runCli(['doctor', '--data', second.dataDir, '--timeout', '60'])).toMatchObject({ code: 0 })
    expect(await second.stop()).toBe(0)
  })

  it('stops cleanly in the middle of its start, and under its own simulator', async () => {
    const dataDir = await newDataDir()
    const starting = spawnCli(['up', '--port', '0', '--data', dataDir])
    await eventually('it has begun', SECONDS_MS, () => exists(join(dataDir, 'lock')))
    starting.child.kill('SIGINT')
    expect(await starting.ended(), starting.err).toBe(0)
    await expectNothingLeft(dataDir)

    const startedAt = performance.now()
    const busy = await startPlatform({ dataDir, args: ['--rate', '500'] })
    const startMs = performance.now() - startedAt
    await eventually('simulated events are counted', SECONDS_MS, async () => (await eventsOf(busy.url)) > 500)
    const stoppedAt = performance.now()
    expect(await busy.stop(), busy.err).toBe(0)
    expect(performance.now() - stoppedAt).toBeLessThan(Math.max(STOP_MS, startMs))
    expect(busy.err).not.toMatch(/"level":"(warn|error)"|simulator has stopped/)
    await expectNothingLeft(dataDir)
  })

  it('says in one sentence that its port is taken, leaves nothing, and shows its login when it can start', async () => {
    const taken = createServer()
    await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done))
    onTestFinished(() => void taken.close())
    const { port } = taken.address() as { port: number }
    const dataDir = await newDataDir()
    const result = await runCli(['up', '--port', String(port), '--data', dataDir, '--no-simulate'])
    expect(result.code).toBe(1)
    expectOneSentence(result, new RegExp(`Port ${port} is in use already\\..*--port`))
    await expectNothingLeft(dataDir)

    // What signs its tokens is its own.
    const env = { STREAMFORGE_JWT_SECRET: '' }
    const platform = await startPlatform({ dataDir, env })
    await eventually('the login is shown', SECONDS_MS, () => platform.out.includes('shown this once'))
    const { out: token } = await runCli(['token', '--data', dataDir], { env })
    const read = (authorization: string) => fetch(`${platform.url}/metrics/overview`, { headers: { authorization } })
    expect((await read(`Bearer ${token.trim()}`)).status).toBe(200)
    expect((await read((await as('viewer')).authorization)).status).toBe(401)
    expect(await runCli(['doctor', '--data', dataDir, '--timeout', '60'], { env })).toMatchObject({ code: 0 })
    expect(await platform.stop()).toBe(0)
  })
})

/** As clients of the Iceberg REST catalog do it. */
async function servesItsLake({ url }: TestPlatform, { username, password }: { username: string; password: string }) {
  const form = { grant_type: 'client_credentials', client_id: username, client_secret: password }
  const signedIn = await fetch(`${url}/iceberg/v1/oauth/tokens`, { method: 'POST', body: new URLSearchParams(form) })
  const { access_token } = (await signedIn.json()) as { access_token: string }
  const table = await eventually('the lake-writer has made its tables', SECONDS_MS, async () => {
    const headers = { authorization: `Bearer ${access_token}` }
    const response = await fetch(`${url}/iceberg/v1/namespaces/raw/tables/orders`, { headers })
    return response.status === 404 ? undefined : { status: response.status, body: await response.json() }
  })
  expect(table).toMatchObject({
    status: 200,
    body: { metadata: { location: expect.stringMatching(/^file:.*\/warehouse\/raw\/orders-/) } },
  })
}

/** The link that the banner shows, and one that is asked for. */
async function signsInByItsLink(platform: TestPlatform): Promise<void> {
  const asked = await runCli(['login-link', '--role', 'viewer', '--data', platform.dataDir])
  expect(asked.code, asked.err).toBe(0)
  for (const [text, role] of [
    [platform.out, 'admin'],
    [asked.out, 'viewer'],
  ] as const) {
    const [, url, code] = /(http\S+)\/#login=(\S+)/.exec(text) ?? []
    expect(url).toBe(platform.url)
    const begun = await post(platform, '/auth/link', { code })
    expect(begun).toMatchObject({ status: 200, body: { data: { role, username: expect.stringMatching(/^cli:/) } } })
    expect((await post(platform, '/auth/link', { code })).status).toBe(401)
  }
}

async function keepsAccounts(platform: TestPlatform): Promise<void> {
  const run = async (...args: string[]) => {
    const result = await runCli(['users', ...args, '--data', platform.dataDir])
    expect(result.code, result.err).toBe(0)
    return result.out
  }
  const [, password] =
    /Its password: (\S+) \(shown this once\)/.exec(await run('add', 'ada', '--role', 'operator')) ?? []
  const signedIn = await post(platform, '/auth/login', { username: 'ada', password })
  expect(signedIn).toMatchObject({ status: 200, body: { data: { role: 'operator' } } })
  expect(await run('set-role', 'ada', 'viewer')).toBe('ada is a viewer now, and signs in again.\n')
  const { refresh_token } = signedIn.body.data
  expect((await post(platform, '/auth/refresh', { refresh_token })).status).toBe(401)
  expect(await run('ls')).toMatch(/^NAME +ROLE +SINCE\nada +viewer +\S+\nadmin +admin +\S+\n$/)
  expect(await run('remove', 'ada')).toBe('The account ada is gone.\n')
  const last = await runCli(['users', 'remove', 'admin', '--data', platform.dataDir])
  expect([last.code, last.err]).toEqual([1, '"admin" is the last admin. Make another account an admin first.\n'])
  const { data } = await get(platform.url, '/audit', { target: 'ada' }, 'admin')
  expect(data.map((entry: Answer) => `${entry.action} ${entry.actor.split(':')[0]}`)).toEqual([
    'user.remove cli',
    'user.change cli',
    'session.begin ada',
    'user.create cli',
  ])
}

async function statusTells({ url, dataDir, child }: TestPlatform): Promise<void> {
  // The edge listens while the streams take their partitions, one by one.
  await caughtUp(url)
  const { code, out } = await runCli(['status', '--json', '--data', dataDir])
  const status = JSON.parse(out)
  expect(status).toEqual({
    running: true,
    pid: child.pid,
    started_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    edge_url: url,
    postgres_url: expect.stringMatching(/^postgres:\/\/\w+:\S+@127\.0\.0\.1:\d+\/streamforge$/),
    schema_registry_url: `${url}/schema-registry`,
    objects_url: `file://${dataDir}/objects`,
    processes: [],
    workflows: { state: 'off' },
    data_dir: dataDir,
    health: { edge: 'ok', pipelines: 'ok', lag_records: 0, live: true },
  })
  expect(code).toBe(0)
  const { sql, close } = connect(status.postgres_url, { max: 1 })
  expect(await sql`SELECT count(*)::int AS tasks FROM tasks`).toEqual([{ tasks: 12 }])
  await close()
  const text = await runCli(['status'], { env: { STREAMFORGE_DATA_DIR: dataDir } })
  expect(text).toMatchObject({ code: 0, out: expect.stringMatching(new RegExp(`^edge +${url} +ok$`, 'm')) })
  expect(text.out).not.toContain(new URL(status.postgres_url).password)
}

async function doctorIsContent({ dataDir }: TestPlatform): Promise<void> {
  const { code, out, err } = await runCli(['doctor', '--data', dataDir, '--timeout', '60'])
  expect([code, err], out).toEqual([0, ''])
  expect(out).not.toMatch(/^[✗!]/m)
  expect(out).toMatch(/^– workflows +off \(STREAMFORGE_WORKFLOWS\)$/m)
  for (const part of ['edge', 'streams', 'roles', 'postgres', 'schemas', 'objects', 'lake', 'machine'])
    expect(out).toMatch(new RegExp(`^✓ ${part} +.+ \\d+ ms`, 'm'))
  expect(out).toMatch(/\nEvery part that was seen works\. /)
  const wrongKey = await runCli(['doctor', '--data', dataDir, '--write-key', 'wk_wrong', '--json', '--timeout', '60'])
  expect(wrongKey.code).toBe(1)
  const { ok, results } = JSON.parse(wrongKey.out) as { ok: boolean; results: Result[] }
  expect([ok, results.filter(({ status }) => status === 'failed')]).toEqual([
    false,
    [
      expect.objectContaining({
        part: 'edge',
        name: 'an event is accepted and durable in the log',
        problem: expect.stringMatching(/401.*write key is not known/),
        remedy: expect.stringMatching(/secrets\.json/),
      }),
    ],
  ])
}

async function refusesASecondInstance({ url, dataDir, child }: TestPlatform): Promise<void> {
  const second = await runCli(['up', '--port', '0', '--data', dataDir])
  expect(second.code).toBe(1)
  expectOneSentence(second, new RegExp(`already running on ${dataDir} at ${url} \\(process ${child.pid}\\)\\..*--data`))
  expect((await fetch(`${url}/health`)).status).toBe(200)
}

/** What the command sent is what a simulator with the same seed would, and all of it is counted. */
async function simulates(platform: TestPlatform): Promise<{ events: number }> {
  const args = ['simulate', '--events', '500', '--seed', '1', '--rate', '2000', '--data', platform.dataDir]
  const { code, out, err } = await runCli(args)
  expect(code, err).toBe(0)
  const sent = [...simulate({ seed: 1, rate: 2000, startMs: 0, events: 500 })].map(({ topic, event }) => {
    if ('event_id' in event) return `${topic} ${event.event_id}`
    return `${topic} ${'trip_id' in event ? event.trip_id : `${event.order_id} ${event.status}`}`
  })
  const events = new Set(sent).size
  expect(out).toMatch(new RegExp(`^${events} accepted, ${500 - events} duplicates · [\\d,]+/s\\n$`))
  return { events }
}

async function eventsOf(url: string): Promise<number> {
  const { data } = await get(url, '/health/pipelines')
  return data.pipelines.reduce((sum: number, p: Answer) => sum + p.events, 0)
}

/** Everything that must survive a restart: totals, counts per task, products, one user's sessions. */
async function resultsOf({ url }: TestPlatform) {
  const pipelines: Answer[] = await caughtUp(url)
  const sum = (of: (p: Answer) => number) => pipelines.reduce((total, p) => total + of(p), 0)
  // Without what decays with the wall clock.
  const { events_per_second, active_sessions, ...overview } = (await get(url, '/metrics/overview', EVERYTHING)).data
  const products = (await get(url, '/metrics/top_products', { ...EVERYTHING, by: 'views', limit: 100 })).data
  const revenue = (await get(url, '/metrics/revenue_timeseries', { ...EVERYTHING, bucket: '60d' })).data
  return {
    pipelines: {
      events: sum((p) => p.events),
      late: sum((p) => p.late),
      duplicates: sum((p) => p.duplicates),
      dead: sum((p) => p.dead_letters),
    },
    overview,
    products,
    revenue: revenue.filter((p: Answer) => p.orders > 0),
  }
}

/** No lock, no running.json, no PostgreSQL: whatever comes next on this folder has it for itself. */
async function expectNothingLeft(dataDir: string): Promise<void> {
  expect(await exists(join(dataDir, 'lock'))).toBe(false)
  expect(await exists(join(dataDir, 'running.json'))).toBe(false)
  const server = await readPidFile(join(dataDir, 'postgres'))
  expect(server !== null && isAlive(server.pid)).toBe(false)
}

describe('a replay that is interrupted', () => {
  it('goes on where it stopped, after Ctrl-C and after a kill, to exactly the same result', {
    timeout: 400_000,
  }, async () => {
    const platform = await startPlatform({ env: WITHOUT_LAKE })
    const folder = await newDataDir()
    const file = join(folder, 'orders.csv')
    const rows = 6_000
    const start = Date.UTC(2025, 4, 1, 10)
    // Two minutes of orders, ten of them no orders at all.
    const lines = Array.from({ length: rows }, (_, i) => {
      const amount = i % 600 === 599 ? 'free' : (i / 100).toFixed(2)
      return `o-${i},u-${i % 97},${amount},c-${i % 5},${new Date(start + i * 20).toISOString()}`
    })
    await writeFile(file, `id,customer,price,kind,at\n${lines.join('\n')}\n`)
    await writeFile(
      join(folder, 'mapping.json'),
      JSON.stringify({
        topic: 'orders',
        currency: 'EUR',
        columns: { order_id: 'id', user_id: 'customer', amount: 'price', category: 'kind', event_time: 'at' },
      }),
    )
    const replay = (speed: string) => {
      const how = ['--mapping', 'mapping.json', '--keep-time', '--speed', speed, '--data', platform.dataDir]
      return spawnCli(['replay', 'orders.csv', ...how], { cwd: folder })
    }
    const progressed = (p: { err: string }) => /[1-9]\d* rows/.test(p.err)

    // Half a minute of replay: time enough to end it in the middle, also on a busy machine.
    const first = replay('4')
    await eventually('a first progress line', SECONDS_MS, () => progressed(first))
    // Read is not yet acknowledged: it is the latter that a replay resumes from.
    await eventually('rows have arrived', SECONDS_MS, async () => (await eventsOf(platform.url)) > 300)
    first.child.kill('SIGINT')
    expect(await first.ended(), first.err).toBe(130)
    const stoppedAfter = Number(/Stopped after line ([\d,]+)\. The same command/.exec(first.out)?.[1]?.replace(',', ''))
    expect(stoppedAfter).toBeGreaterThan(1)
    expect(stoppedAfter).toBeLessThan(rows)

    const second = replay('4')
    const resumed = await eventually('progress beyond the resume', SECONDS_MS, async () => {
      const events = await eventsOf(platform.url)
      return events > stoppedAfter + 200 && events
    })
    second.child.kill('SIGKILL')
    await second.ended()
    expect(resumed).toBeLessThan(rows)

    const third = replay('max')
    expect(await third.ended(), third.err).toBe(0)
    expect(third.out).toMatch(/^Went on after line [\d,]+, where an earlier replay had stopped\.\n/)

    const isOrder = (i: number) => i % 600 !== 599
    const orders = Array.from({ length: rows }, (_, i) => i).filter(isOrder)
    await caughtUp(platform.url)
    const { data } = await get(platform.url, '/metrics/overview', EVERYTHING)
    expect(data.orders).toBe(orders.length)
    expect(data.totals).toEqual([
      expect.objectContaining({ currency: 'EUR', revenue: orders.reduce((sum, i) => sum + i, 0) / 100 }),
    ])
    const aside = await readFile(join(platform.dataDir, 'orders.csv.rejected.ndjson'), 'utf8')
    const bad = aside
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { line: number; reason: string })
    // What a kill interrupted may be written aside again, so a line can be there twice; none is missing, and no other is there.
    expect([...new Set(bad.map((b) => b.line))]).toEqual(lines.flatMap((_, i) => (isOrder(i) ? [] : [i + 2])))

    // A fourth run begins anew, and every order is known.
    const again = await runCli(
      ['replay', 'orders.csv', '--mapping', 'mapping.json', '--keep-time', '--data', platform.dataDir],
      { cwd: folder },
    )
    expect(again.out).toContain(`${rows.toLocaleString('en')} rows in`)
    expect(again.out).toContain(
      `: 0 accepted, ${orders.length.toLocaleString('en')} duplicates, 10 bad rows, 0 rejected.`,
    )
    expect(await platform.stop()).toBe(0)
  })
})
