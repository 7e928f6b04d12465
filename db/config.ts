/**
 * The configuration of every process of the platform: the only place that reads environment variables.
 *
 * Parsed once at the start; all errors are reported together, each naming its variable and an example. The result is frozen, and its secrets
 * print as `[secret]`. To add a setting, add a line to SETTINGS: its type, default and error sentence follow from it.
 */
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { z } from 'zod'
import { isRedisUrl } from './features/redis-url.ts'
import { parseObjectsUrl } from './objects/url.ts'
import { Secret } from './secret.ts'

const SASL_MECHANISMS = ['none', 'plain', 'scram-sha-256', 'scram-sha-512'] as const
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const

interface Setting<S extends z.ZodType> {
  readonly variable: string
  readonly example: string
  readonly schema: S
}
const setting = <S extends z.ZodType>(variable: string, example: string, schema: S): Setting<S> => ({
  variable,
  example,
  schema,
})

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be a whole number from ${min} to ${max}`)

/** Secrets are kept from error messages as well: no rule here may quote the value. */
const secret = (text: z.ZodType<string>) => text.transform((value) => new Secret(value)).nullable()

const yesOrNo = (fallback: 'yes' | 'no') =>
  z
    .string()
    .default(fallback)
    .refine((text) => /^(true|1|yes|on|false|0|no|off)$/i.test(text), 'must be true or false')
    .transform((text) => /^(true|1|yes|on)$/i.test(text))

/** `host:port`. */
const isBroker = (text: string): boolean => {
  const [, port] = /^[\w.-]+:(\d{1,5})$/.exec(text) ?? []
  return port !== undefined && Number(port) >= 1 && Number(port) <= 65_535
}

/** Credentials have no place in it: it is shown. */
const isHttpOrigin = (text: string): boolean => isOrigin(text) && /^https?:/.test(text)

const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text

const SETTINGS = {
  port: setting('STREAMFORGE_PORT', '8080', wholeNumber(0, 65_535).default(8080)),
  host: setting(
    'STREAMFORGE_HOST',
    '127.0.0.1',
    z
      .string()
      .regex(/^[\w.:-]+$/, 'must be a host name or an IP address')
      .default('127.0.0.1'),
  ),
  /** Metrics and health of a streams process; null: none. Any number of them share a machine, so it is any free port unless told. */
  metricsPort: setting(
    'STREAMFORGE_METRICS_PORT',
    '9464',
    z
      .string()
      .default('0')
      .transform((text) => (/^(off|no|false)$/i.test(text) ? null : text))
      .pipe(wholeNumber(0, 65_535).nullable()),
  ),
  dataDir: setting(
    'STREAMFORGE_DATA_DIR',
    './data',
    z
      .string()
      .default('data')
      .transform((path) => resolve(path)),
  ),
  writeKey: setting(
    'STREAMFORGE_WRITE_KEY',
    'wk_2f9c…',
    secret(z.string().regex(/^[\x21-\x7e]{1,200}$/, 'must be at most 200 printable ASCII characters without spaces')),
  ),
  adminPassword: setting(
    'STREAMFORGE_ADMIN_PASSWORD',
    'a sentence you remember',
    // bcrypt reads no further than 72 bytes: more would silently not count.
    secret(z.string().refine((text) => Buffer.byteLength(text) <= 72, 'must have at most 72 bytes in UTF-8')),
  ),
  jwtSecret: setting(
    'STREAMFORGE_JWT_SECRET',
    'the output of "openssl rand -base64 32"',
    // RFC 7518, 3.2: a key for HS256 has at least the 256 bits of its hash.
    secret(z.string().refine((text) => Buffer.byteLength(text) >= 32, 'must have at least 32 bytes')),
  ),
  /** An access token for commands that read from an edge elsewhere. */
  token: setting(
    'STREAMFORGE_TOKEN',
    'the output of "streamforge token" on its machine',
    secret(z.string().regex(/^[\w.-]{1,4000}$/, 'must be an access token, as "streamforge token" prints it')),
  ),
  currency: setting(
    'STREAMFORGE_CURRENCY',
    'TRY',
    z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be an ISO 4217 code of three capital letters')
      .default('TRY'),
  ),
  corsOrigins: setting(
    'STREAMFORGE_CORS_ORIGINS',
    'https://shop.example,http://localhost:5173',
    z
      .string()
      .default('')
      .transform((text) => [
        ...new Set(
          text
            .split(',')
            .map((origin) => origin.trim().replace(/\/$/, ''))
            .filter((origin) => origin !== ''),
        ),
      ])
      .refine(
        (origins) => origins.every((origin) => origin === '*' || isOrigin(origin)),
        'must be "*", or origins (scheme, host and port, no path) with commas between them',
      )
      .transform((origins): readonly string[] => Object.freeze(origins)),
  ),
  logLevel: setting(
    'STREAMFORGE_LOG_LEVEL',
    'info',
    z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info'),
  ),
  databaseUrl: setting(
    'DATABASE_URL',
    'postgres://user:password@db.example:5432/streamforge',
    secret(
      z
        .string()
        .refine(
          (text) => URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol),
          'must be a URL that begins with postgres://',
        ),
    ),
  ),
  /** The event log is Kafka when this is set, else the embedded one. */
  kafkaBrokers: setting(
    'KAFKA_BROKERS',
    'kafka-1.example:9092,kafka-2.example:9092',
    z
      .string()
      .default('')
      .transform((text) => [
        ...new Set(
          text
            .split(',')
            .map((broker) => broker.trim())
            .filter((broker) => broker !== ''),
        ),
      ])
      .refine((brokers) => brokers.every(isBroker), 'must be host:port, several with commas between them')
      .transform((brokers): readonly string[] => Object.freeze(brokers)),
  ),
  kafkaClientId: setting(
    'KAFKA_CLIENT_ID',
    'streamforge',
    z
      .string()
      .regex(/^[\w.-]{1,100}$/, 'must be at most 100 letters, digits, dots, dashes and underscores')
      .default('streamforge'),
  ),
  kafkaSaslMechanism: setting(
    'KAFKA_SASL_MECHANISM',
    'scram-sha-512',
    z
      .string()
      .default('none')
      .transform((text) => text.toLowerCase())
      .pipe(z.enum(SASL_MECHANISMS, `must be one of ${SASL_MECHANISMS.join(', ')}`)),
  ),
  kafkaSaslUsername: setting('KAFKA_SASL_USERNAME', 'streamforge', z.string().default('')),
  kafkaSaslPassword: setting('KAFKA_SASL_PASSWORD', 'a long password', secret(z.string())),
  /** Of what is appended. gzip sends and keeps a third of the bytes for about 1.5 CPU-seconds per million events more. */
  kafkaCompression: setting(
    'KAFKA_COMPRESSION',
    'gzip',
    z.enum(['none', 'gzip'], 'must be none or gzip').default('none'),
  ),
  /** Certificates are checked against Node's authorities and those of NODE_EXTRA_CA_CERTS. */
  kafkaTls: setting('KAFKA_TLS', 'true', yesOrNo('no')),
  /** A streams process that is silent for so long has its partitions given to others. Kafka's broker bounds it (6 s to 30 min unless told). */
  kafkaSessionTimeoutMs: setting('KAFKA_SESSION_TIMEOUT_MS', '15000', wholeNumber(1_000, 1_800_000).default(15_000)),
  /** The feature store is Redis when this is set, else the embedded one. */
  redisUrl: setting(
    'REDIS_URL',
    'redis://:password@redis.example:6379',
    secret(
      z
        .string()
        .refine(
          isRedisUrl,
          'must be a URL that begins with redis:// or rediss://; for a cluster, several with commas between them',
        ),
    ),
  ),
  /** Whether REDIS_URL names nodes of a Redis Cluster. */
  redisCluster: setting('REDIS_CLUSTER', 'true', yesOrNo('no')),
  /** A registry with Confluent's API, user and password in the URL; else the embedded one, which the edge serves at /schema-registry. */
  schemaRegistryUrl: setting(
    'SCHEMA_REGISTRY_URL',
    'http://user:password@registry.example:8081',
    secret(
      z
        .string()
        .refine(
          (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol),
          'must be a URL that begins with http:// or https://',
        ),
    ),
  ),
  /** Where objects are kept, checkpoints among them: S3, a bucket of Google (by its S3 interface), or a folder; else `objects` in the data folder. Streams on several machines need one that all of them see. */
  objectsUrl: setting(
    'STREAMFORGE_OBJECTS_URL',
    's3://bucket/prefix',
    z
      .string()
      .default('')
      .transform((text) => text.replace(/\/+$/, ''))
      .refine(
        (text) => text === '' || parseObjectsUrl(text) !== null,
        'must be s3://bucket or s3://bucket/prefix, gs://bucket/prefix, or file:///a/folder',
      ),
  ),
  /** Of an S3 that isn't Amazon's: MinIO, versitygw; with `gs://` objects it is Google's. Buckets are the first part of its path. */
  s3Endpoint: setting(
    'S3_ENDPOINT',
    'http://127.0.0.1:9000',
    z
      .string()
      .default('')
      .transform((text) => text.replace(/\/+$/, ''))
      .refine(
        (text) => text === '' || isHttpOrigin(text),
        'must be http:// or https://, a host and perhaps a port, no more',
      ),
  ),
  awsRegion: setting(
    'AWS_REGION',
    'eu-central-1',
    z
      .string()
      .regex(/^[a-z0-9-]{1,50}$/, 'must be a region such as eu-central-1, or "auto"')
      .default(''),
  ),
  awsAccessKeyId: setting('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE', secret(z.string())),
  awsSecretAccessKey: setting('AWS_SECRET_ACCESS_KEY', 'the secret of the access key', secret(z.string())),
  /** Of temporary credentials. */
  awsSessionToken: setting('AWS_SESSION_TOKEN', 'the token that came with them', secret(z.string())),
  /** Trino over the lake, whose catalog there is called `lake`; user and password in the URL, where it asks for them. */
  trinoUrl: setting(
    'TRINO_URL',
    'https://user:password@trino.example:8443',
    secret(
      z
        .string()
        .refine(
          (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol),
          'must be a URL that begins with http:// or https://',
        )
        .refine(
          (text) => !URL.canParse(text) || new URL(text).password === '' || text.startsWith('https:'),
          'must begin with https:// where it has a password',
        ),
    ),
  ),
  /** Whether the embedded platform, and the cluster form on one machine, run a lake-writer. */
  lake: setting('STREAMFORGE_LAKE', 'off', yesOrNo('yes')),
  /** A table of the lake is committed to after so long, or when so much was read for it. 0: by the form, see {@link loadConfig}. */
  lakeCommitSeconds: setting('STREAMFORGE_LAKE_COMMIT_SECONDS', '60', wholeNumber(1, 3_600).default(0)),
  lakeCommitMb: setting('STREAMFORGE_LAKE_COMMIT_MB', '128', wholeNumber(1, 1_024).default(0)),
  /** `host:port` of the frontend of a Temporal; else the platform runs one of its own on this machine. */
  temporalAddress: setting(
    'TEMPORAL_ADDRESS',
    'temporal.example:7233',
    z
      .string()
      .default('')
      .refine((text) => text === '' || isBroker(text), 'must be host:port'),
  ),
  temporalNamespace: setting(
    'TEMPORAL_NAMESPACE',
    'default',
    z
      .string()
      .regex(/^[\w.-]{1,200}$/, 'must be at most 200 letters, digits, dots, dashes and underscores')
      .default('default'),
  ),
  temporalTaskQueue: setting(
    'TEMPORAL_TASK_QUEUE',
    'streamforge',
    z
      .string()
      .regex(/^[\w.-]{1,200}$/, 'must be at most 200 letters, digits, dots, dashes and underscores')
      .default('streamforge'),
  ),
  /** Where traces are shown, for links from an alert; empty: nowhere. */
  traceUrl: setting(
    'STREAMFORGE_TRACE_URL',
    'https://jaeger.example/trace/{trace_id}',
    z
      .string()
      .default('')
      .refine(
        (text) =>
          text === '' ||
          (text.includes('{trace_id}') &&
            URL.canParse(text) &&
            /^https?:$/.test(new URL(text).protocol) &&
            new URL(text).password === ''),
        'must be a URL with {trace_id} in it that begins with http:// or https://, without a password',
      ),
  ),
  /** For links on the dashboard; that of the platform's own Temporal is known. */
  temporalUiUrl: setting(
    'TEMPORAL_UI_URL',
    'https://temporal.example',
    z
      .string()
      .default('')
      .transform((text) => text.replace(/\/+$/, ''))
      .refine(
        (text) =>
          text === '' ||
          (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).password === ''),
        'must be a URL that begins with http:// or https://, without a password',
      ),
  ),
  /** Whether the embedded platform, and the cluster form on one machine, run workflows: a Temporal, unless TEMPORAL_ADDRESS names one, and a worker. */
  workflows: setting('STREAMFORGE_WORKFLOWS', 'off', yesOrNo('yes')),
  /** Of DuckDB, for each activity of a worker. */
  workerMemoryMb: setting('STREAMFORGE_WORKER_MEMORY_MB', '1024', wholeNumber(128, 1_000_000).default(1_024)),
  /** Files below it can be imported into the lake by a workflow; a worker reads no others. Else `imports` in the data folder. */
  importDir: setting(
    'STREAMFORGE_IMPORT_DIR',
    './imports',
    z
      .string()
      .default('')
      .transform((path) => (path === '' ? '' : resolve(path))),
  ),
  /** A JSON file that names topics of other producers, and the events that their rows become. */
  foreignTopics: setting(
    'STREAMFORGE_FOREIGN_TOPICS',
    './foreign-topics.json',
    z
      .string()
      .default('')
      .transform((path) => (path === '' ? '' : resolve(path))),
  ),
  /** Whether the embedded platform follows a database: that of CDC_SOURCE_URL, else a demo shop in its own PostgreSQL. */
  cdc: setting('STREAMFORGE_CDC', 'on', yesOrNo('no')),
  /** The database whose tables are followed (change data capture). Its user needs REPLICATION, and SELECT on the tables. */
  cdcSourceUrl: setting(
    'CDC_SOURCE_URL',
    'postgres://cdc:password@db.example:5432/shop',
    secret(
      z
        .string()
        .refine(
          (text) => URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol),
          'must be a URL that begins with postgres://',
        ),
    ),
  ),
  /** With their schemas. */
  cdcTables: setting(
    'STREAMFORGE_CDC_TABLES',
    'public.products,public.orders,public.order_items',
    z
      .string()
      .default('public.products,public.orders,public.order_items')
      .transform((text) => [
        ...new Set(
          text
            .split(',')
            .map((table) => table.trim())
            .filter((table) => table !== ''),
        ),
      ])
      .refine(
        (tables) =>
          tables.length > 0 && tables.length <= 10 && tables.every((table) => /^[\w-]{1,63}\.[\w-]{1,63}$/.test(table)),
        'must be at most ten tables with their schemas and commas between them',
      )
      .transform((tables): readonly string[] => Object.freeze(tables)),
  ),
  cdcSlot: setting(
    'STREAMFORGE_CDC_SLOT',
    'streamforge',
    z
      .string()
      // PostgreSQL's rule, with room for the name of the slot that a snapshot has.
      .regex(/^[a-z0-9_]{1,54}$/, 'must be at most 54 small letters, digits and underscores')
      .default('streamforge'),
  ),
  cdcPublication: setting(
    'STREAMFORGE_CDC_PUBLICATION',
    'streamforge',
    z
      .string()
      .regex(/^\w{1,63}$/, 'must be at most 63 letters, digits and underscores')
      .default('streamforge'),
  ),
  /** Any database that speaks PostgreSQL: the star schema is copied there. Its user makes tables. */
  warehouseUrl: setting(
    'WAREHOUSE_URL',
    'postgres://streamforge:password@warehouse.example:5432/analytics',
    secret(
      z
        .string()
        .refine(
          (text) => URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol),
          'must be a URL that begins with postgres://',
        ),
    ),
  ),
  warehouseSchema: setting(
    'WAREHOUSE_SCHEMA',
    'streamforge',
    z
      .string()
      .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'must be at most 63 small letters, digits and underscores')
      .default('streamforge'),
  ),
  /** The dataset whose external tables read the lake; with a connection that may read the bucket. Off where neither is named. */
  bigQueryDataset: setting(
    'BIGQUERY_DATASET',
    'my-project.lake',
    z
      .string()
      .regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]\.\w{1,1024}$/, 'must be PROJECT.DATASET')
      .default(''),
  ),
  bigQueryConnection: setting(
    'BIGQUERY_CONNECTION',
    'my-project.eu.lake',
    z
      .string()
      .regex(/^[a-z][a-z0-9-]{4,28}[a-z0-9]\.[a-z0-9-]{1,50}\.[\w-]{1,100}$/, 'must be PROJECT.LOCATION.CONNECTION')
      .default(''),
  ),
  /** Another address of BigQuery's API, e.g. one of Private Service Connect. Tokens go there. */
  bigQueryEndpoint: setting(
    'BIGQUERY_ENDPOINT',
    'https://bigquery-lake.p.googleapis.com',
    z
      .string()
      .default('https://bigquery.googleapis.com')
      .transform((text) => text.replace(/\/+$/, ''))
      .refine(
        (text) =>
          isHttpOrigin(text) &&
          (text.startsWith('https:') || /^(127(\.\d{1,3}){3}|localhost)$/.test(new URL(text).hostname)),
        'must be https://, a host and perhaps a port, no more (http:// on this machine only)',
      ),
  ),
  /** As Google's own libraries have it: `host` or `host:port` of the metadata server. */
  gceMetadataHost: setting(
    'GCE_METADATA_HOST',
    '169.254.169.254',
    z
      .string()
      .regex(/^[\w.-]{1,253}(:\d{1,5})?$/, 'must be a host, and perhaps a port')
      .default('metadata.google.internal'),
  ),
  /** Where servers that the project finds or builds by itself are kept, for tests and for the cluster form on one machine. */
  serversDir: setting(
    'STREAMFORGE_SERVERS_DIR',
    '~/.cache/streamforge/servers',
    z
      .string()
      .default('')
      .transform((path) => (path === '' ? '' : resolve(path.replace(/^~(?=\/)/, homedir())))),
  ),
  /** A JDK, for servers that need a newer Java than the PATH has. */
  javaHome: setting('JAVA_HOME', '/usr/lib/jvm/temurin-25-jdk-amd64', z.string().default('')),
  /** The XDG base directory specification: a path that is not absolute is to be ignored. */
  cacheHome: setting(
    'XDG_CACHE_HOME',
    '/home/you/.cache',
    z
      .string()
      .default('')
      .transform((path) => (isAbsolute(path) ? path : join(homedir(), '.cache'))),
  ),
  /** Events per second of the simulator; 0 sends none. */
  rate: setting('STREAMFORGE_RATE', '50', wholeNumber(0, 1_000_000).default(50)),
  /** Under CI a test that can't have its server fails; elsewhere it is skipped. Not ours to define, so any value but a no means yes. */
  ci: setting(
    'CI',
    'true',
    z
      .string()
      .default('false')
      .transform((text) => !/^(false|0|no|off)$/i.test(text)),
  ),
} as const

