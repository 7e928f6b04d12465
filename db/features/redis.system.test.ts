/** The features in Redis: the store's suite on a real server and on a real cluster, and what happens when servers freeze, restart, or lose their data. */
import { describe, expect, it } from 'vitest'
import { type TestRedis, until, withRedis } from '../../cli/servers/testing/with-redis.ts'
import { createRegistry } from '../../observability/metrics.ts'
import type { FeatureWrite } from '../../streams/contract/features.ts'
import { describeFeatureStore } from '../testing/feature-store-suite.ts'
import { clickFeatures, orderFeatures } from '../testing/feature-values.ts'
import { type FeatureStore, FeaturesUnavailable } from './feature-store.ts'
import { slotOf, tagOf } from './hash-slot.ts'
import { createRedisFeatures } from './redis.ts'
import { countRedisErrors, type RedisOperation } from './redis-client.ts'

const write = (userId: string, position: number): FeatureWrite => ({
  userId,
  part: 'clicks',
  partition: 0,
  position,
  value: clickFeatures({ total_events: position }),
})
const manyUsers = (count: number, position = 1): FeatureWrite[] =>
  Array.from({ length: count }, (_, i) => write(`user-${i}`, position))

/** Opened for one test, closed after it whatever comes. */
async function using<T>(store: FeatureStore, test: (store: FeatureStore) => Promise<T>): Promise<T> {
  try {
    return await test(store)
  } finally {
    await store.close()
  }
}

let single: TestRedis
let cluster: TestRedis[]
const redis = withRedis(async ({ start, startCluster }) => {
  single = await start()
  cluster = await startCluster()
})
const clusterUrl = (): string => cluster.map(({ url }) => url).join(',')

describeFeatureStore('features in Redis', async () => {
  await single.admin.flushall()
  const open = () => createRedisFeatures({ url: single.url })
  const store = open()
  return { store, reopen: async () => open(), dispose: () => store.close() }
})

describeFeatureStore('features in a Redis Cluster', async () => {
  for (const { admin } of cluster) await admin.flushall()
  const open = () => createRedisFeatures({ url: clusterUrl(), cluster: true })
  const store = open()
  return { store, reopen: async () => open(), dispose: () => store.close() }
})

describe('what lies in Redis', () => {
  it('is one hash per user with a field per part, readable as JSON, and gone in eight days', async () => {
    await single.admin.flushall()
    await using(createRedisFeatures({ url: single.url }), async (store) => {
      await store.write([
        write('u-1', 7),
        { userId: 'u-1', part: 'orders', partition: 3, position: 9, value: orderFeatures() },
        write('x'.repeat(2_000), 1),
      ])
      await store.setGeneration('g')
    })
    const keys = (await single.admin.keys('*')).sort()
    expect(keys).toEqual([
      expect.stringMatching(/^sf:f:\{u-1\}$/),
      expect.stringMatching(/^sf:generation:\{\d+\}$/),
      expect.stringMatching(/^sf:h:\{[\w-]{43}\}$/),
    ])
    const fields = await single.admin.hgetall('sf:f:{u-1}')
    expect(Object.keys(fields).sort()).toEqual(['clicks', 'orders'])
    expect(fields.clicks!.slice(0, 4)).toBe('7:0:')
    expect(JSON.parse(fields.orders!.slice('9:3:'.length))).toEqual(orderFeatures())
    const ttl = await single.admin.ttl('sf:f:{u-1}')
    expect(ttl).toBeGreaterThan(8 * 86_400 - 60)
    expect(ttl).toBeLessThanOrEqual(8 * 86_400)
    expect(await single.admin.ttl(keys[1]!)).toBe(-1)
  })

  it('of a user who was forgotten is a position under a hash, and gone in eight days', async () => {
    await single.admin.flushall()
    await using(createRedisFeatures({ url: single.url }), async (store) => {
      await store.write([write('somebody', 7)])
      await store.write([{ ...write('somebody', 8), value: null }])
    })
    const [key, ...others] = await single.admin.keys('*')
    expect(others).toEqual([])
    expect(key).toMatch(/^sf:forgotten:\{\d+\}$/)
    const fields = await single.admin.hgetall(key!)
    expect(Object.keys(fields)).toEqual([expect.stringMatching(/^[0-9a-f]{40}$/)])
    expect(Object.values(fields)).toEqual(['8'])
    const ttl = await single.admin.ttl(key!)
    expect(ttl).toBeGreaterThan(8 * 86_400 - 60)
    expect(ttl).toBeLessThanOrEqual(8 * 86_400)
  })

  it('that is no value of ours is replaced by the next write', async () => {
    await single.admin.hset('sf:f:{broken}', 'clicks', 'not ours')
    await using(createRedisFeatures({ url: single.url }), async (store) => {
      await store.write([write('broken', 0)])
      expect((await store.read('broken'))?.clicks?.position).toBe(0)
    })
  })
})

