/**
 * Real Redis servers for tests: one, or a cluster of three, each with a folder and a port of its own; they can be frozen, killed and started again.
 * Nothing is left behind: servers end with the suite's last test, and their folders go with them.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../config.ts'

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** A client of the test's own, for looking and for breaking things. */
  readonly admin: Redis
  freeze(): void
  thaw(): void
  /** Kills it, as a power cut would. */
  kill(): Promise<void>
  /** Starts it again on its port, with what it had saved in its folder. */
  restart(): Promise<void>
}

export interface TestRedis {
  start(options?: { password?: string; args?: readonly string[] }): Promise<RedisServer>
  /** Three masters that share the slots. */
  startCluster(): Promise<RedisServer[]>
}

const START_DEADLINE_MS = 15_000

/** Call inside {@link describeWithRedis}: it registers the hook that ends what was started. */
export function withRedis(): TestRedis {
  const undo: (() => Promise<unknown>)[] = []
  afterAll(async () => {
    for (const step of undo.splice(0).reverse()) await step()
  })

  async function start({ password, args = [] }: { password?: string; args?: readonly string[] } = {}) {
    const folder = await mkdtemp(join(tmpdir(), 'streamforge-redis-'))
    undo.push(() => rm(folder, { recursive: true, force: true }))
    const port = await freePort()
    let child: ChildProcess | undefined
    const admin = new Redis({ port, lazyConnect: true, ...(password && { password }), retryStrategy: () => 50 })
    admin.on('error', () => undefined)

    async function launch(): Promise<void> {
      const all = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--daemonize', 'no']
      child = spawn('redis-server', [...all, ...(password ? ['--requirepass', password] : []), ...args], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let said = ''
      child.stdout!.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-2_000)
      })
      const started = child
      await until(async () => {
        if (started.exitCode !== null) throw new Error(`redis-server ended: ${said}`)
        return said.includes('Ready to accept connections')
      })
      if (admin.status === 'wait') await admin.connect()
      await until(() => admin.ping().then((answer) => answer === 'PONG'))
    }
    const kill = async (): Promise<void> => {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
    undo.push(kill, async () => admin.disconnect())
    await launch()
    return {
      url: `redis://${password ? `:${encodeURIComponent(password)}@` : ''}127.0.0.1:${port}`,
      port,
      admin,
      freeze: () => void child?.kill('SIGSTOP'),
      thaw: () => void child?.kill('SIGCONT'),
      kill,
      restart: launch,
    } satisfies RedisServer
  }

  async function startCluster(): Promise<RedisServer[]> {
    const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--appendonly', 'yes']
    const nodes = await Promise.all([start({ args }), start({ args }), start({ args })])
    const third = Math.ceil(16_384 / 3)
    await Promise.all(
      nodes.map(({ admin }, i) => admin.cluster('ADDSLOTSRANGE', i * third, Math.min(16_384, (i + 1) * third) - 1)),
    )
    for (const [i, { admin }] of nodes.entries()) await admin.cluster('SET-CONFIG-EPOCH', i + 1)
    for (const { port } of nodes.slice(1)) await nodes[0]!.admin.cluster('MEET', '127.0.0.1', port)
    await until(async () => {
      const infos = await Promise.all(nodes.map(({ admin }) => admin.cluster('INFO')))
      return infos.every(
        (info) => String(info).includes('cluster_state:ok') && String(info).includes('cluster_known_nodes:3'),
      )
    })
    return nodes
  }

  return { start, startCluster }
}

/** Waits for a condition; what it throws meanwhile counts as not yet, until the deadline. */
export async function until(condition: () => Promise<boolean>, deadlineMs = START_DEADLINE_MS): Promise<void> {
  const deadline = performance.now() + deadlineMs
  let error: unknown
  while (performance.now() < deadline) {
    try {
      if (await condition()) return
    } catch (cause) {
      error = cause
    }
    await sleep(20)
  }
  throw new Error(`Not so within ${deadlineMs} ms`, { cause: error })
}

/** A suite that needs redis-server: on PATH, else the Debian package where we may install it. Without it a visible skip; under CI a failure. */
export function describeWithRedis(title: string, body: () => void): void {
  if (runs('redis-server', '--version') || (process.getuid?.() === 0 && runs('apt-get', ...INSTALL))) {
    describe(title, body)
  } else if (loadConfig(process.env).ci) {
    it(`${title}: redis-server must be there under CI`, () => expect.unreachable('apt-get install redis-server'))
  } else it.skip(`${title}: redis-server is missing (apt-get install redis-server)`, () => undefined)
}

const INSTALL = ['install', '-y', '--no-install-recommends', 'redis-server']

function runs(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  // The cluster's own port is 10,000 higher and must exist too.
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    await new Promise((resolve) => server.close(resolve))
    if (port <= 55_535) return port
  }
}
