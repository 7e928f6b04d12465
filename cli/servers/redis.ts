/**
 * A real Redis without Docker: `redis-server` of the PATH, else of its Debian package.
 *
 * Invariants: it listens on 127.0.0.1 alone and asks for a password, which is on no command line; it keeps nothing on disk, because Redis is a projection.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Redis } from 'ioredis'
import { haveProgram } from './debian.ts'
import { clearFolder, freePorts, type ServerProcess, startServer } from './process.ts'

const HOST = '127.0.0.1'
const PROGRAM = 'redis-server'

export interface RedisOptions {
  /** Of the server: configuration and log; made if missing. */
  folder: string
  /** 0 or absent: a free one. */
  port?: number
  password: string
  /** For one-line messages about what takes time. */
  log?: (message: string) => void
  /** Memory it may use; over it, writes are refused. */
  maxMemoryMb?: number
  /** Further lines of redis.conf, e.g. `{'cluster-enabled': 'yes'}`; they go before ours. */
  settings?: Readonly<Record<string, string | number>>
}

export interface RedisServer extends ServerProcess {
  /** With the password: for connecting, not for printing. */
  readonly url: string
  readonly host: string
  readonly port: number
}

/** @throws ServerUnavailable when there is no Redis and it can't be installed. */
export async function startRedis(options: RedisOptions): Promise<RedisServer> {
  const folder = resolve(options.folder)
  await clearFolder({ name: 'Redis', folder })
  await haveProgram({
    program: PROGRAM,
    package: 'redis-server',
    remedy: `A local Redis needs "${PROGRAM}" on the PATH. On Debian and Ubuntu: apt-get install redis-server. Or set REDIS_URL to a Redis of yours.`,
    log: options.log,
  })
  const port = options.port || (await freePorts(1))[0]!
  const configuration = join(folder, 'redis.conf')
  await mkdir(folder, { recursive: true })
  const lines: [string, string | number][] = [
    ['bind', HOST],
    ['port', port],
    ['requirepass', quoted(options.password)],
    ['dir', quoted(folder)],
    ['appendonly', 'no'],
    ['save', '""'],
    ['maxmemory', `${options.maxMemoryMb ?? 2_048}mb`],
    ['maxmemory-policy', 'noeviction'],
    ['daemonize', 'no'],
    // Its command line stays what it was, with the folder in it: by that an orphan is known.
    ['set-proc-title', 'no'],
    // Of a setting that is there twice, Redis takes the last.
    ...Object.entries(options.settings ?? {}),
  ]
  await writeFile(configuration, lines.map(([name, value]) => `${name} ${value}\n`).join(''), { mode: 0o600 })
  const server = await startServer(
    { name: 'Redis', folder, program: PROGRAM, args: [configuration] },
    () => answersPing(port, options.password),
    20_000,
  )
  return { ...server, url: `redis://:${encodeURIComponent(options.password)}@${HOST}:${port}`, host: HOST, port }
}

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`

async function answersPing(port: number, password: string): Promise<boolean> {
  const client = new Redis({
    host: HOST,
    port,
    password,
    lazyConnect: true,
    retryStrategy: null,
    maxRetriesPerRequest: 0,
    connectTimeout: 1_000,
  })
  client.on('error', () => {}) // told by `connect`
  try {
    await client.connect()
    return (await client.ping()) === 'PONG'
  } finally {
    client.disconnect()
  }
}
