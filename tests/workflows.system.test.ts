/**
 * `npm start` with workflows: Temporal and a worker beside the rest. They are started again when they die, go when the platform goes, are where they were at the next start; and where Temporal
 * can't be had, everything else runs and says so.
 */
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { findPlatform } from '../cli/platform.ts'
import { findProcesses } from '../cli/processes.ts'
import { ServerUnavailable } from '../cli/servers/cache.ts'
import { temporalProgram } from '../cli/servers/temporal.ts'
import { loadConfig } from '../db/config.ts'
import { isAlive } from '../db/process.ts'
import { connectTemporal } from '../workflows/client.ts'
import { eventually } from './support/eventually.ts'
import { type CliProcess, newDataDir, runCli, startPlatform, type TestPlatform } from './support/platform.ts'

const ON = { STREAMFORGE_WORKFLOWS: 'on' }
const SOON_MS = 60_000

interface Described {
  workflows: { state: string; problem?: string }
  processes: { role: string }[]
}
const status = async ({ dataDir }: Pick<TestPlatform, 'dataDir'>): Promise<Described> =>
  JSON.parse((await runCli(['status', '--json', '--data', dataDir])).out)

/** Both are there, and the worker is connected. Asked as `status` does, without its process. */
const running = (platform: TestPlatform, other: readonly number[] = []) =>
  eventually('workflows run', SOON_MS, async () => {
    const [now, processes] = await Promise.all([findPlatform(platform.dataDir), findProcesses(platform.dataDir)])
    const worker = processes.find(({ role, pid }) => role === 'worker' && !other.includes(pid))
    if (now?.workflows?.state !== 'running' || !worker?.url) return
    // There is none for a moment while it is started again.
    const temporal = await pidOfTemporal(platform).catch(() => null)
    if (temporal === null) return
    const response = await fetch(`${worker.url}/health`).catch(() => null)
    const health = (await response?.json()) as { data: { status: string } } | undefined
    if (other.includes(temporal) || health?.data.status !== 'ok') return
    const { temporal_address = '', temporal_ui_url = '', temporal_task_queue = '' } = now
    return {
      temporal_address,
      temporal_ui_url,
      temporal_task_queue,
      worker: { pid: worker.pid, url: worker.url },
      temporal,
    }
  })

const pidOfTemporal = async ({ dataDir }: TestPlatform): Promise<number> =>
  (JSON.parse(await readFile(join(dataDir, 'temporal', 'server.pid'), 'utf8')) as { pid: number }).pid

it('Temporal and a worker run beside the platform, are started again, and stop and come again with it', {
  timeout: 1_500_000,
}, async (context) => {
  const config = loadConfig(process.env)
  await temporalProgram(config).catch((error) => {
    if (error instanceof ServerUnavailable && !config.ci) context.skip(error.message)
    throw error
  })
  const dataDir = await newDataDir()
  const begin = () => startPlatform({ dataDir, env: ON })
  const first = await begin()
  const { temporal_address, temporal_ui_url, temporal_task_queue, worker, temporal } = await running(first)
  expect(first.out).toMatch(new RegExp(`^  Workflows +${temporal_ui_url} +\\(Temporal\\)$`, 'm'))
  expect((await fetch(temporal_ui_url)).status).toBe(200)
  const metrics = await (await fetch(`${worker.url}/metrics`)).text()
  expect(metrics).toMatch(/^streamforge_workflow_activity_slots\{.*\} [1-9]/m)
  const { out } = await runCli(['status', '--data', dataDir])
  expect(out).toMatch(new RegExp(`^temporal +${temporal_address}, its UI at ${temporal_ui_url}$`, 'm'))
  expect(out).toMatch(new RegExp(`^worker +process ${worker.pid}, .* ok, \\d activities$`, 'm'))
  const doctor = await runCli(['doctor', '--data', dataDir, '--timeout', '60'])
  expect([doctor.code, doctor.err], doctor.out).toEqual([0, ''])
  expect(doctor.out).toMatch(
    new RegExp(`✓ workflows +a worker waits for work on the queue ${temporal_task_queue} .*${worker.pid}@`),
  )

  process.kill(temporal, 'SIGKILL')
  process.kill(worker.pid, 'SIGKILL')
  const again = await running(first, [temporal, worker.pid])
  expect(again.temporal_address).toBe(temporal_address)
  expect(first.err).toMatch(/Temporal has ended \(SIGKILL\) and is started again/)
  expect(first.err).toMatch(/Worker has ended \(SIGKILL\) and is started again/)
  const client = await connectTemporal({ address: temporal_address, namespace: 'default' })
  onTestFinished(() => client.close())
  const run = await client.workflow.start('compactTable', {
    taskQueue: temporal_task_queue,
    workflowId: 'of-the-first-start',
  })
  expect(await run.result()).toEqual(expect.any(Array))

  await first.kill9()
  await eventually('the worker sees that it is alone', SOON_MS, () => !isAlive(again.worker.pid))
  // What was there before is there: the addresses, and what has run.
  const second = await begin()
  const after = await running(second)
  expect(isAlive(again.temporal)).toBe(false)
  expect([after.temporal_address, after.temporal_ui_url]).toEqual([temporal_address, temporal_ui_url])
  expect((await client.workflow.getHandle('of-the-first-start').describe()).status.name).toBe('COMPLETED')
  expect(await second.stop()).toBe(0)
  expect([after.temporal, after.worker.pid].filter(isAlive)).toEqual([])
})

