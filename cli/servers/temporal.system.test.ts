/** The Temporal of a machine itself: started, killed, and started again on its state. */
import { expect, test } from 'vitest'
import { loadConfig } from '../../db/config.ts'
import { isAlive } from '../../db/process.ts'
import { withTemporal } from '../../workflows/testing/with-temporal.ts'
import { startTemporal } from './temporal.ts'

const temporal = withTemporal()

test('keeps what was started over a kill, on its ports, and shows it', async () => {
  const { address, uiUrl, pid } = temporal.server
  const client = await temporal.client()
  await client.workflow.start('nobodyRunsIt', { taskQueue: 'none', workflowId: 'kept' })
  expect((await fetch(uiUrl)).status).toBe(200)
  await temporal.kill()
  expect(isAlive(pid)).toBe(false)
  await temporal.start()
  expect([temporal.server.address, temporal.server.uiUrl]).toEqual([address, uiUrl])
  expect((await client.workflow.getHandle('kept').describe()).status.name).toBe('RUNNING')
})

test('a folder that is in use is refused, and its server goes on', async () => {
  const { folder, pid } = temporal.server
  const { serversDir } = loadConfig(process.env)
  await expect(startTemporal({ folder, serversDir })).rejects.toThrow(/is in use: process \d+ runs Temporal/)
  expect(isAlive(pid)).toBe(true)
})
