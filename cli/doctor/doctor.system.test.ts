/**
 * `streamforge doctor` on roles as processes of their own over a real PostgreSQL and a real Redis: all is well, then one thing after another is not, and each is
 * named with its remedy.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { connect } from '../../db/postgres/connect.ts'
import { withPostgres } from '../../db/testing/postgres.ts'
import { eventually } from '../../tests/support/eventually.ts'
import { newDataDir, runCli, spawnCli } from '../../tests/support/platform.ts'
import { withRedis } from '../servers/testing/with-redis.ts'
import type { Result } from './check.ts'

const postgres = withPostgres()
const redisServers = withRedis()
const START_MS = 90_000

interface Report {
  code: number | null
  ok: boolean
  results: Result[]
}

async function examine(env: Record<string, string>, ...options: string[]): Promise<Report> {
  const { code, out, err } = await runCli(['doctor', '--json', '--timeout', '60', ...options], { env })
  expect(err).toBe('')
  return { code, ...(JSON.parse(out) as Pick<Report, 'ok' | 'results'>) }
}

const notWell = ({ results }: Report) =>
  results.filter(({ status }) => status === 'failed' || status === 'warning').map((r) => `${r.part}: ${r.problem}`)

it('finds each fault, says what to do, and calls nothing broken that works', { timeout: 240_000 }, async () => {
  const redis = await redisServers.start()
  const databaseUrl = await postgres.emptyDatabase()
  const env = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redis.url,
    STREAMFORGE_DATA_DIR: await newDataDir(),
    STREAMFORGE_WRITE_KEY: 'wk_of_the_doctor',
  }
  // One after the other: the embedded schema registry is made by whoever comes first.
  const edge = spawnCli(['edge', '--port', '0'], { env })
  const url = await eventually('the edge listens', START_MS, () => /listens on (\S+)\.\n/.exec(edge.out)?.[1])
  const streams = spawnCli(['streams'], { env })
  await eventually('the streams run', START_MS, () => streams.out.includes('The streams run'))
  // They do so before they have their partitions, and mark Redis behind that.
  await eventually('Redis is marked', START_MS, async () => (await redis.admin.keys('sf:generation:*')).length > 0)

  const collected: string[] = []
  const collector = createServer((request, response) => {
    collected.push(`${request.method} ${request.url}`)
    response.end()
  })
  await new Promise<void>((done) => collector.listen(0, '127.0.0.1', done))
  onTestFinished(() => void collector.close())
  const traced = {
    ...env,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
  }

  const well = await examine(traced)
  expect([well.code, well.ok, notWell(well)]).toEqual([0, true, []])
  expect(collected).toEqual(['POST /v1/traces'])
  const seen = new Set(well.results.filter(({ status }) => status === 'ok').map(({ part }) => part))
  for (const part of ['edge', 'streams', 'roles', 'postgres', 'redis', 'schemas', 'objects', 'machine', 'tracing'])
    expect(seen).toContain(part)

  // What works for now: warnings alone are no failure.
  const { sql, close } = connect(databaseUrl, { max: 1 })
  await sql`SELECT pg_create_physical_replication_slot('left_behind', true)`
  const warned = await examine(env)
  expect([warned.code, notWell(warned)]).toEqual([0, [expect.stringMatching(/^postgres: The slot left_behind /)]])
  await sql`SELECT pg_drop_replication_slot('left_behind')`
  await close()

  await redis.admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
  collector.close()
  collector.closeAllConnections()
  const hurt = await examine(traced)
  expect([hurt.code, notWell(hurt)]).toEqual([
    1,
    ['redis: maxmemory-policy is allkeys-lru.', expect.stringMatching(/^tracing: Nobody answers: .*ECONNREFUSED/)],
  ])
  expect(hurt.results.find(({ problem }) => problem?.includes('allkeys-lru'))).toMatchObject({
    matters: expect.stringContaining('loses features'),
    remedy: expect.stringContaining('CONFIG SET maxmemory-policy noeviction'),
  })

  // From elsewhere: the edge, and what the environment names.
  const token = (await runCli(['token', '--data', env.STREAMFORGE_DATA_DIR])).out.trim()
  const { DATABASE_URL: _database, STREAMFORGE_DATA_DIR: _folder, ...named } = env
  const elsewhere = await examine(named, '--url', url, '--token', token, '--data', await newDataDir())
  expect([elsewhere.code, notWell(elsewhere)]).toEqual([1, ['redis: maxmemory-policy is allkeys-lru.']])
  expect(elsewhere.results.filter(({ status }) => status === 'unseen').map(({ part }) => part)).toEqual(
    expect.arrayContaining(['roles', 'kafka', 'postgres', 'objects', 'lake', 'machine']),
  )

  await redis.kill()
  streams.child.kill('SIGKILL')
  await streams.ended()
  const broken = await examine(env, '--timeout', '9')
  expect(broken.code).toBe(1)
  expect(notWell(broken)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^edge: (No answer within 9 s|GET \/features\/)/),
      expect.stringMatching(/^redis: Redis at 127\.0\.0\.1:\d+ could not /),
    ]),
  )
  expect(broken.results.filter(({ part, status }) => part === 'redis' && status === 'unseen')).toHaveLength(4)
  edge.child.kill('SIGTERM')
  expect(await edge.ended(), edge.err).toBe(0)
})
