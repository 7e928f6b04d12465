/**
 * A connection to one Redis, or to a Redis Cluster, for the feature store.
 *
 * Invariant: whatever happens to the server, a call ends within its deadline: with an answer, or with `FeaturesUnavailable` and a count. Nothing is queued
 * while the server is away, so an outage costs no memory; the connection comes back by itself, with a growing pause.
 */
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { Counter, type Registry } from 'prom-client'
import { FeaturesUnavailable } from './feature-store.ts'
import { parseRedisUrls } from './redis-url.ts'

export interface RedisTarget {
  /** `redis://[user:password@]host[:port][/db]`, or `rediss://` for TLS. For a cluster, some of its nodes with commas between them. */
  url: string
  cluster?: boolean
  /** Called for each failed call, and each failure of a connection. */
  onError?: (operation: RedisOperation, error: Error) => void
  /** How long one round trip may take, waiting for the connection included. */
  deadlineMs?: number
}

export const REDIS_OPERATIONS = ['connect', 'read', 'write', 'generation', 'set_generation'] as const
export type RedisOperation = (typeof REDIS_OPERATIONS)[number]

/** @returns an `onError` that counts `streamforge_redis_errors_total`. */
export function countRedisErrors(register: Registry): (operation: RedisOperation) => void {
  const errors = new Counter({
    name: 'streamforge_redis_errors_total',
    help: 'Calls to Redis that failed, by operation; connect: a connection was refused or broke.',
    labelNames: ['operation'],
    registers: [register],
  })
  for (const operation of REDIS_OPERATIONS) errors.inc({ operation }, 0)
  return (operation) => errors.inc({ operation })
}

export interface RedisConnection {
  readonly client: Redis | Cluster
  /** Runs a round trip once the connection is there. @throws FeaturesUnavailable */
  call<T>(operation: RedisOperation, trip: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

const DEADLINE_MS = 2_000
/** A socket on which an answer is awaited so long is given up. */
const SOCKET_TIMEOUT_MS = 3_000
const NODE_RETRY_MAX_MS = 3_000

/** Connects in the background. @throws Error when the URL is none */
export function connectRedis(target: RedisTarget): RedisConnection {
  const { onError, deadlineMs = DEADLINE_MS } = target
  const nodes = parseRedisUrls(target.url)
  const names = nodes.map(({ hostname, port }) => `${hostname}:${port || 6379}`).join(', ')
  const client = target.cluster ? openCluster(nodes) : openSingle(nodes)
  /** Calls that wait for the connection. */
  const waiting = new Set<() => void>()
  let connectionError: Error | null = null
  let closing: Promise<void> | null = null

  client.on('ready', () => {
    connectionError = null
    for (const go of waiting) go()
  })
  client.on('error', (error: Error) => {
    // A cluster says only that it reached none of its nodes, and keeps the reason beside.
    connectionError = (error as { lastNodeError?: Error }).lastNodeError ?? error
    onError?.('connect', connectionError)
  })
  if (client instanceof Cluster) client.on('node error', (error: Error) => onError?.('connect', error))

  async function call<T>(operation: RedisOperation, trip: () => Promise<T>): Promise<T> {
    let wake: () => void = () => undefined
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(connectionError ?? new Error(`No answer within ${deadlineMs} ms`)), deadlineMs)
    })
    const ready = new Promise<void>((resolve) => {
      wake = resolve
      if (client.status === 'ready') resolve()
      else waiting.add(resolve)
    })
    try {
      await Promise.race([ready, late])
      return await Promise.race([trip(), late])
    } catch (error) {
      const failure = new FeaturesUnavailable(
        `Redis at ${names} could not ${SENTENCES[operation]}: ${(error as Error).message}. If it should be running, look at it there; REDIS_URL says where it is.`,
        { cause: error },
      )
      onError?.(operation, failure)
      throw failure
    } finally {
      clearTimeout(timer)
      waiting.delete(wake)
    }
  }

  async function close(): Promise<void> {
    if (client.status === 'ready') {
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, deadlineMs)
      })
      await Promise.race([client.quit().catch(() => undefined), late])
      clearTimeout(timer)
    }
    client.disconnect()
  }

  return { client, call, close: () => (closing ??= close()) }
}

const SENTENCES: Record<RedisOperation, string> = {
  connect: 'be reached',
  read: 'be asked for features',
  write: 'take features',
  generation: 'be asked for its generation',
  set_generation: 'take its generation',
}

const common = (node: URL) =>
  ({
    ...(node.username && { username: decodeURIComponent(node.username) }),
    ...(node.password && { password: decodeURIComponent(node.password) }),
    ...(node.protocol === 'rediss:' && { tls: {} }),
    connectionName: 'streamforge',
    connectTimeout: SOCKET_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    // What was under way when a connection broke is an error at once: whoever asked tries again, and knows the state.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  }) satisfies RedisOptions

function openSingle([node]: readonly URL[]): Redis {
  return new Redis({
    ...common(node!),
    host: node!.hostname.replace(/^\[|\]$/g, ''),
    port: Number(node!.port || 6379),
    db: Number(node!.pathname.slice(1) || 0),
    enableOfflineQueue: false,
    // After a failover behind one name, the old server refuses writes: look up the name again.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  })
}

function openCluster(nodes: readonly URL[]): Cluster {
  return new Cluster(
    nodes.map((node) => ({ host: node.hostname.replace(/^\[|\]$/g, ''), port: Number(node.port || 6379) })),
    {
      redisOptions: common(nodes[0]!),
      enableOfflineQueue: false,
      // A node that restarts and keeps its slots is connected again at once, not when the slots are next looked up.
      clusterNodeRetryStrategy: (times) => Math.min(times * 100, NODE_RETRY_MAX_MS),
      // Certificates are for names, so names must reach the TLS layer.
      ...(nodes[0]!.protocol === 'rediss:' && { dnsLookup: (address, done) => done(null, address) }),
    },
  )
}
