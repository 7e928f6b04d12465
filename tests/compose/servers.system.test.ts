/**
 * What the compose file mounts and sets, given to the programs that it is meant for, on ports and in folders of the test's own: Redis, Kafka (by the program of its image that turns
 * variables into properties), the collector's and Jaeger's configuration, Temporal's dynamic settings, Trino's catalog.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { icebergCatalog, kafkaJars, temporalProgram } from '../../cli/servers/index.ts'
import { jaegerProgram } from '../../cli/servers/jaeger.ts'
import { freePorts, type ServerProcess, startServer } from '../../cli/servers/process.ts'
import { run } from '../../cli/servers/run.ts'
import { withRedis } from '../../cli/servers/testing/with-redis.ts'
import { propertiesText } from '../../cli/servers/trino.ts'
import { loadConfig } from '../../db/config.ts'
import { withCompose } from '../support/compose.ts'
import { eventually } from '../support/eventually.ts'
import { ROOT } from '../support/processes.ts'

const composed = withCompose()
// It sees to it that there is a Redis.
withRedis()
const options = { serversDir: loadConfig(process.env).serversDir }
const mounted = (path: string): Promise<string> => readFile(join(ROOT, 'deploy/compose', path), 'utf8')

const running: ServerProcess[] = []
afterAll(() => Promise.all(running.map((server) => server.kill())))

/** A text with other addresses in place of the containers'; each must be in it. */
function replaced(text: string, replacements: Record<string, string>): string {
  let result = text
  for (const [from, to] of Object.entries(replacements)) {
    expect(result).toContain(from)
    result = result.replaceAll(from, to)
  }
  return result
}

test('Redis: its script gives it the password by a file; it keeps what it has, and refuses what would not fit', async () => {
  const [port] = await freePorts(1)
  const folder = join(composed.folder, 'redis')
  await mkdir(join(folder, 'data'), { recursive: true })
  const paths = { '/run/redis': folder, '/data': join(folder, 'data') }
  await writeFile(
    join(folder, 'redis.conf'),
    `${replaced(await mounted('redis/redis.conf'), { ...paths, 'bind * -::*': 'bind 127.0.0.1' })}\nport ${port}\n`,
  )
  await writeFile(
    join(folder, 'start.sh'),
    replaced(await mounted('redis/start.sh'), { '/run/redis': folder, '/etc/redis': folder }),
  )
  const password = composed.services.redis!.environment!.REDIS_PASSWORD!
  const client = new Redis({ port: port!, password, lazyConnect: true, retryStrategy: null })
  client.on('error', () => undefined)
  const command = {
    name: 'Redis',
    folder,
    program: 'sh',
    args: [join(folder, 'start.sh')],
    env: { REDIS_PASSWORD: password },
  }
  running.push(
    await startServer(command, async () => {
      if (client.status !== 'ready') await client.connect()
      return (await client.ping()) === 'PONG'
    }),
  )
  const settings = async (name: string) => ((await client.config('GET', name)) as string[])[1]
  expect(await settings('maxmemory-policy')).toBe('noeviction')
  expect(await settings('appendonly')).toBe('yes')
  expect(Number(await settings('maxmemory'))).toBeLessThan(Number(composed.services.redis!.mem_limit))
  client.disconnect()
  const nobody = new Redis({ port: port!, lazyConnect: true, retryStrategy: null, maxRetriesPerRequest: 0 })
  nobody.on('error', () => undefined)
  await expect(nobody.ping()).rejects.toThrow(/NOAUTH/)
  nobody.disconnect()
})

test("Kafka: its image's own program makes properties of the variables; clients of both listeners find the broker where they can reach it", {
  timeout: 300_000,
}, async () => {
  const jars = await kafkaJars(options)
  const [containers, host, controller] = (await freePorts(3)) as [number, number, number]
  const folder = join(composed.folder, 'kafka')
  const given = Object.entries(composed.services.kafka!.environment!).map(([name, value]) => [name, value!] as const)
  const env = Object.fromEntries(
    given.map(([name, value]) => [
      name,
      value
        .replace(/\/\/:/g, '//127.0.0.1:')
        .replace(/kafka:|localhost:/g, '127.0.0.1:')
        .replaceAll('19092', String(containers))
        .replaceAll(':9092', `:${host}`)
        .replaceAll('9093', String(controller))
        .replace('/var/lib/kafka', folder),
    ]),
  )
  for (const name of ['defaults', 'mounted', 'final']) await mkdir(join(folder, name), { recursive: true })
  const java = (...args: string[]) => [
    '-Xmx256m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-Dlog4j2.configurationFile=${join(jars, 'log4j2.properties')}`,
    '-cp',
    `${join(jars, 'lib')}/*`,
    ...args,
  ]
  for (const name of ['server.properties', 'log4j2.yaml', 'tools-log4j2.yaml'])
    await writeFile(join(folder, 'defaults', name), '')
  const dirs = [
    `--default-configs-dir=${folder}/defaults`,
    `--mounted-configs-dir=${folder}/mounted`,
    `--final-configs-dir=${folder}/final`,
  ]
  const made = await run('java', java('kafka.docker.KafkaDockerWrapper', 'setup', ...dirs), { env })
  expect(made.code, made.stdout + made.stderr).toBe(0)

  const answers = async (port: number) => {
    const admin = new Kafka({
      brokers: [`127.0.0.1:${port}`],
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    }).admin()
    try {
      await admin.connect()
      return (await admin.describeCluster()).brokers.map((broker) => broker.port)
    } finally {
      await admin.disconnect()
    }
  }
  const args = java('kafka.Kafka', join(folder, 'final/server.properties'))
  running.push(
    await startServer(
      { name: 'Kafka', folder, program: 'java', args },
      async () => (await answers(host)).length === 1,
      120_000,
    ),
  )
  expect(await answers(host)).toEqual([host])
  expect(await answers(containers)).toEqual([containers])
  const properties = await readFile(join(folder, 'final/server.properties'), 'utf8')
  expect(properties).toContain('auto.create.topics.enable=false')
})

