/**
 * Redis loses everything in the middle of a window: the streams notice, and write the features of every user again from their state. What is there afterwards
 * equals what was there before, but for users who went on meanwhile: they have both, what was before and what came since.
 */
import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { ClickFeatures } from '../../streams/contract/features.ts'
import { startStreams } from './cluster-processes.ts'
import { eventually } from './eventually.ts'
import { openSender } from './sender.ts'

export const REBUILD_MAX_S = 60
/** Of all users, those who go on while Redis is empty. */
const MOVING_SHARE = 0.01
const APPEND_RECORDS = 5_000
const READ_KEYS = 5_000

export interface RebuildFigures {
  keys: number
  /** From the empty store until everything is back. */
  seconds: number
}

/**
 * @param env of a platform that has seen nothing yet
 * @param processes of the streams, that share the work
 * @throws Error that names keys that are not as they were
 */
export async function runRebuild(
  env: Record<string, string>,
  redis: Redis,
  { keys, processes = 1, timeoutMs }: { keys: number; processes?: number; timeoutMs: number },
): Promise<RebuildFigures> {
  const users = Array.from({ length: keys }, (_, i) => `user-${i}`)
  const moving = users.slice(0, Math.ceil(keys * MOVING_SHARE))
  const streams = Array.from({ length: processes }, () => startStreams(env))
  const sender = await openSender(env)
  const append = async (round: string, some: readonly string[]): Promise<void> => {
    for (let i = 0; i < some.length; i += APPEND_RECORDS) {
      await sender.append(some.slice(i, i + APPEND_RECORDS).map((user) => sender.click(`${round}-${user}`, user)))
    }
  }
  const isWhole = async (): Promise<boolean> => (await redis.dbsize()) > keys // the marker is a key too
  try {
    await append('first', users)
    await eventually('the features of all users are there', timeoutMs, isWhole, 200)
    const before = await fingerprints(redis)

    await redis.flushall()
    const emptiedMs = performance.now()
    await append('second', moving)
    await eventually('the features of all users are back', timeoutMs, isWhole, 200)
    await eventually(
      'those who went on have both',
      timeoutMs,
      async () => (await eventsOf(redis, moving)) >= 2 * moving.length,
      200,
    )
    const seconds = (performance.now() - emptiedMs) / 1000

    const after = await fingerprints(redis)
    const wentOn = new Set(moving.map(keyOf))
    const different = [...before].filter(([key, value]) => !wentOn.has(key) && after.get(key) !== value)
    if (different.length > 0 || after.size !== before.size || (await eventsOf(redis, moving)) !== 2 * moving.length) {
      throw new Error(
        `${different.length} of ${before.size} keys are not as they were, e.g. ${different.slice(0, 3).map(([key]) => key)}; there are ${after.size}`,
      )
    }
    return { keys, seconds }
  } catch (error) {
    for (const process of streams) (error as Error).message += `\n${process.err.slice(-2_000)}`
    throw error
  } finally {
    await sender.close()
    for (const process of streams) process.child.kill('SIGTERM')
    await Promise.all(streams.map((process) => process.ended()))
  }
}

/** As db/features/redis.ts keeps them. */
const keyOf = (user: string): string => `sf:f:{${user}}`

/** Events of these users, by their features. */
async function eventsOf(redis: Redis, users: readonly string[]): Promise<number> {
  let events = 0
  for (let i = 0; i < users.length; i += READ_KEYS) {
    const reading = redis.pipeline()
    for (const user of users.slice(i, i + READ_KEYS)) reading.hget(keyOf(user), 'clicks')
    for (const [, value] of (await reading.exec()) ?? []) {
      const features =
        typeof value === 'string' ? (JSON.parse(value.split(':').slice(2).join(':')) as ClickFeatures) : null
      events += features?.total_events ?? 0
    }
  }
  return events
}

/** A digest of every key of features: as good as the values, and a million fit in memory. */
async function fingerprints(redis: Redis): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  let cursor = '0'
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', 'sf:f:*', 'COUNT', READ_KEYS)
    cursor = next
    const reading = redis.pipeline()
    for (const key of keys) reading.hgetall(key)
    const values = (await reading.exec()) ?? []
    for (const [i, key] of keys.entries()) {
      found.set(key, createHash('sha1').update(JSON.stringify(values[i]?.[1])).digest('base64url'))
    }
  } while (cursor !== '0')
  return found
}
