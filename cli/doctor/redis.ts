/** Redis: reachable, keeps what it has, and marked as filled by the streams. Reads only. */
import { Cluster, type Redis } from 'ioredis'
import { createRedisFeatures } from '../../db/features/redis.ts'
import { connectRedis } from '../../db/features/redis-client.ts'
import { humanBytes } from '../human.ts'
import { Broken, type Family, ok, unseen, warning } from './check.ts'
import { clockFinding, SKEW_MATTERS, SKEW_REMEDY } from './clocks.ts'
import type { Place } from './place.ts'

/** Of `maxmemory`. */
const MEMORY_WARN = 0.85

export function redisFamily(
  at: { url: string; cluster: boolean },
  { clock, answerMs }: Pick<Place, 'clock' | 'answerMs'>,
): Family {
  const target = { ...at, deadlineMs: answerMs }
  const redis = connectRedis(target)
  const features = createRedisFeatures(target)
  const nodes = (): Redis[] => {
    const { client } = redis
    return client instanceof Cluster ? client.nodes('master') : [client]
  }
  /** Of each master. */
  const ask = <T>(question: (node: Redis) => Promise<T>): Promise<T[]> =>
    redis.call('read', () => Promise.all(nodes().map(question)))
  return {
    part: 'redis',
    close: () => Promise.all([redis.close(), features.close()]),
    checks: [
      {
        name: 'answers',
        matters: 'Features are not served, and the streams wait with everything until they can be written.',
        remedy: 'Is it running, and does REDIS_URL say where and with which password?',
        gate: true,
        async run() {
          const infos = await ask((node) => node.info('server'))
          return ok(`Redis ${fieldOf(infos[0] ?? '', 'redis_version')}`)
        },
      },
      {
        name: 'it keeps what it has (maxmemory-policy)',
        matters: 'A Redis that evicts loses features silently: a model reads a user who looks new.',
        remedy: '"CONFIG SET maxmemory-policy noeviction", and the same in its configuration.',
        async run() {
          const policies = new Set(
            (await ask((node) => node.info('memory'))).map((i) => fieldOf(i, 'maxmemory_policy')),
          )
          const [wrong] = [...policies].filter((policy) => policy !== 'noeviction')
          if (wrong === '') return unseen('it does not tell its policy')
          if (wrong !== undefined) throw new Broken(`maxmemory-policy is ${wrong}.`)
          return ok('noeviction')
        },
      },
      {
        name: 'it has memory left',
        matters: 'With noeviction a full Redis refuses writes, and the streams wait.',
        remedy: 'Raise maxmemory, or give it more nodes: it keeps every user of the last eight days.',
        async run() {
          const infos = await ask((node) => node.info('memory'))
          const shares = infos.map((info) => {
            const [used, max] = [Number(fieldOf(info, 'used_memory')), Number(fieldOf(info, 'maxmemory'))]
            return { used, max, share: max === 0 ? 0 : used / max }
          })
          const fullest = shares.reduce(
            (a, b) => (b.share > a.share ? b : a),
            shares[0] ?? { used: 0, max: 0, share: 0 },
          )
          const text = `${humanBytes(fullest.used)}${fullest.max === 0 ? ', no limit' : ` of ${humanBytes(fullest.max)}`}`
          return fullest.share > MEMORY_WARN ? warning(`${text} are used.`) : ok(text)
        },
      },
      {
        name: "it has the streams' marker",
        matters: 'Without it features may be missing: the streams write all of them again when they see that.',
        remedy: 'Wait a minute; if the marker does not come, the log of the streams says why.',
        async run() {
          return (await features.generation()) === null
            ? warning('There is none, or it is of servers that are gone: it was emptied or restarted.')
            : ok()
        },
      },
      {
        name: 'its clock',
        matters: SKEW_MATTERS,
        remedy: SKEW_REMEDY,
        async run() {
          const beforeMs = clock.now()
          const [time] = await ask((node) => node.time())
          return clockFinding({ theirMs: Number(time?.[0] ?? 0) * 1_000, toMs: 1_000, beforeMs, afterMs: clock.now() })
        },
      },
    ],
  }
}

const fieldOf = (info: string, name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? ''
