/**
 * How this process speaks with Kafka: one configuration of kafkajs, its log lines on ours, and the access to a cluster's metadata that kafkajs gives to
 * partition assigners only.
 */
import { createRequire } from 'node:module'
import kafkajs, {
  type Assigner,
  type Cluster,
  type ISocketFactory,
  Kafka,
  type KafkaConfig,
  type LogEntry,
  logLevel,
  type SASLOptions,
} from 'kafkajs'
import type { Logger } from '../../../observability/log.ts'
import { registerCodecs } from './compression.ts'
import { replaceEncoder } from './encode.ts'

/** Named exports of this CommonJS module that Node does not see. */
export const { KafkaJSNonRetriableError, KafkaJSProtocolError } = kafkajs

export interface KafkaConnection {
  /** `host:port` each. */
  brokers: readonly string[]
  clientId: string
  sasl?: { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; password: string }
  tls?: boolean
  logger?: Logger
}

/** What kafkajs does by itself is short: who waits for Kafka, and how long, is decided by our own code above it. */
export const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, multiplier: 2, factor: 0.2, retries: 3 } as const
export const REQUEST_TIMEOUT_MS = 5_000
const CONNECTION_TIMEOUT_MS = 2_000

/**
 * For a consumer: it must outlast an outage of any length as the member it is, because giving up means to join its group again as a stranger. So kafkajs connects
 * for ever, until `ended` says so: without brokers to try, it stops.
 */
export const patientClient = (connection: KafkaConnection, ended: () => boolean): Kafka =>
  createClient(connection, {
    brokers: () => (ended() ? [] : [...connection.brokers]),
    retry: { ...RETRY, retries: Number.MAX_SAFE_INTEGER },
  })

/** A client of its own for each consumer: consumers of one client share their groups' offsets, and forget each other's. */
export function createClient(connection: KafkaConnection, overrides: Partial<KafkaConfig> = {}): Kafka {
  const { brokers, clientId, sasl, tls = false, logger } = connection
  repairTimers()
  registerCodecs()
  replaceEncoder()
  return new Kafka({
    brokers: [...brokers],
    clientId,
    ssl: tls,
    // The union of mechanisms is too deep for a spread to keep it.
    ...(sasl ? { sasl: sasl as SASLOptions } : {}),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    socketFactory: patientSockets(),
    retry: RETRY,
    logLevel: logger ? logLevel.INFO : logLevel.NOTHING,
    logCreator: () => (logger ? logTo(logger) : () => {}),
    ...overrides,
  })
}

const REPEATED_AFTER_MS = 30_000

/**
 * Its errors are attempts that will be made again, and its warnings what a group does all day: both are a level too loud. What it says over and over is said once
 * in a while.
 */
function logTo(logger: Logger): (entry: LogEntry) => void {
  const saidMs = new Map<string, number>()
  return ({ level, namespace, log }) => {
    const { message, timestamp: _, logger: __, stack: ___, ...rest } = log
    const line = { part: `kafkajs ${namespace}`, ...rest }
    const now = performance.now()
    const repeated = now - (saidMs.get(namespace) ?? Number.NEGATIVE_INFINITY) < REPEATED_AFTER_MS
    // A coordinator that still loads, or has moved, and a group that shares its partitions anew are everyday answers; so is the end that we ask for.
    const everyday = /coordinator|rebalanc|the subscription stops/.test(`${log.error ?? ''} ${message}`)
    if (level !== logLevel.ERROR || repeated || everyday) return logger.debug(line, message)
    saidMs.set(namespace, now)
    logger.warn(line, message)
  }
}

/** The methods of a cluster that are there, although the types leave them or their arguments out. */
export interface ClusterInternals extends Omit<Cluster, 'metadata' | 'findBroker'> {
  metadata(options: { topics: string[] }): Promise<{ clusterId: string }>
  findBroker(node: { nodeId: string | number }): Promise<BrokerInternals>
}

export interface FetchedRecord {
  offset: string
  timestamp: string
  key: Buffer | null
  value: Buffer | null
  headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined>
  isControlRecord?: boolean
}

export interface BrokerInternals {
  fetch(request: {
    maxWaitTime: number
    minBytes: number
    maxBytes: number
    isolationLevel: number
    topics: { topic: string; partitions: { partition: number; fetchOffset: string; maxBytes: number }[] }[]
  }): Promise<{ responses: { partitions: { highWatermark: string; messages: FetchedRecord[] }[] }[] }>
}

/** A cluster of the client, not yet connected. kafkajs hands it to the assigners of a consumer, and so does this one, which never runs. */
export function clusterOf(client: Kafka): ClusterInternals {
  let captured: Cluster | undefined
  client.consumer({
    groupId: 'none',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }) => {
        captured = cluster
        return { name: 'none', version: 0 } as Assigner
      },
    ],
  })
  return captured as unknown as ClusterInternals // see ClusterInternals
}

/**
 * kafkajs lets go of a socket (`unref`) each time it gives up a request on it, and Node keeps a listener for each time that the socket was already closed. They
 * go with the socket: no leak to be warned of.
 */
function patientSockets(): ISocketFactory {
  const original = createRequire(import.meta.url)('kafkajs/src/network/socketFactory') as () => ISocketFactory
  const open = original()
  return (args) => open(args).setMaxListeners(0)
}

interface RequestQueue {
  pending: readonly unknown[]
  scheduleCheckPendingRequests(): void
}

let repaired = false

/**
 * kafkajs 2.2.4 sets a timer of negative length after each answer when no request waits (its issue 1751): newer Nodes warn of it, and all spend a
 * timer on nothing. Without a waiting request there is nothing to check.
 */
function repairTimers(): void {
  if (repaired) return
  repaired = true
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as {
    prototype: RequestQueue
  }
  const original = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) original.call(this)
  }
}
