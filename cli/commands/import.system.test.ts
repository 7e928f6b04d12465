/** `streamforge import` as people type it, against a real Temporal, PostgreSQL and worker. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { withPostgres } from '../../db/testing/postgres.ts'
import { isBad, ORDERS_SPEC, ordersFile } from '../../workflows/imports/testing/import-job.ts'
import { type BatchWorld, openBatchWorld } from '../../workflows/testing/batch-world.ts'
import { withTemporal } from '../../workflows/testing/with-temporal.ts'
import { runCommand } from '../testing/run-command.ts'
import { importCommand } from './import.ts'

const temporal = withTemporal()
const postgres = withPostgres()

const run = ({ env, dataDir }: BatchWorld, args: string, signal?: AbortSignal) =>
  runCommand(importCommand, args.split(' '), { env, cwd: join(dataDir, 'mine'), ...(signal && { signal }) })
const copies = async ({ dataDir }: BatchWorld): Promise<string[]> => {
  const all = await readdir(join(dataDir, 'imports'), { recursive: true, withFileTypes: true })
  return all.filter((entry) => entry.isFile()).map(({ name }) => name)
}

/** The command waits by then. */
function abortedWhenListenedTo(): AbortSignal {
  const stop = new AbortController()
  const listen = stop.signal.addEventListener.bind(stop.signal)
  stop.signal.addEventListener = (...args: Parameters<typeof listen>) => {
    listen(...args)
    queueMicrotask(() => stop.abort())
  }
  return stop.signal
}

async function newWorld(): Promise<BatchWorld> {
  const world = await openBatchWorld(temporal, postgres)
  await mkdir(join(world.dataDir, 'mine'))
  await writeFile(join(world.dataDir, 'mine', 'orders.csv'), [...ordersFile(60)].join(''))
  await writeFile(join(world.dataDir, 'mine', 'mapping.json'), JSON.stringify(ORDERS_SPEC))
  return world
}

test('a file is imported, once; its copy goes when it is done', async () => {
  const world = await newWorld()
  await world.worker()
  const bad = Array.from({ length: 60 }, (_, n) => n).filter(isBad).length
  const command = 'orders.csv --mapping mapping.json'
  const said = `of 60 rows ${60 - bad} are in raw.orders, ${bad} are no events. Which, and why: streamforge sql "SELECT source_offset, message FROM raw.dead_letters WHERE log_partition =`
  const first = await run(world, command)
  expect([first.code, first.out], first.err).toEqual([0, `Import 1: ${said} -1"\n`])
  expect(await copies(world)).toEqual([])
  const second = await run(world, command)
  expect([second.code, second.out]).toEqual([1, ''])
  expect(second.err).toMatch(
    /"[0-9a-f]{16}\/orders\.csv" has been imported before: .* import 1 \("orders\.csv", 51 rows .* On the command line that is --again\.\n$/,
  )
  const again = await run(world, `${command} --again`)
  expect([again.code, again.out], again.err).toEqual([0, `Import 2: ${said} -2"\n`])
})

test('without waiting it says where to look; whoever asks again watches the same import, and may leave', async () => {
  const world = await newWorld()
  const command = 'orders.csv --mapping mapping.json'
  const started = await run(world, `${command} --no-wait`)
  expect([started.code, started.err]).toEqual([0, ''])
  const [, id] = /^importFile has started as (importFile:[0-9a-f]{16}\/orders\.csv:\S+)\.\n/.exec(started.out) ?? []
  expect(id, started.out).toBeDefined()
  expect(await copies(world)).toEqual(['orders.csv'])
  // There is no worker yet.
  const left = await run(world, command, abortedWhenListenedTo())
  expect(left.code).toBe(130)
  expect(left.out).toContain(`The import goes on without this command. importFile has started as ${id}.`)
  await world.worker()
  const handle = world.client.workflow.getHandle(id!)
  await vi.waitFor(async () => expect((await handle.describe()).status.name).toBe('COMPLETED'), { timeout: 30_000 })
})

test('without a Temporal it says what is missing', async () => {
  const world = await newWorld()
  const env = { ...world.env, TEMPORAL_ADDRESS: '127.0.0.1:1' }
  const none = await run({ ...world, env }, 'orders.csv --mapping mapping.json')
  expect(none).toMatchObject({
    code: 1,
    err: 'Temporal does not answer at 127.0.0.1:1. Is it running? TEMPORAL_ADDRESS says where it is.\n',
  })
  const nowhere = await run({ ...world, env: { ...env, TEMPORAL_ADDRESS: '' } }, 'orders.csv --mapping mapping.json')
  expect(nowhere.code).toBe(1)
  expect(nowhere.err).toMatch(/^No platform is running on .* or its Temporal with TEMPORAL_ADDRESS\.\n$/)
})