type Settings = typeof SETTINGS
/** The environment variables that are settings. */
export const VARIABLES: readonly string[] = Object.values(SETTINGS).map(({ variable }) => variable)
export type Config = { readonly [K in keyof Settings]: z.output<Settings[K]['schema']> }

/** What the command line says: it goes before the environment. Keys as in {@link Config}; `undefined` means not given. */
export type ConfigOverrides = { readonly [K in keyof Config]?: string | number | undefined }

/** The configuration can't be used; `problems` has a sentence for each setting at fault. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((p) => `- ${p}`).join('\n')}`,
    )
    this.problems = problems
  }
}

/**
 * @param env usually `process.env`, read here alone. An empty variable counts as not set.
 * @throws ConfigError naming every setting that is wrong.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>, overrides: ConfigOverrides = {}): Config {
  const problems: string[] = []
  const values = Object.entries(SETTINGS).map(([name, { variable, example, schema }]) => {
    const override = overrides[name as keyof Settings]
    const given = override !== undefined ? String(override) : fromEnv(env[variable], isNullable(schema))
    const parsed = schema.safeParse(given ?? (isNullable(schema) ? null : undefined))
    if (parsed.success) return [name, parsed.data]
    const source = override !== undefined ? `${flagOf(name)} (${variable})` : variable
    const shown = given === undefined || isNullable(schema) ? '' : `, not "${given.slice(0, 80)}"`
    problems.push(
      `${source} ${parsed.error.issues[0]?.message ?? 'is invalid'}${shown}. Example: ${variable}=${quote(example)}`,
    )
    return [name, undefined]
  })
  // Each value was parsed by the schema its type is derived from.
  const config = Object.fromEntries(values) as { -readonly [K in keyof Config]: Config[K] }
  if (problems.length === 0) problems.push(...contradictions(config))
  if (problems.length > 0) throw new ConfigError(problems)
  config.importDir ||= join(config.dataDir, 'imports')
  const isGoogle = config.objectsUrl.startsWith('gs:')
  config.awsRegion ||= isGoogle ? 'auto' : 'us-east-1'
  if (isGoogle) config.s3Endpoint ||= 'https://storage.googleapis.com'
  config.serversDir ||= join(config.cacheHome, 'streamforge', 'servers')
  // One person's machine wants to see its rows soon and has little memory; a cluster wants few files.
  const isCluster = config.kafkaBrokers.length > 0
  config.lakeCommitSeconds ||= isCluster ? 60 : 15
  config.lakeCommitMb ||= isCluster ? 128 : 32
  return Object.freeze(config)
}

/** How to reach Kafka, as the log wants it. */
export function kafkaConnectionOf(config: Config) {
  const { kafkaSaslMechanism: mechanism, kafkaSaslUsername: username, kafkaSaslPassword: password } = config
  return {
    brokers: config.kafkaBrokers,
    clientId: config.kafkaClientId,
    tls: config.kafkaTls,
    gzip: config.kafkaCompression === 'gzip',
    ...(mechanism === 'none' || password === null
      ? {}
      : { sasl: { mechanism, username, password: password.reveal() } }),
  }
}

