/**
 * `streamforge up --cluster`: the whole cluster form with one command, on real servers that it starts itself. Used, hurt, stopped, started again on its data,
 * killed and started once more: nothing is lost, nothing is left behind.
 */
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, it, type TestContext } from 'vitest'
import { clearFolder as clearServer } from '../cli/servers/process.ts'
import { loadConfig } from '../db/config.ts'
import { clearFolder as clearPostgres, readPidFile } from '../db/postgres/embedded/postmaster.ts'
import { isAlive } from '../db/process.ts'
import { eventually } from './support/eventually.ts'
import {
  caughtUp,
  emptyLedger,
  eventsProcessed,
  expectLedger,
  type Ledger,
  runClient,
  type Target,
} from './support/ledger.ts'
import { type CliProcess, newDataDir, runCli, spawnCli } from './support/platform.ts'

const START_MS = 150_000
const STOP_MS = 60_000
const WRITE_KEY = 'wk_of_the_cluster_on_one_machine'
const UNAVAILABLE = /A local (Kafka|Redis) needs .*|Maven could not fetch .*/

let dataDir = ''
afterAll(async () => {
  if (!dataDir) return
  // Where a test has failed: its platform is killed, its roles see that and end, its servers are cleared as the next start would.
  running?.child.kill('SIGKILL')
  await running?.ended(STOP_MS)
  const folder = (name: string) => join(dataDir, 'cluster', name)
  for (const name of ['kafka', 'redis']) await clearServer({ name, folder: folder(name) })
  await clearPostgres(folder('postgres'), () => undefined)
}, 120_000)

let running: CliProcess | undefined

interface Described {
  edge_url: string
  processes: { role: string; pid: number; health: string; partitions?: number }[]
}
const status = async (): Promise<Described> => JSON.parse((await runCli(['status', '--json', '--data', dataDir])).out)
const streamsOf = ({ processes }: Described) => processes.filter(({ role }) => role === 'streams')

async function serverPids(): Promise<number[]> {
  const pidOf = async (name: string): Promise<number> =>
    (JSON.parse(await readFile(join(dataDir, 'cluster', name, 'server.pid'), 'utf8')) as { pid: number }).pid
  const postgres = await readPidFile(join(dataDir, 'cluster', 'postgres'))
  return [await pidOf('kafka'), await pidOf('redis'), postgres?.pid ?? 0]
}

async function start(context: TestContext): Promise<CliProcess & { target: Target }> {
  const env = { STREAMFORGE_WRITE_KEY: WRITE_KEY }
  const args = ['up', '--cluster', '--streams', '2', '--port', '0', '--no-simulate', '--data', dataDir]
  const up = spawnCli(args, { env })
  running = up
  const url = await eventually('the cluster is up', START_MS, () => {
    if (up.child.exitCode !== null) {
      const missing = UNAVAILABLE.exec(up.err)?.[0]
      if (missing !== undefined && !loadConfig(process.env).ci) context.skip(missing)
      throw new Error(`It ended:\n${up.err}`)
    }
    return up.out.includes('Ctrl-C stops') && /Dashboard +(\S+)\/\n/.exec(up.out)?.[1]
  })
  return Object.assign(up, { target: { url, writeKey: WRITE_KEY } })
}

const exists = (name: string): Promise<boolean> =>
  access(join(dataDir, name)).then(
    () => true,
    () => false,
  )

/** Redis keeps nothing over a restart: the features are there again when the streams have written them from their state. */
async function expectLedgerSoon(target: Target, ledger: Ledger): Promise<void> {
  await eventually('the features are back', 60_000, () =>
    expectLedger(target, ledger).then(
      () => true,
      (error: Error) => {
        if (!/features.*404/.test(error.message)) throw error
        return false
      },
    ),
  )
}

async function expectGone(pids: readonly number[]): Promise<void> {
  await eventually('no process is left', STOP_MS, () => !pids.some(isAlive))
}