it('without Temporal, or while it is built, everything else runs and tells', { timeout: 120_000 }, async () => {
  const bin = await newDataDir()
  // Nothing answers at port 1: there is no network.
  const env = { ...ON, PATH: `${bin}:${process.env.PATH}`, XDG_CACHE_HOME: bin, HTTPS_PROXY: 'http://127.0.0.1:1' }
  const program = async (name: string, script: string): Promise<void> => {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`)
    await chmod(join(bin, name), 0o755)
  }
  for (const name of ['temporal', 'go']) await program(name, 'exit 1')
  const missing = await startPlatform({ env })
  const sentence = /A local Temporal could not be downloaded .*; it needs that, or "temporal" .*TEMPORAL_ADDRESS\./
  await banner(missing)
  expect(missing.out).toMatch(/^ {2}Workflows +in some minutes: Temporal is fetched first, once$/m)
  await eventually('it says why', SOON_MS, () =>
    new RegExp(`^Workflows do not run; everything else does\\. ${sentence.source}$`, 'm').test(missing.err),
  )
  expect(await status(missing)).toMatchObject({
    workflows: { state: 'missing', problem: expect.stringMatching(sentence) },
    processes: [],
  })
  const doctor = await runCli(['doctor', '--data', missing.dataDir, '--timeout', '60'])
  expect([doctor.code, doctor.err]).toEqual([1, ''])
  expect(doctor.out).toMatch(/✗ workflows +they run\n(.*\n)+ +do +.*STREAMFORGE_WORKFLOWS=off/)
  expect(await missing.stop()).toBe(0)

  // A Go that takes its time, and then can not reach its proxy.
  const build = `while [ ! -e "${bin}/enough" ]; do sleep 0.1; done; echo "dial tcp: no route" >&2; exit 1`
  await program('go', `if [ "$1" = build ]; then ${build}; fi`)
  const building = await startPlatform({ env, dataDir: missing.dataDir })
  await banner(building)
  await eventually('it says so', SOON_MS, () => /^Building Temporal \S+ with Go, once/m.test(building.err))
  expect((await status(building)).workflows).toEqual({ state: 'building' })
  await writeFile(join(bin, 'enough'), '')
  await eventually('it says why', SOON_MS, () =>
    /^Workflows do not run; everything else does\. Temporal .* could neither be downloaded nor built: .*proxy\. Go said:\ndial tcp: no route$/m.test(
      building.err,
    ),
  )
  expect((await status(building)).workflows.state).toBe('missing')
  expect(await building.stop()).toBe(0)
})

const banner = (platform: Pick<CliProcess, 'out'>) =>
  eventually('the banner is printed', SOON_MS, () => platform.out.includes('Ctrl-C stops'))