test("a span goes through the collector's configuration to Jaeger, by that of Jaeger", {
  timeout: 300_000,
}, async () => {
  // Jaeger is built on the collector, and knows what the configuration of the collector names: the same program plays both.
  const program = await jaegerProgram(options)
  const [collectorGrpc, collectorHttp, jaegerGrpc, query, queryGrpc] = (await freePorts(5)) as number[]
  const start = async (name: string, text: string, replacements: Record<string, string>, url: string) => {
    const folder = join(composed.folder, name)
    await mkdir(folder, { recursive: true })
    // Two of one program: the second must not want the first one's port for its own metrics.
    await writeFile(
      join(folder, 'config.yml'),
      replaced(text, replacements).replace('\nservice:\n', '\nservice:\n  telemetry: { metrics: { level: none } }\n'),
    )
    running.push(
      await startServer(
        { name, folder, program, args: ['--config', join(folder, 'config.yml')] },
        async () => (await fetch(url)).status < 500,
      ),
    )
  }
  const jaegerUrl = `http://127.0.0.1:${query}/api/services`
  await start(
    'jaeger',
    await mounted('jaeger.yml'),
    {
      '0.0.0.0:16686': `127.0.0.1:${query}`,
      '0.0.0.0:16685': `127.0.0.1:${queryGrpc}`,
      '0.0.0.0:4317': `127.0.0.1:${jaegerGrpc}`,
    },
    jaegerUrl,
  )
  const collectorUrl = `http://127.0.0.1:${collectorHttp}/v1/traces`
  await start(
    'collector',
    await mounted('otel-collector.yml'),
    {
      '0.0.0.0:4317': `127.0.0.1:${collectorGrpc}`,
      '0.0.0.0:4318': `127.0.0.1:${collectorHttp}`,
      'jaeger:4317': `127.0.0.1:${jaegerGrpc}`,
    },
    collectorUrl,
  )

  const nowNano = `${BigInt(Date.now()) * 1_000_000n}`
  const span = {
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    name: 'proof',
    kind: 2,
    startTimeUnixNano: nowNano,
    endTimeUnixNano: nowNano,
  }
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'streamforge-edge' } }] }
  const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans: [span] }] }] })
  const sent = await fetch(collectorUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  expect(sent.status).toBe(200)
  await eventually('Jaeger has the span', 30_000, async () =>
    (await (await fetch(jaegerUrl)).text()).includes('streamforge-edge'),
  )
})

test('Temporal knows each of its dynamic settings', { timeout: 1_200_000 }, async () => {
  const program = await temporalProgram(options)
  const binary = await readFile(program.includes('/') ? program : (await run('which', [program])).stdout.trim())
  const settings: Record<string, { value: unknown }[]> = parse(await mounted('temporal/dynamic-config.yml'))
  for (const [name, values] of Object.entries(settings)) {
    expect(binary.includes(name), name).toBe(true)
    expect(values, name).toEqual([{ value: expect.anything() }])
  }
  expect(binary.includes('limit.noSuchSetting')).toBe(false)
})

test("Trino's catalog is the one that its own tests run with", async () => {
  const {
    TRINO_DATABASE_PASSWORD: password,
    S3_ACCESS_KEY_ID,
    S3_SECRET_ACCESS_KEY,
  } = composed.services.trino!.environment as Record<string, string>
  const properties = (await mounted('trino/catalog/lake.properties'))
    .replace(/^#.*\n/gm, '')
    .replace(/\$\{ENV:(\w+)\}/g, (_, name) => composed.services.trino!.environment![name]!)
  const {
    'fs.native-local.enabled': _,
    'local.location': __,
    ...expected
  } = icebergCatalog({
    postgresUrl: `postgres://trino:${password}@postgres:5432/streamforge`,
    catalogName: 'lake',
    warehouse: 's3://streamforge/live/warehouse',
    s3: {
      endpoint: 'http://minio:9000',
      region: 'us-east-1',
      accessKeyId: S3_ACCESS_KEY_ID!,
      secretAccessKey: S3_SECRET_ACCESS_KEY!,
    },
  })
  expect(properties.trim().split('\n').sort()).toEqual(propertiesText(expected).trim().split('\n').sort())
})
