/**
 * What the batch workflows promise while everything around them dies: workers killed, frozen and told to stop in the middle of a compaction, the Temporal server and the database away, a
 * cancellation. Each run ends right, and its work is done once: the same rows, one snapshot more.
 *
 * The middle is certain: a lock on the lake's catalog holds every commit, so a compaction has written its files and waits for its swap.
 */
import { CancelledFailure, type WorkflowFailedError, type WorkflowHandle } from '@temporalio/client'
import { expect, test, vi } from 'vitest'
import { loadTable, planScan, readRows, snapshotsOf, tableName } from '../db/lake/index.ts'
import { withPostgres } from '../db/testing/postgres.ts'
import { type BatchWorld, IMPATIENT, openBatchWorld } from './testing/batch-world.ts'
import { holdCommits } from './testing/hold-commits.ts'
import { FILES, PARTITIONS, ROWS, smallFilesTable } from './testing/small-files.ts'
import { withTemporal } from './testing/with-temporal.ts'

const temporal = withTemporal()
const postgres = withPostgres()

/** Whoever is dead or frozen is given up after two seconds. */
const SOON = { timeout: 60_000, interval: 50 }
interface Seen {
  rows: string[]
  files: number
  snapshots: number
}
async function look({ lake, objects }: BatchWorld, name: string): Promise<Seen & { left: number }> {
  const { metadata } = await loadTable(lake, tableName(name))
  const plan = await planScan(lake, metadata)
  const rows: string[] = []
  for await (const some of readRows(lake, plan)) rows.push(...some.map(({ part, id }) => `${part}/${id}`))
  const written = (await objects.list('')).filter(
    (key) => key.endsWith('.parquet') && key.includes(tableName(name).name),
  )
  const snapshots = snapshotsOf(metadata).length
  // What no snapshot names: of the append all, of the compaction one file per group.
  const named = FILES * PARTITIONS + (snapshots - 1)
  return { rows: rows.sort(), files: plan.files.length, snapshots, left: written.length - named }
}
const ALL_ROWS = Array.from({ length: ROWS }, (_, i) => `${Math.floor(i / FILES)}/${i % FILES}`)
/** One file per partition, one commit per group, nothing twice. */
const COMPACTED: Seen = { rows: ALL_ROWS, files: PARTITIONS, snapshots: 1 + PARTITIONS }

const attemptOf = async (handle: WorkflowHandle): Promise<number> =>
  (await handle.describe()).raw.pendingActivities?.[0]?.attempt ?? 0
const attemptIs = (handle: WorkflowHandle, least: number) =>
  vi.waitFor(async () => expect(await attemptOf(handle)).toBeGreaterThanOrEqual(least), SOON)

test('a worker killed in the middle of a commit: the next does what is left, whether or not the swap came through', async () => {
  const world = await openBatchWorld(temporal, postgres)
  await smallFilesTable(world.lake, 'a.undone')
  await smallFilesTable(world.lake, 'a.done')
  for (const name of ['a.undone', 'a.done']) {
    const worker = await world.process(IMPATIENT)
    const hold = await holdCommits(world)
    const run = await world.start('compactTable', { table: name })
    const pids = await hold.reached()
    worker.signal('SIGKILL')
    await worker.ended
    if (name === 'a.undone') await hold.end(pids)
    await hold.letGo()
    // The server carries out what a client has sent, also when the client is gone; where that was no more than the preparation of the swap, it is not done.
    await hold.over(pids)
    const swapped = (await look(world, name)).snapshots - 1
    expect(swapped).toBeLessThanOrEqual(name === 'a.done' ? 1 : 0)
    const next = await world.process(IMPATIENT)
    expect(await run.result()).toMatchObject([{ groups: PARTITIONS - swapped, filesAfter: PARTITIONS - swapped }])
    expect(await look(world, name)).toMatchObject(COMPACTED)
    next.signal('SIGTERM')
    expect(await next.ended).toBe(0)
  }
})

