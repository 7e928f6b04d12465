/**
 * Every recorded history, replayed with the definitions as they are now: a change that a running workflow would stumble over fails here. What is meant to change is guarded by `patched`, and recorded anew
 * besides: `UPDATE_HISTORIES=1 npx vitest run --project system workflows/histories`, on a real Temporal; a commit that does so says why.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { DeterminismViolationError } from '@temporalio/workflow'
import { describe, expect, test } from 'vitest'
import { withPostgres } from '../../db/testing/postgres.ts'
import { createLogger } from '../../observability/log.ts'
import { bundleDefinitions } from '../bundle.ts'
import { BUNDLES, openBatchWorld } from '../testing/batch-world.ts'
import { type History, historyText, readHistory, startOf } from '../testing/history-file.ts'
import { SCENARIOS } from '../testing/scenarios/index.ts'
import { withTemporal } from '../testing/with-temporal.ts'

const FOLDER = fileURLToPath(new URL('.', import.meta.url))

if (!process.env.UPDATE_HISTORIES)
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => {}),
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
  })
else
  describe('recording', () => {
    const temporal = withTemporal()
    const postgres = withPostgres()
    test.each(Object.entries(SCENARIOS))('%s', { timeout: 300_000 }, async (_, scenario) => {
      const world = await openBatchWorld(temporal, postgres)
      await world.worker()
      for (const [name, run] of Object.entries(await scenario(world)))
        await writeFile(join(FOLDER, `${name}.json`), historyText(await run.fetchHistory(), world))
    })
  })

/** By the name of the file. */
async function recorded(): Promise<Map<string, History>> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.json')).sort()
  const read = async (name: string) => [name, readHistory(await readFile(join(FOLDER, name), 'utf8'))] as const
  return new Map(await Promise.all(names.map(read)))
}

/** @returns what was wrong, by the name of the file; undefined: nothing */
async function replay(histories: Map<string, History>): Promise<Map<string, Error | undefined>> {
  const workflowBundle = await bundleDefinitions(BUNDLES, createLogger({ level: 'silent', component: 'test' }))
  const nameOf = new Map([...histories].map(([name, history]) => [startOf(history).runId, name]))
  const results = Worker.runReplayHistories(
    { workflowBundle },
    [...histories.values()].map((history) => ({ workflowId: startOf(history).workflowId, history })),
  )
  const errors = new Map<string, Error | undefined>()
  for await (const { runId, error } of results) errors.set(nameOf.get(runId)!, error)
  return errors
}

test('what has run goes on with the definitions as they are', async () => {
  const histories = await recorded()
  const errors = await replay(histories)
  expect([...errors].filter(([, error]) => error !== undefined)).toEqual([])
  expect([...errors.keys()].sort()).toEqual([...histories.keys()].sort())
})

test('every workflow has a history', async () => {
  const definitions = Object.keys(await import('../definitions/index.ts')).sort()
  const started = [...(await recorded()).values()].map((history) => startOf(history).workflow)
  expect([...new Set(started)].sort()).toEqual(definitions)
})

test('a definition that does something else is told', async () => {
  const [[name, history]] = (await recorded()) as unknown as [[string, History]]
  // As if it had been the definition of another activity.
  for (const { activityTaskScheduledEventAttributes: scheduled } of history.events ?? [])
    if (scheduled?.activityType) scheduled.activityType.name = 'somethingElse'
  expect((await replay(new Map([[name, history]]))).get(name)).toBeInstanceOf(DeterminismViolationError)
})
