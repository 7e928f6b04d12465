import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from './config.ts'

const problemsOf = (env: Record<string, string>, overrides = {}): readonly string[] => {
  try {
    loadConfig(env, overrides)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

describe('loadConfig', () => {
  it('has a default for every setting', () => {
    expect(loadConfig({})).toEqual({
      port: 8080,
      host: '127.0.0.1',
      metricsPort: 0,
      dataDir: resolve('data'),
      writeKey: null,
      adminPassword: null,
      jwtSecret: null,
      token: null,
      currency: 'TRY',
      corsOrigins: [],
      traceUrl: '',
      logLevel: 'info',
      databaseUrl: null,
      kafkaBrokers: [],
      kafkaClientId: 'streamforge',
      kafkaSaslMechanism: 'none',
      kafkaSaslUsername: '',
      kafkaSaslPassword: null,
      kafkaTls: false,
      kafkaCompression: 'none',
      kafkaSessionTimeoutMs: 15_000,
      redisUrl: null,
      redisCluster: false,
      schemaRegistryUrl: null,
      trinoUrl: null,
      objectsUrl: '',
      s3Endpoint: '',
      awsRegion: 'us-east-1',
      awsAccessKeyId: null,
      awsSecretAccessKey: null,
      awsSessionToken: null,
      lake: true,
      lakeCommitSeconds: 15,
      lakeCommitMb: 32,
      temporalAddress: '',
      temporalNamespace: 'default',
      temporalTaskQueue: 'streamforge',
      temporalUiUrl: '',
      workflows: true,
      workerMemoryMb: 1_024,
      importDir: join(resolve('data'), 'imports'),
      cdc: false,
      cdcSourceUrl: null,
      cdcTables: ['public.products', 'public.orders', 'public.order_items'],
      cdcSlot: 'streamforge',
      cdcPublication: 'streamforge',
      warehouseUrl: null,
      warehouseSchema: 'streamforge',
      bigQueryDataset: '',
      bigQueryConnection: '',
      bigQueryEndpoint: 'https://bigquery.googleapis.com',
      gceMetadataHost: 'metadata.google.internal',
      foreignTopics: '',
      javaHome: '',
      cacheHome: join(homedir(), '.cache'),
      serversDir: join(homedir(), '.cache', 'streamforge', 'servers'),
      rate: 50,
      ci: false,
    })
  })

  it('takes the environment, trimmed, and an empty variable as not set', () => {
    const config = loadConfig({
      STREAMFORGE_PORT: ' 9000 ',
      STREAMFORGE_CURRENCY: '',
      STREAMFORGE_DATA_DIR: 'x/y',
      STREAMFORGE_CORS_ORIGINS: 'https://a.example/, http://localhost:5173 ,https://a.example',
      CI: 'true',
    })
    expect(config).toMatchObject({ port: 9000, currency: 'TRY', dataDir: resolve('x/y'), ci: true })
    expect(config.corsOrigins).toEqual(['https://a.example', 'http://localhost:5173'])
  })

  it('puts the command line before the environment', () => {
    const env = { STREAMFORGE_PORT: '9000', STREAMFORGE_RATE: '7' }
    expect(loadConfig(env, { port: 0, rate: undefined })).toMatchObject({ port: 0, rate: 7 })
  })

  it('reports all errors together, in sentences that name the variable and an example', () => {
    const problems = problemsOf(
      { STREAMFORGE_PORT: '70000', STREAMFORGE_LOG_LEVEL: 'loud', DATABASE_URL: 'mysql://u:hunter2@h/d' },
      { rate: -1 },
    )
    expect(problems).toEqual([
      'STREAMFORGE_PORT must be a whole number from 0 to 65535, not "70000". Example: STREAMFORGE_PORT=8080',
      'STREAMFORGE_LOG_LEVEL must be one of trace, debug, info, warn, error, silent, not "loud". Example: STREAMFORGE_LOG_LEVEL=info',
      'DATABASE_URL must be a URL that begins with postgres://. Example: DATABASE_URL=postgres://user:password@db.example:5432/streamforge',
      '--rate (STREAMFORGE_RATE) must be a whole number from 0 to 1000000, not "-1". Example: STREAMFORGE_RATE=50',
    ])
  })

  it.each([
    ['STREAMFORGE_CORS_ORIGINS', 'https://a.example/path'],
    ['STREAMFORGE_CURRENCY', 'try'],
    ['STREAMFORGE_HOST', 'a b'],
    ['STREAMFORGE_PORT', '80.5'],
    ['STREAMFORGE_JWT_SECRET', 'short'],
    ['STREAMFORGE_WRITE_KEY', 'with space'],
    ['KAFKA_BROKERS', 'kafka-1.example'],
    ['KAFKA_BROKERS', 'a:9092,b:99999'],
    ['KAFKA_SASL_MECHANISM', 'gssapi'],
    ['KAFKA_TLS', 'perhaps'],
    ['REDIS_URL', 'localhost:6379'],
    ['REDIS_URL', 'redis://a:6379,http://b:6379'],
    ['REDIS_URL', 'redis://a/zero'],
    ['REDIS_CLUSTER', 'three'],
    ['SCHEMA_REGISTRY_URL', 'registry:8081'],
    ['WAREHOUSE_URL', 'mysql://warehouse.example'],
    ['WAREHOUSE_SCHEMA', 'My Schema'],
    ['BIGQUERY_DATASET', 'lake'],
    ['BIGQUERY_CONNECTION', 'my-project.lake'],
    ['BIGQUERY_DATASET', 'my-project.lake'],
    ['BIGQUERY_ENDPOINT', 'http://127.example.com'],
    ['TRINO_URL', 'trino:8080'],
    ['TRINO_URL', 'http://user:hunter2@trino:8080'],
    ['STREAMFORGE_ADMIN_PASSWORD', 'ş'.repeat(37)],
    ['STREAMFORGE_OBJECTS_URL', 'gcs://bucket'],
    ['STREAMFORGE_OBJECTS_URL', 's3://Bucket_1/prefix'],
    ['STREAMFORGE_OBJECTS_URL', 's3://bucket/a//b'],
    ['STREAMFORGE_OBJECTS_URL', 's3://bucket/../b'],
    ['STREAMFORGE_OBJECTS_URL', 'file://relative'],
    ['S3_ENDPOINT', '127.0.0.1:9000'],
    ['S3_ENDPOINT', 'http://user:password@127.0.0.1:9000'],
    ['S3_ENDPOINT', 'http://127.0.0.1:9000/bucket'],
    ['AWS_REGION', 'Frankfurt am Main'],
  ])('refuses %s=%s', (variable, value) => {
    expect(problemsOf({ [variable]: value })).toEqual([expect.stringContaining(variable)])
  })

  it('takes one Redis or the nodes of a cluster, and shows neither passwords nor the URL', () => {
    const REDIS_URL = 'rediss://u:hunter2@a.example:6379,b.example:6380'
    const config = loadConfig({ REDIS_URL, REDIS_CLUSTER: 'yes', SCHEMA_REGISTRY_URL: 'https://u:hunter2@r.example' })
    expect(config.redisUrl?.reveal()).toBe(REDIS_URL)
    expect(config.redisCluster).toBe(true)
    expect(JSON.stringify(config)).not.toContain('hunter2')
  })

  it('takes brokers as a list, and SASL only as a whole', () => {
    const KAFKA_BROKERS = 'kafka-1.example:9092, b:9092 ,kafka-1.example:9092'
    expect(loadConfig({ KAFKA_BROKERS }).kafkaBrokers).toEqual(['kafka-1.example:9092', 'b:9092'])
    const sasl = { KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'hunter2' }
    expect(loadConfig({ KAFKA_BROKERS, ...sasl })).toMatchObject({ kafkaSaslMechanism: 'scram-sha-512' })
    expect(problemsOf({ ...sasl, KAFKA_SASL_PASSWORD: '' })).toEqual([
      expect.stringContaining('needs KAFKA_SASL_USERNAME'),
    ])
    expect(problemsOf({ ...sasl, KAFKA_SASL_MECHANISM: '' })).toEqual([
      expect.stringContaining('need KAFKA_SASL_MECHANISM'),
    ])
  })

  it('takes S3 with its keys, and never without', () => {
    const STREAMFORGE_OBJECTS_URL = 's3://events.example/live/'
    const keys = {
      AWS_ACCESS_KEY_ID: 'AKEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'hunter2',
      AWS_SESSION_TOKEN: 'hunter2-token',
    }
    const config = loadConfig({ STREAMFORGE_OBJECTS_URL, S3_ENDPOINT: 'http://127.0.0.1:9000/', ...keys })
    expect(config).toMatchObject({ objectsUrl: 's3://events.example/live', s3Endpoint: 'http://127.0.0.1:9000' })
    expect(JSON.stringify(config)).not.toContain('hunter2')
    expect(problemsOf({ STREAMFORGE_OBJECTS_URL, ...keys, AWS_SECRET_ACCESS_KEY: '' })).toEqual([
      expect.stringContaining('needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'),
    ])
    expect(problemsOf({ AWS_ACCESS_KEY_ID: 'of another program' })).toEqual([])
  })

  it('keeps servers in the cache folder of the user, unless told where', () => {
    expect(loadConfig({ XDG_CACHE_HOME: '/c' }).serversDir).toBe('/c/streamforge/servers')
    expect(loadConfig({ XDG_CACHE_HOME: 'not/absolute' }).serversDir).toBe(
      join(homedir(), '.cache/streamforge/servers'),
    )
    expect(loadConfig({ XDG_CACHE_HOME: '/c', STREAMFORGE_SERVERS_DIR: '/s' }).serversDir).toBe('/s')
  })

  it('never prints a secret, neither whole nor in an error', () => {
    const env = {
      STREAMFORGE_WRITE_KEY: 'hunter2-write',
      STREAMFORGE_ADMIN_PASSWORD: 'hunter2-admin',
      STREAMFORGE_JWT_SECRET: 'hunter2'.repeat(10),
      STREAMFORGE_TOKEN: 'hunter2.token',
      DATABASE_URL: 'postgres://u:hunter2@h/d',
    }
    const config = loadConfig(env)
    const printed = `${JSON.stringify(config)} ${inspect(config, { depth: 9, showHidden: true })} ${config.writeKey} ${String(config.databaseUrl)}`
    expect(printed).not.toContain('hunter2')
    expect(printed).toContain('[secret]')
    expect(config.databaseUrl?.reveal()).toBe(env.DATABASE_URL)
    expect(
      problemsOf({ STREAMFORGE_WRITE_KEY: 'hunter2 spaced', STREAMFORGE_JWT_SECRET: 'hunter2' }).join(),
    ).not.toContain('hunter2')
  })

  it('is frozen', () => {
    const config = loadConfig({ STREAMFORGE_CORS_ORIGINS: 'https://a.example' })
    expect(Object.isFrozen(config) && Object.isFrozen(config.corsOrigins)).toBe(true)
  })
})
