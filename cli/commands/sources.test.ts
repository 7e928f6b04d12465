/** `simulate` and `replay` as a user meets them: how they find the platform, what they print, how they end. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Command, CommandIo } from '../command.ts'
import { findPlatform } from '../platform.ts'
import { runCommand } from '../testing/run-command.ts'
import { replay } from './replay.ts'
import { simulate } from './simulate.ts'

let folder: string
const closing: Server[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'commands-'))
})
afterEach(async () => {
  for (const server of closing.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  rmSync(folder, { recursive: true, force: true })
})

/** An edge that takes everything that comes with the key. */
async function startEdge(writeKey = 'wk_right', onRequest: () => void = () => undefined) {
  const received: { path: string; event: Record<string, unknown> }[] = []
  const app = new Hono()
  app.post('/api/v1/:kind', async (c) => {
    onRequest()
    if (c.req.header('authorization') !== `Bearer ${writeKey}`) return c.json({ detail: 'no' }, 401)
    const lines = (await c.req.text()).split('\n')
    for (const line of lines) received.push({ path: c.req.path, event: JSON.parse(line) as Record<string, unknown> })
    return c.json({ accepted: lines.length, duplicates: 0, rejected: [] }, 202)
  })
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const s = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(s))
  })
  closing.push(server as Server)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received }
}

/** What `streamforge up` leaves in the data folder. */
function runningPlatform(edgeUrl: string, pid = process.pid): string {
  const data = join(folder, 'data')
  mkdirSync(data, { recursive: true })
  const running = {
    pid,
    started_at: '2026-01-31T12:00:00Z',
    edge_url: edgeUrl,
    postgres_url: 'postgres://x',
    data_dir: data,
  }
  writeFileSync(join(data, 'running.json'), JSON.stringify(running))
  writeFileSync(
    join(data, 'secrets.json'),
    JSON.stringify({ writeKey: 'wk_right', jwtSecret: 'j'.repeat(40), databasePassword: 'p' }),
    { mode: 0o600 },
  )
  return data
}

const run = (command: Command, args: string[], more: Partial<CommandIo> = {}) =>
  runCommand(command, args, { cwd: folder, ...more })

const FILE =
  'order_id,who,sum,at\no1,u1,5.00,2026-01-31 10:00:00\no2,u2,x,2026-01-31 10:00:01\no3,u1,7.25,2026-01-31 10:00:02\n'
const MAPPING = {
  topic: 'orders',
  columns: { order_id: 'order_id', user_id: 'who', amount: 'sum', event_time: 'at' },
}
function files() {
  writeFileSync(join(folder, 'sales.csv'), FILE)
  writeFileSync(join(folder, 'sales.json'), JSON.stringify(MAPPING))
}