/** What is wrong between settings of which each alone is right. */
const contradictions = (config: Config): string[] => [
  ...kafkaContradictions(config),
  ...objectsContradictions(config),
  ...bigQueryContradictions(config),
]

function kafkaContradictions(config: Config): string[] {
  const { kafkaSaslMechanism: mechanism, kafkaSaslUsername: username, kafkaSaslPassword: password } = config
  if (mechanism === 'none') {
    return username === '' && password === null
      ? []
      : [
          'KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD need KAFKA_SASL_MECHANISM. Example: KAFKA_SASL_MECHANISM=scram-sha-512',
        ]
  }
  return username !== '' && password !== null
    ? []
    : [`KAFKA_SASL_MECHANISM=${mechanism} needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD. Set both.`]
}

/** AWS_* may be there for other programs: only their want is wrong. */
function objectsContradictions({ objectsUrl, awsAccessKeyId, awsSecretAccessKey }: Config): string[] {
  if (!/^(s3|gs):/.test(objectsUrl) || (awsAccessKeyId && awsSecretAccessKey)) return []
  const which = objectsUrl.startsWith('gs:') ? ', an HMAC key of a service account' : ''
  return [`STREAMFORGE_OBJECTS_URL=${objectsUrl} needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY${which}. Set both.`]
}

function bigQueryContradictions({ bigQueryDataset, bigQueryConnection }: Config): string[] {
  if ((bigQueryDataset === '') === (bigQueryConnection === '')) return []
  return [
    'BIGQUERY_DATASET and BIGQUERY_CONNECTION belong together: tables of the one read the lake by the other. Set both.',
  ]
}

/** Space around a value is a slip of the pen, but may belong to a secret. */
const fromEnv = (value: string | undefined, asItIs: boolean): string | undefined =>
  (asItIs ? value : value?.trim()) || undefined

/** Nullable settings are the secrets: no default, and never shown. */
const isNullable = (schema: z.ZodType): boolean => schema instanceof z.ZodNullable
/** `dataDir` is `--data`, as on the command line; the others are called as their key. */
const flagOf = (name: string): string =>
  name === 'dataDir' ? '--data' : `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`
const quote = (example: string): string => (/\s/.test(example) ? `"${example.replaceAll('"', '')}"` : example)
