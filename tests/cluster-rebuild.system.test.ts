/** Redis emptied in the middle of a window: the features of every user are back, and equal. `npm run chaos -- rebuild` does it with a million. */
import { expect, it } from 'vitest'
import { withCluster } from './support/cluster.ts'
import { runRebuild } from './support/rebuild.ts'

const KEYS = 20_000

const cluster = withCluster()

it(`has the features of ${KEYS} users back, equal, after Redis was emptied`, { timeout: 240_000 }, async () => {
  const { env, redis } = await cluster.platform()
  const { keys } = await runRebuild(env, redis.admin, { keys: KEYS, timeoutMs: 90_000 })
  expect(keys).toBe(KEYS)
})
