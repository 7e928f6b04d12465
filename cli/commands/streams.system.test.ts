/** `streamforge streams` as a process: what it serves about itself, and what it says where it can't. On a real PostgreSQL and the log of its data folder. */
import { createServer } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { withPostgres } from '../../db/testing/postgres.ts'
import { eventually } from '../../tests/support/eventually.ts'
import { newDataDir, runCli, spawnCli } from '../../tests/support/platform.ts'
import { withoutPassword } from '../processes.ts'

const postgres = withPostgres()
const START_MS = 60_000

async function environment(): Promise<Record<string, string>> {
  return { DATABASE_URL: await postgres.emptyDatabase(), STREAMFORGE_DATA_DIR: await newDataDir() }
}

it('serves metrics and health on a free port of loopback, is known to status, and stops with SIGTERM', async () => {
  const env = await environment()
  const streams = spawnCli(['streams'], { env })
  const url = await eventually('it tells where', START_MS, () => {
    if (streams.child.exitCode !== null) throw new Error(`The streams ended:\n${streams.err}`)
    return /^The streams run; metrics and health at (http:\/\/127\.0\.0\.1:\d+)\.$/m.exec(streams.out)?.[1]
  })
  const tasks = await eventually('all partitions are read', START_MS, async () => {
    const response = await fetch(`${url}/health`)
    const { data } = (await response.json()) as {
      data: { status: string; owner: string; tasks: { status: string; lag: number }[] }
    }
    expect([response.status, data.owner]).toEqual([200, expect.stringContaining(String(streams.child.pid))])
    return data.tasks.length === 12 && data.tasks.every(({ status }) => status !== 'restored') && data.tasks
  })
  expect(new Set(tasks.map(({ status, lag }) => `${status} ${lag}`))).toEqual(new Set(['idle 0']))
  const metrics = await (await fetch(`${url}/metrics`)).text()
  expect(metrics).toMatch(/^streamforge_streams_lag_records\{topic="transactions.orders",partition="0",.*\} 0$/m)
  expect(metrics).toContain('process_cpu_seconds_total')
  const described = await runCli(['status', '--json'], { env })
  expect([described.code, JSON.parse(described.out)]).toEqual([
    0,
    {
      running: true,
      data_dir: env.STREAMFORGE_DATA_DIR,
      postgres_url: withoutPassword(String(env.DATABASE_URL)),
      objects_url: expect.stringMatching(/^file:\/\/\/.*\/objects$/),
      processes: [
        {
          role: 'streams',
          pid: streams.child.pid,
          started_at: expect.any(String),
          url,
          health: 'ok',
          partitions: 12,
          lag_records: 0,
        },
      ],
      health: { edge: 'elsewhere', pipelines: 'unknown', lag_records: null, live: null },
    },
  ])

  const edge = spawnCli(['edge', '--port', '0'], { env })
  const edgeUrl = await eventually('the edge listens', START_MS, () => /listens on (\S+)\.\n/.exec(edge.out)?.[1])
  const doctor = await runCli(['doctor', '--timeout', '60'], { env })
  expect([doctor.code, doctor.err], doctor.out).toEqual([0, ''])
  const { out } = await runCli(['status'], { env })
  expect(out).toMatch(new RegExp(`^edge +${edgeUrl} +ok$`, 'm'))
  expect(out).toMatch(new RegExp(`^edge +process ${edge.child.pid}, since \\S+, at ${edgeUrl} +ok$`, 'm'))
  expect(out).toMatch(new RegExp(`^streams +process .* at ${url} +ok, 12 partitions, lag 0 records$`, 'm'))

  // What a kill leaves behind is not taken for a process.
  edge.child.kill('SIGKILL')
  await edge.ended()
  expect((await runCli(['status'], { env })).out).not.toMatch(/^edge/m)
  streams.child.kill('SIGTERM')
  expect(await streams.ended(), streams.err).toBe(0)
  expect(await runCli(['status'], { env })).toMatchObject({ code: 3 })
  await expect(fetch(`${url}/health`)).rejects.toThrow()
})

it('serves nothing where it is told so', async () => {
  const streams = spawnCli(['streams', '--metrics-port', 'off'], { env: await environment() })
  await eventually('it runs', START_MS, () => streams.out === 'The streams run.\n')
  streams.child.kill('SIGTERM')
  expect(await streams.ended(), streams.err).toBe(0)
})

it('says in one sentence that the port is taken, or is none', async () => {
  const taken = createServer()
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done))
  onTestFinished(() => void taken.close())
  const { port } = taken.address() as { port: number }
  const env = await environment()
  const busy = await runCli(['streams', '--metrics-port', String(port)], { env })
  expect(busy).toMatchObject({ code: 1, out: '' })
  expect(busy.err).toMatch(new RegExp(`^Port ${port} is in use already\\..*--metrics-port \\d+\\.\\n$`))
  const wrong = await runCli(['streams', '--metrics-port', 'some'], { env })
  expect([wrong.code, wrong.err]).toEqual([2, expect.stringMatching(/^--metrics-port .*not "some"/)])
})
