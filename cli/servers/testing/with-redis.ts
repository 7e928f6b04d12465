/**
 * Real Redis servers for tests: single ones, or a cluster of three, that can be frozen, killed and started again. Nothing is left behind: they end with the
 * suite's last test, and their folders go with them; what a killed run left is swept by the next. A Redis that can't be had is a visible skip that says why;
 * under CI it is a failure.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll } from 'vitest'
import { freePorts, isFree, PORTS } from '../process.ts'
import { type RedisServer, startRedis } from '../redis.ts'
import { makeTestFolder, onceOrSkip, sweep, type TestServer } from './once-or-skip.ts'

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

const SERVER: TestServer = { kind: 'redis', name: 'Redis', folder: 'redis' }
const PASSWORD = 'se cret/ü'
const DEADLINE_MS = 15_000

/**
 * Call at the top of a test file (or a describe): it registers the hooks.
 * @param prepare runs once, before the first test, where there is a Redis
 */
export function withRedis(prepare?: (servers: RedisServers) => Promise<void>): RedisServers {
  const undo: (() => Promise<unknown>)[] = []

  onceOrSkip(async () => {
    await sweep(SERVER)
    await prepare?.(servers)
  }, 120_000)
  afterAll(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })

  async function start(settings: Readonly<Record<string, string>> = {}): Promise<TestRedis> {
    const folder = await makeTestFolder(SERVER)
    undo.push(() => rm(folder, { recursive: true, force: true }))
    const port = await freeRedisPort()
    let server: RedisServer | undefined
    const launch = async (): Promise<RedisServer> => {
      server = await startRedis({ folder: join(folder, SERVER.folder), port, password: PASSWORD, settings })
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

/** The bus of a cluster has the port 10,000 higher, which must be free too, and stay so while a node is away. */
async function freeRedisPort(): Promise<number> {
  for (;;) {
    const [port] = await freePorts(1)
    const bus = port! + 10_000
    if (bus < PORTS.end && (await isFree(bus))) return port!
  }
}