test('a frozen worker is replaced, and does no harm when it thaws; one that is told to stop hands its work on', async () => {
  const world = await openBatchWorld(temporal, postgres)
  await smallFilesTable(world.lake, 'a.frozen')
  await smallFilesTable(world.lake, 'a.stopped')
  const frozen = await world.process(IMPATIENT)
  const hold = await holdCommits(world)
  const run = await world.start('compactTable', { table: 'a.frozen' })
  const pids = await hold.reached()
  frozen.signal('SIGSTOP')
  const other = await world.process({ ...IMPATIENT, graceMs: 0 })
  await hold.reached(pids)
  await hold.end(pids)
  await hold.letGo()
  expect(await run.result()).toMatchObject([{ groups: PARTITIONS, refused: 0 }])
  // It wakes in the middle of a commit that others have made meanwhile.
  frozen.signal('SIGCONT')
  await vi.waitFor(async () => expect((await look(world, 'a.frozen')).left).toBe(0), SOON)
  expect(await look(world, 'a.frozen')).toMatchObject(COMPACTED)

  frozen.signal('SIGTERM')
  expect(await frozen.ended).toBe(0)
  const again = await holdCommits(world)
  const handed = await world.start('compactTable', { table: 'a.stopped' })
  await again.reached()
  other.signal('SIGTERM')
  const heir = await world.process(IMPATIENT)
  await again.letGo()
  // The group that was being committed was finished, the other left to the heir.
  expect(await handed.result()).toMatchObject([{ groups: 1 }])
  expect(await other.ended).toBe(0)
  expect(await look(world, 'a.stopped')).toMatchObject({ ...COMPACTED, left: 0 })
  heir.signal('SIGTERM')
  expect(await heir.ended).toBe(0)
})

test('Temporal killed and started again, the database away for several attempts, a cancellation between two commits', async () => {
  const world = await openBatchWorld(temporal, postgres)
  await world.worker(IMPATIENT)
  for (const name of ['a.temporal', 'a.database', 'a.cancelled']) await smallFilesTable(world.lake, name)

  const first = await holdCommits(world)
  const survivor = await world.start('compactTable', { table: 'a.temporal' })
  await first.reached()
  await temporal.kill()
  await first.letGo()
  await temporal.start()
  await survivor.result()
  expect(await look(world, 'a.temporal')).toMatchObject({ ...COMPACTED, left: 0 })

  const second = await holdCommits(world)
  const patient = await world.start('compactTable', { table: 'a.database' })
  await second.reached()
  await postgres.restart(() => attemptIs(patient, 4))
  await patient.result()
  expect(await look(world, 'a.database')).toMatchObject(COMPACTED)

  const third = await holdCommits(world)
  const cancelled = await world.start('compactTable', { table: 'a.cancelled' })
  await third.reached()
  await cancelled.cancel()
  await third.cancelDelivered(cancelled)
  await third.letGo()
  const error = await cancelled.result().catch((error: WorkflowFailedError) => error)
  expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure)
  // Whole groups: the one that was being committed is, the other is as it was.
  const half = { rows: ALL_ROWS, files: FILES + 1, snapshots: 2, left: 0 }
  expect(await look(world, 'a.cancelled')).toEqual(half)
})

test('a worker killed while it expires snapshots, and while it looks for orphans: the next ends what is left', async () => {
  const world = await openBatchWorld(temporal, postgres)
  const { sql } = world.database
  await smallFilesTable(world.lake, 'a.upkept')
  const first = await world.process(IMPATIENT)
  await (await world.start('compactTable', { table: 'a.upkept' })).result()
  const hold = await holdCommits(world)
  const expiry = await world.start('expireSnapshots', { table: 'a.upkept', older_than_hours: 1e-6, keep: 1 })
  const pids = await hold.reached()
  first.signal('SIGKILL')
  await first.ended
  await hold.end(pids)
  await hold.letGo()
  const second = await world.process(IMPATIENT)
  expect(await expiry.result()).toMatchObject([{ snapshots: PARTITIONS }])
  expect(await look(world, 'a.upkept')).toMatchObject({ rows: ALL_ROWS, files: PARTITIONS, snapshots: 1 })

  // Its first question is what the table is.
  const sweep = await sql.begin(async (tx) => {
    await tx`LOCK TABLE iceberg_tables IN ACCESS EXCLUSIVE MODE`
    const run = await world.start('removeOrphans', { table: 'a.upkept' })
    const waiting = () => sql`SELECT 1 FROM pg_locks WHERE relation = 'iceberg_tables'::regclass AND NOT granted`
    await vi.waitFor(async () => expect(await waiting()).not.toEqual([]), SOON)
    second.signal('SIGKILL')
    await second.ended
    return run
  })
  await world.worker(IMPATIENT)
  expect(await sweep.result()).toMatchObject([{ table: 'a.upkept' }])
  expect((await look(world, 'a.upkept')).rows).toEqual(ALL_ROWS)
})