describe('hash slots', () => {
  it('are those that Redis computes', async () => {
    const keys = ['a', 'sf:f:{u-1}', 'sf:f:{}', 'sf:f:{a}b}', 'sf:f:{kullanıcı-ş}', '{}{a}', 'x{', '}{y}', 'sf:f:{{a}}']
    for (const key of keys) expect([key, slotOf(key)]).toEqual([key, await cluster[0]!.admin.cluster('KEYSLOT', key)])
  })

  it('each have a tag', () => {
    for (let slot = 0; slot < 16_384; slot++) expect(slotOf(`{${tagOf(slot)}}`)).toBe(slot)
  })

  it('spread the users over all nodes of a cluster', async () => {
    await using(createRedisFeatures({ url: clusterUrl(), cluster: true }), async (store) => {
      await store.write(manyUsers(3_000))
      for (const { admin } of cluster) expect(await admin.dbsize()).toBeGreaterThan(800)
    })
  })
})

describe('a Redis that lost its data', () => {
  it('says so by its generation after FLUSHALL', async () => {
    await using(createRedisFeatures({ url: single.url }), async (store) => {
      await store.setGeneration('g')
      expect(await store.generation()).toBe('g')
      await single.admin.flushall()
      expect(await store.generation()).toBe(null)
    })
  })

  it('says so after a restart too, even with its marker: what it wrote last may be missing', async () => {
    const server = await redis.start()
    await using(createRedisFeatures({ url: server.url }), async (store) => {
      await store.write([write('u', 1)])
      await store.setGeneration('g')
      await server.admin.save()
      await store.write([write('u', 2)])
      await server.kill()
      await server.restart()
      await until(async () => (await store.generation()) === null)
      // It came back with its snapshot, marker included.
      expect((await server.admin.keys('sf:*')).length).toBe(2)
      expect((await store.read('u'))?.clicks?.position).toBe(1)
    })
  })

  it('needs its scripts anew, and gets them', async () => {
    await using(createRedisFeatures({ url: single.url }), async (store) => {
      await store.write([write('u', 1)])
      await single.admin.script('FLUSH')
      await store.write(manyUsers(200, 2))
      expect((await store.read('user-199'))?.clicks?.position).toBe(2)
    })
  })

  it('of one node in a cluster is noticed by all', async () => {
    await using(createRedisFeatures({ url: clusterUrl(), cluster: true }), async (store) => {
      for (const { admin } of cluster) {
        await store.setGeneration('g')
        expect(await store.generation()).toBe('g')
        await admin.flushall()
        expect(await store.generation()).toBe(null)
      }
    })
  })
})