it('runs everything, starts again what dies, stops in order, and goes on with its data', {
  timeout: 400_000,
}, async (context) => {
  dataDir = await newDataDir()
  const first = await start(context)
  expect(first.out).toContain('StreamForge is running as a cluster')
  for (const part of ['Edge', 'Streams 1', 'Streams 2', 'Lake-writer', 'Kafka', 'Redis', 'PostgreSQL'])
    expect(first.out).toMatch(new RegExp(`^  ${part} +\\S.*process \\d+$`, 'm'))
  const { redisPassword } = JSON.parse(await readFile(join(dataDir, 'secrets.json'), 'utf8')) as Record<string, string>
  expect(redisPassword).toMatch(/^[\w-]{32}$/)

  const ledger = emptyLedger()
  const ending = new AbortController()
  const client = runClient(1, () => first.target, ledger, ending.signal)
  await eventually('events are read', 60_000, async () => (await eventsProcessed(first.target)) > 500)
  const before = await status()
  expect(before).toMatchObject({
    kafka_brokers: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    redis_url: expect.stringMatching(/^redis:\/\/127\.0\.0\.1:\d+\/?$/),
    postgres_url: expect.stringMatching(/^postgres:.*@127\.0\.0\.1:\d+\/streamforge$/),
    schema_registry_url: `${first.target.url}/schema-registry`,
    objects_url: `file://${join(dataDir, 'cluster', 'objects')}`,
    data_dir: dataDir,
  })
  expect(await runCli(['lake', 'ls', '--data', dataDir])).toMatchObject({ code: 0, err: '' })
  expect(before.processes.map(({ role }) => role)).toEqual(['edge', 'lake-writer', 'streams', 'streams'])

  const [victim] = streamsOf(before) as [Described['processes'][number]]
  process.kill(victim.pid, 'SIGKILL')
  await eventually('it is started again, and said so', 60_000, () =>
    /Streams \d has ended \(SIGKILL\) and is started again in 0\.5 s\.\n[\s\S]*Streams \d runs again, as process \d+\./.test(
      first.err,
    ),
  )
  await eventually('the two share the partitions again', 60_000, async () => {
    const now = streamsOf(await status())
    return now.length === 2 && now.every(({ health, partitions }) => health === 'ok' && partitions === 6)
  })
  const second = await runCli(['up', '--cluster', '--port', '0', '--data', dataDir])
  expect([second.code, second.err]).toEqual([1, expect.stringMatching(/^StreamForge is already running on .*\.\n$/)])
  ending.abort()
  await client
  await caughtUp(first.target)
  await expectLedger(first.target, ledger)

  const pids = [...(await status()).processes.map(({ pid }) => pid), ...(await serverPids())]
  expect(pids.every(isAlive)).toBe(true)
  first.child.kill('SIGINT')
  expect(await first.ended(STOP_MS), first.err).toBe(0)
  expect(first.err).toMatch(/Stopping: .*\n[\s\S]*Stopped\. "npm start -- --cluster" goes on from here\.\n$/)
  expect(first.err).not.toMatch(/"level":"error"/)
  await expectGone(pids)
  expect([await exists('lock'), await exists('running.json')]).toEqual([false, false])

  const again = await start(context)
  expect(again.out).toContain('as a cluster')
  await expectLedgerSoon(again.target, ledger)

  // A power cut for this process alone: the roles see that they are alone and end, the servers are stopped by the next start.
  const orphans = [...(await status()).processes.map(({ pid }) => pid), ...(await serverPids())]
  again.child.kill('SIGKILL')
  await again.ended(STOP_MS)
  const third = await start(context)
  expect(orphans.filter(isAlive)).toEqual([])
  await expectLedgerSoon(third.target, ledger)
  const doctor = await runCli(['doctor', '--data', dataDir, '--timeout', '60'], {
    env: { STREAMFORGE_WRITE_KEY: WRITE_KEY },
  })
  expect([doctor.code, doctor.err], doctor.out).toEqual([0, ''])
  for (const part of ['kafka', 'redis', 'postgres', 'schemas', 'objects', 'lake', 'roles'])
    expect(doctor.out).toMatch(new RegExp(`^✓ ${part} +.+ \\d+ ms`, 'm'))
  const last = [...(await status()).processes.map(({ pid }) => pid), ...(await serverPids())]
  third.child.kill('SIGINT')
  expect(await third.ended(STOP_MS), third.err).toBe(0)
  await expectGone(last)
})