describe('replay', () => {
  it('finds the running platform and its key, sends the file, and says what became of it', async () => {
    files()
    const edge = await startEdge()
    const data = runningPlatform(edge.url)
    const { code, out, err } = await run(replay, [
      'sales.csv',
      '--mapping',
      'sales.json',
      '--keep-time',
      '--data',
      'data',
    ])
    expect(code).toBe(0)
    expect(out).toMatch(/^3 rows in \d\.\d s: 2 accepted, 0 duplicates, 1 bad rows, 0 rejected\.\n/)
    expect(out).toContain(join(data, 'sales.csv.rejected.ndjson'))
    expect(err).toContain('Times are kept')
    expect(err).toContain('100 % · 3 rows')
    expect(edge.received.map((r) => [r.path, r.event.order_id, r.event.event_time])).toEqual([
      ['/api/v1/orders', 'o1', Date.UTC(2026, 0, 31, 10)],
      ['/api/v1/orders', 'o3', Date.UTC(2026, 0, 31, 10, 0, 2)],
    ])
    expect(readFileSync(join(data, 'sales.csv.rejected.ndjson'), 'utf8')).toContain('"line":3')
  })

  it('takes the environment and a preset as well, and an edge elsewhere', async () => {
    const edge = await startEdge('wk_other')
    writeFileSync(
      join(folder, 'clicks.csv'),
      'event_time,event_type,product_id,category_id,category_code,brand,price,user_id,user_session\n2019-10-01 00:00:00 UTC,view,1,2,,b,3.00,4,5\n',
    )
    const args = ['clicks.csv', '--preset', 'rees46', '--url', edge.url]
    const { code, err } = await run(replay, args, { env: { STREAMFORGE_WRITE_KEY: 'wk_other' } })
    expect(code).toBe(0)
    expect(err).not.toContain('Times are kept')
    expect(edge.received).toMatchObject([{ path: '/api/v1/events', event: { event_type: 'product_view' } }])
    // Rebased: it happens now.
    expect(Math.abs((edge.received[0]!.event.event_time as number) - Date.now())).toBeLessThan(60_000)
  })

  it('draws a bar on a terminal, and cleans it away', async () => {
    files()
    const edge = await startEdge()
    const args = ['sales.csv', '--mapping', 'sales.json', '--url', edge.url, '--write-key', 'wk_right']
    const { err } = await run(replay, args, { isTty: true })
    expect(err).toContain('\r\x1b[K████████████████████████ 100 % · 3 rows')
    expect(err.endsWith('\r\x1b[K')).toBe(true)
  })

  it('says where it stopped, and goes on from there', async () => {
    const rows = Array.from({ length: 6_000 }, (_, n) => `o${n},u${n % 9},1,2026-01-31 10:00:00`)
    writeFileSync(join(folder, 'sales.csv'), `order_id,who,sum,at\n${rows.join('\n')}\n`)
    writeFileSync(join(folder, 'sales.json'), JSON.stringify(MAPPING))
    const stop = new AbortController()
    let requests = 0
    const edge = await startEdge('wk_right', () => {
      if (++requests === 6) stop.abort()
    })
    runningPlatform(edge.url)
    const args = ['sales.csv', '--mapping', 'sales.json']
    const env = { STREAMFORGE_DATA_DIR: join(folder, 'data') }
    const first = await run(replay, args, { env, signal: stop.signal })
    expect(first.code).toBe(130)
    expect(first.out).toMatch(/Stopped after line [\d,]+\. The same command goes on from there/)
    const second = await run(replay, args, { env })
    expect(second.code).toBe(0)
    expect(second.out).toMatch(/^Went on after line [\d,]+/)
    expect(new Set(edge.received.map((r) => r.event.order_id)).size).toBe(6_000)
  })

  it.each([
    [[], 'replay needs a file.'],
    [['a.csv', 'b.csv', '--mapping', 'rees46'], 'one file, not 2'],
    [['sales.csv'], 'replay needs --mapping: a preset (rees46, online-retail, nyc-tlc) or a mapping file'],
    [['sales.csv', '--mapping', 'nope'], 'neither a preset (rees46, online-retail, nyc-tlc) nor a file'],
    [['sales.csv', '--mapping', 'sales.csv'], '--mapping sales.csv is not valid JSON'],
    [['sales.csv', '--mapping', 'wrong.json'], 'columns.amount: needed'],
    [['missing.csv', '--mapping', 'rees46'], 'There is no file missing.csv'],
    [
      ['sales.csv', '--mapping', 'sales.json', '--speed', 'fast'],
      '--speed takes a number above 0 or "max", not "fast"',
    ],
    [['sales.csv', '--mapping', 'sales.json', '--speed', '0'], '--speed takes'],
    [['sales.csv', '--mapping', 'sales.json', '--bogus'], "Unknown option '--bogus'."],
    [['sales.csv', '--mapping', 'sales.json', '--url', 'localhost'], '--url takes an http or https URL'],
    [
      ['sales.csv', '--mapping', 'sales.json', '--url', 'http://127.0.0.1:1'],
      'give --write-key or set STREAMFORGE_WRITE_KEY',
    ],
  ])('%j is one sentence and exit code 2', async (args, sentence) => {
    files()
    writeFileSync(join(folder, 'wrong.json'), '{"topic":"orders","columns":{"user_id":"u","event_time":"t"}}')
    const { code, err } = await run(replay, args)
    expect(code).toBe(2)
    expect(err).toContain(sentence)
    expect(err).toContain('See "streamforge replay --help".')
  })

  it('says what to do when no platform runs here, nothing answers, or the key is wrong', async () => {
    files()
    const args = ['sales.csv', '--mapping', 'sales.json']
    expect(await run(replay, args)).toMatchObject({
      code: 1,
      err: expect.stringContaining('Start one with "npm start"'),
    })
    const edge = await startEdge('another')
    runningPlatform(edge.url)
    const wrong = await run(replay, [...args, '--data', 'data'])
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('refuses the write key') })
    // A process id that can't exist: the platform crashed and left its file.
    runningPlatform(edge.url, 2 ** 30)
    expect(await run(replay, [...args, '--data', 'data'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('No platform is running'),
    })
  })

  it('explains itself', async () => {
    const { code, out } = await run(replay, ['--help'])
    expect(code).toBe(0)
    for (const option of ['--mapping', '--speed', '--keep-time', '--restart', '--url', '--write-key'])
      expect(out).toContain(option)
  })
})

describe('simulate', () => {
  it('sends as many events as asked for and ends', async () => {
    const edge = await startEdge()
    runningPlatform(edge.url)
    const { code, out } = await run(simulate, ['--events', '300', '--rate', '2000', '--seed', '3', '--data', 'data'])
    expect(code).toBe(0)
    expect(edge.received).toHaveLength(300)
    expect(out).toMatch(/^300 accepted, 0 duplicates · [\d,]+\/s\n$/)
    expect(new Set(edge.received.map((r) => r.path)).size).toBeGreaterThan(1)
  })

  it('ends when it is told to', async () => {
    const stop = new AbortController()
    const edge = await startEdge('wk_right', () => stop.abort())
    const args = ['--rate', '100', '--url', edge.url, '--write-key', 'wk_right']
    expect(await run(simulate, args, { signal: stop.signal })).toMatchObject({ code: 0 })
  })

  it.each([
    [['--rate', '0'], '--rate takes a whole number from 1 to 1000000, not "0"'],
    [['--events', 'many'], '--events takes a whole number'],
    [['file.csv'], 'simulate takes no file'],
  ])('%j is one sentence and exit code 2', async (args, sentence) => {
    const { code, err } = await run(simulate, args)
    expect(code).toBe(2)
    expect(err).toContain(sentence)
  })
})

describe('the running platform', () => {
  it('is found by its file while its process lives, with whatever else the file says', async () => {
    const data = runningPlatform('http://127.0.0.1:8080')
    expect(await findPlatform(data)).toMatchObject({ edge_url: 'http://127.0.0.1:8080', pid: process.pid })
    writeFileSync(join(data, 'running.json'), '{"pid":')
    expect(await findPlatform(data)).toBeNull()
    expect(await findPlatform(join(folder, 'nowhere'))).toBeNull()
  })
})