describe('a Redis that does not answer', () => {
  /** On a busy machine connecting alone, or a single answer, may take longer than the deadline of these tests. */
  const written = (store: FeatureStore, feature: FeatureWrite): Promise<void> =>
    until(() =>
      store.write([feature]).then(
        () => true,
        () => false,
      ),
    )

  it('is an error in seconds, a counted one, and none any more when it goes on', async () => {
    const failed: RedisOperation[] = []
    const store = createRedisFeatures({
      url: single.url,
      deadlineMs: 300,
      onError: (operation) => failed.push(operation),
    })
    await using(store, async () => {
      await written(store, write('u', 1))
      failed.length = 0
      single.freeze()
      try {
        const started = performance.now()
        await expect(store.read('u')).rejects.toBeInstanceOf(FeaturesUnavailable)
        await expect(store.write(manyUsers(2_000))).rejects.toBeInstanceOf(FeaturesUnavailable)
        await expect(store.generation()).rejects.toThrow(
          /could not be asked for its generation: No answer within 300 ms/,
        )
        expect(performance.now() - started).toBeLessThan(15_000)
        expect(failed).toEqual(['read', 'write', 'generation'])
      } finally {
        single.thaw()
      }
      await until(async () => (await store.read('u')) !== null)
      await written(store, write('u', 5))
      await until(async () => (await store.read('u'))?.clicks?.position === 5)
    })
  })

  it('gets a new connection when it was frozen so long that the old one was given up', async () => {
    const store = createRedisFeatures({ url: single.url, deadlineMs: 300 })
    await using(store, async () => {
      await written(store, write('w', 1))
      single.freeze()
      try {
        // Only a connection that is given up tells another reason than the deadline's.
        await until(async () => {
          const error = await store.read('w').then(
            () => null,
            (e: Error) => e,
          )
          return error !== null && !error.message.includes('No answer')
        })
      } finally {
        single.thaw()
      }
      await until(async () => (await store.read('w'))?.clicks?.position === 1)
    })
  })

  it('is not there yet: calls fail with the reason, and work as soon as it is', async () => {
    const server = await redis.start()
    await server.kill()
    const metrics = createRegistry()
    const store = createRedisFeatures({ url: server.url, onError: countRedisErrors(metrics) })
    await using(store, async () => {
      const error = await store.read('u').catch((e: Error) => e)
      expect(error).toBeInstanceOf(FeaturesUnavailable)
      expect((error as Error).message).toMatch(
        /^Redis at 127\.0\.0\.1:\d+ could not be asked for features: .*ECONNREFUSED/,
      )
      expect((error as Error).message).not.toContain(server.password)
      await server.restart()
      await until(async () => (await store.read('u')) === null)
      const text = await metrics.metrics()
      expect(text).toMatch(/streamforge_redis_errors_total\{operation="read"\} [1-9]/)
      expect(text).toMatch(/streamforge_redis_errors_total\{operation="connect"\} [1-9]/)
      expect(text).toContain('streamforge_redis_errors_total{operation="write"} 0')
    })
  })

  it('or refuses the password says that', async () => {
    const server = await redis.start()
    const url = server.url.replace(encodeURIComponent(server.password), 'wrong')
    await using(createRedisFeatures({ url }), async (store) => {
      await expect(store.read('u')).rejects.toThrow(/WRONGPASS|NOAUTH/)
    })
  })

  it('is killed in the middle of writes: writing again leaves the newest of each user', async () => {
    const server = await redis.start({ appendonly: 'yes' })
    const writer = createRedisFeatures({ url: server.url })
    await using(writer, async () => {
      await writer.write(manyUsers(100, 1))
      const writing = writer.write(manyUsers(20_000, 2)).then(
        () => 'written',
        () => 'failed',
      )
      await until(async () => (await server.admin.dbsize()) > 200)
      await server.kill()
      expect(await writing).toBe('failed')
      await server.restart()
      await until(() =>
        writer.write([...manyUsers(20_000, 3), ...manyUsers(20_000, 1)]).then(
          () => true,
          () => false,
        ),
      )
      for (const i of [0, 99, 100, 10_000, 19_999]) {
        expect((await writer.read(`user-${i}`))?.clicks?.position).toBe(3)
      }
    })
  })
})

describe('a node of a Redis Cluster', () => {
  it('that restarts is connected again, its users are back, and the store says that it may have lost some', async () => {
    const store = createRedisFeatures({ url: clusterUrl(), cluster: true })
    await using(store, async () => {
      await store.write(manyUsers(300, 10))
      await store.setGeneration('before')
      const node = cluster[1]!
      await node.kill()
      await expect(store.write(manyUsers(300, 11))).rejects.toBeInstanceOf(FeaturesUnavailable)
      await node.restart()
      await until(() =>
        store.write(manyUsers(300, 12)).then(
          () => true,
          () => false,
        ),
      )
      for (let i = 0; i < 300; i += 7) expect((await store.read(`user-${i}`))?.clicks?.position).toBe(12)
      await until(async () => (await store.generation()) === null)
      await store.setGeneration('after')
      expect(await store.generation()).toBe('after')
    })
  })

  it('that gives slots to another one is followed', async () => {
    const store = createRedisFeatures({ url: clusterUrl(), cluster: true })
    await using(store, async () => {
      const slot = slotOf('sf:f:{mover}')
      const ids = await Promise.all(cluster.map(async ({ admin }) => String(await admin.cluster('MYID'))))
      const owner = Math.floor(slot / Math.ceil(16_384 / 3))
      const next = (owner + 1) % 3
      await store.write([write('mover', 1)])
      // As resharding does it: announce, move the keys, hand over.
      await cluster[next]!.admin.cluster('SETSLOT', slot, 'IMPORTING', ids[owner]!)
      await cluster[owner]!.admin.cluster('SETSLOT', slot, 'MIGRATING', ids[next]!)
      const keys = (await cluster[owner]!.admin.cluster('GETKEYSINSLOT', slot, 100)) as string[]
      await cluster[owner]!.admin.migrate(
        '127.0.0.1',
        cluster[next]!.port,
        '',
        0,
        5_000,
        'AUTH',
        single.password,
        'KEYS',
        ...keys,
      )
      await store.write([write('mover', 2)])
      for (const node of [next, owner]) await cluster[node]!.admin.cluster('SETSLOT', slot, 'NODE', ids[next]!)
      await store.write([write('mover', 3)])
      expect((await store.read('mover'))?.clicks?.position).toBe(3)
    })
  })
})
