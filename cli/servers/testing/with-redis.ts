/**
 * Real Redis servers for tests: single ones, or a cluster of three, that can be frozen, killed and started again. Nothing is left behind: they end with the
 * suite's last test, and their folders go with them; what a killed run left is swept by the next. A Redis that can't be had is a visible skip that says why;
 * under CI it is a failure.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeEach, type TestContext } from 'vitest'
import { loadConfig } from '../../../db/config.ts'
import { isAlive } from '../../../db/process.ts'
import { ServerUnavailable } from '../cache.ts'
import { clearFolder, freePorts } from '../process.ts'
import { type RedisServer, startRedis } from '../redis.ts'

export interface TestRedis {
  /** With the password. */
  readonly url: string
  readonly port: number
  readonly password: string
  /** A client of the test's own, for looking and for breaking things. */
  readonly admin: Redis
  freeze(): void
  thaw(): void
  /** Ends it as a power cut would. */
  kill(): Promise<void>
  /** Starts it again on its port, with what it had saved in its folder. */
  restart(): Promise<void>
}

export interface RedisServers {
  start(settings?: Readonly<Record<string, string>>): Promise<TestRedis>
  /** Three masters that share the slots. */
  startCluster(): Promise<TestRedis[]>
}

const PREFIX = 'streamforge-test-redis-'
const NAME = 'redis'
const PASSWORD = 'se cret/ü'
const DEADLINE_MS = 15_000

/**
 * Call at the top of a test file (or a describe): it registers the hooks.
 * @param prepare runs once, before the first test, where there is a Redis
 */
export function withRedis(prepare?: (servers: RedisServers) => Promise<void>): RedisServers {
  const undo: (() => Promise<unknown>)[] = []
  let prepared = false
  let missing: string | undefined

  // Before each and not before all: only a test can be skipped with a reason.
  beforeEach(async (context: TestContext) => {
    if (!prepared && missing === undefined) {
      await sweep()
      try {
        await prepare?.(servers)
        prepared = true
      } catch (error) {
        if (!(error instanceof ServerUnavailable) || loadConfig(process.env).ci) throw error
        missing = error.message
      }
    }
    if (missing !== undefined) context.skip(missing)
  }, 120_000)
  afterAll(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })

  async function start(settings: Readonly<Record<string, string>> = {}): Promise<TestRedis> {
    const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
    undo.push(() => rm(folder, { recursive: true, force: true }))
    const port = await freeRedisPort()
    let server: RedisServer | undefined
    const launch = async (): Promise<RedisServer> => {
      server = await startRedis({ folder: join(folder, NAME), port, password: PASSWORD, settings })
      return server
    }
    undo.push(async () => server?.kill())
    const { url } = await launch()
    const admin = new Redis({ port, password: PASSWORD, retryStrategy: () => 50 })
    admin.on('error', () => undefined) // the commands tell
    undo.push(async () => admin.disconnect())
    const signal = (name: NodeJS.Signals) => process.kill(server!.pid, name)
    return {
      url,
      port,
      password: PASSWORD,
      admin,
      freeze: () => void signal('SIGSTOP'),
      thaw: () => void signal('SIGCONT'),
      kill: async () => server?.kill(),
      async restart() {
        await launch()
        await until(async () => (await admin.ping()) === 'PONG')
      },
    }
  }

  async function startCluster(): Promise<TestRedis[]> {
    const settings = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '2000', appendonly: 'yes' }
    const nodes = await Promise.all([start(settings), start(settings), start(settings)])
    const third = Math.ceil(16_384 / 3)
    for (const [i, { admin }] of nodes.entries()) {
      await admin.cluster('ADDSLOTSRANGE', i * third, Math.min(16_384, (i + 1) * third) - 1)
      await admin.cluster('SET-CONFIG-EPOCH', i + 1)
    }
    for (const { port } of nodes.slice(1)) await nodes[0]!.admin.cluster('MEET', '127.0.0.1', port)
    await until(async () => {
      const infos = await Promise.all(nodes.map(async ({ admin }) => String(await admin.cluster('INFO'))))
      return infos.every((info) => info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3'))
    })
    return nodes
  }

  const servers: RedisServers = { start, startCluster }
  return servers
}

/** Waits for a condition; what it throws meanwhile counts as not yet, until the deadline. */
export async function until(condition: () => Promise<boolean>, deadlineMs = DEADLINE_MS): Promise<void> {
  const deadline = performance.now() + deadlineMs
  let error: unknown
  while (performance.now() < deadline) {
    try {
      if (await condition()) return
    } catch (cause) {
      error = cause
    }
    await delay(20)
  }
  throw new Error(`Not so within ${deadlineMs} ms`, { cause: error })
}

/** The bus of a cluster has the port 10,000 higher, which must exist too. */
async function freeRedisPort(): Promise<number> {
  for (;;) {
    const [port] = await freePorts(1)
    if (port! <= 55_535) return port!
  }
}

/** Stops servers and removes folders of test processes that were killed. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length).split('-')[0]) : Number.NaN
    if (!(pid > 0) || isAlive(pid)) continue
    const folder = join(tmpdir(), name)
    await clearFolder({ name: 'Redis', folder: join(folder, NAME) })
    await rm(folder, { recursive: true, force: true })
  }
}
