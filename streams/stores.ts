/**
 * Which stores this process works on: the embedded ones of a data folder, or the cluster's, each by its own setting. The jobs don't know the difference.
 * Sits under the composition roots of edge and streams. Invariant: what is opened here is closed here, in reverse, once.
 */
import { join } from 'node:path'
import { type Config, kafkaConnectionOf } from '../db/config.ts'
import { openEmbeddedFeatures } from '../db/features/embedded.ts'
import type { FeatureStore } from '../db/features/feature-store.ts'
import { createRedisFeatures } from '../db/features/redis.ts'
import { countRedisErrors } from '../db/features/redis-client.ts'
import type { Logger } from '../observability/log.ts'
import type { Registry } from '../observability/metrics.ts'
import type { SchemaRegistry } from './contract/codec.ts'
import type { SubjectRegistry } from './contract/schema-registry.ts'
import { createConfluentRegistry } from './log/confluent-registry.ts'
import { openEmbeddedLog } from './log/embedded.ts'
import { openEmbeddedRegistry } from './log/embedded-registry.ts'
import type { EventLog } from './log/event-log.ts'
import { type KafkaConnection, openKafkaLog } from './log/kafka.ts'
import type { Clock } from './time/clock.ts'

/** Plain data, so that it can be handed to a thread. Holds secrets: not for logs. */
export interface StoreSettings {
  dataDir: string
  kafka: (Omit<KafkaConnection, 'logger'> & { gzip: boolean; sessionTimeoutMs: number; heartbeatMs: number }) | null
  redis: { url: string; cluster: boolean } | null
  /** Of a registry elsewhere; missing: the embedded one. */
  registryUrl?: string
}

export interface Stores {
  log: EventLog
  registry: SchemaRegistry
  /** The registry again, where it is the embedded one: for serving it. */
  schemas?: SubjectRegistry
  features: FeatureStore
  /** Removes what is beyond its retention, where nobody else does. @returns how many records */
  trim(): Promise<number>
  close(): Promise<void>
}

/** Where the stores of the embedded form lie in the data folder. */
export const EMBEDDED_FOLDERS = {
  log: 'log',
  registry: 'registry',
  features: 'features',
  objects: 'objects',
  postgres: 'postgres',
} as const

export function storeSettings(config: Config): StoreSettings {
  const { kafkaBrokers, redisUrl } = config
  return {
    dataDir: config.dataDir,
    kafka:
      kafkaBrokers.length === 0
        ? null
        : {
            ...kafkaConnectionOf(config),
            sessionTimeoutMs: config.kafkaSessionTimeoutMs,
            // Several may be lost before the session is.
            heartbeatMs: Math.min(1_000, config.kafkaSessionTimeoutMs / 4),
          },
    redis: redisUrl ? { url: redisUrl.reveal(), cluster: config.redisCluster } : null,
    ...(config.schemaRegistryUrl && { registryUrl: config.schemaRegistryUrl.reveal() }),
  }
}

export async function openStores(
  settings: StoreSettings,
  deps: { logger: Logger; metrics: Registry; clock: Clock },
): Promise<Stores> {
  const { kafka, redis } = settings
  const { logger, metrics, clock } = deps
  const folder = (name: keyof typeof EMBEDDED_FOLDERS): string => join(settings.dataDir, EMBEDDED_FOLDERS[name])
  /** Undone in reverse. */
  const opened: (() => unknown)[] = []
  const close = async (): Promise<void> => {
    for (let undo = opened.pop(); undo; undo = opened.pop()) await undo()
  }
  try {
    let trim = async (): Promise<number> => 0
    let log: EventLog
    if (kafka) log = await openKafkaLog({ ...kafka, logger, clock })
    else {
      const embedded = await openEmbeddedLog({ folder: folder('log'), clock })
      trim = () => embedded.trim()
      log = embedded
    }
    opened.push(() => log.close())
    let registry: SchemaRegistry
    let schemas: SubjectRegistry | undefined
    if (settings.registryUrl !== undefined) registry = createConfluentRegistry({ url: settings.registryUrl })
    else {
      const embedded = openEmbeddedRegistry(folder('registry'))
      opened.push(() => embedded.close())
      registry = schemas = embedded
    }
    const features = redis
      ? createRedisFeatures({ ...redis, onError: countRedisErrors(metrics) })
      : await openEmbeddedFeatures(folder('features'))
    opened.push(() => features.close())
    return { log, registry, ...(schemas && { schemas }), features, trim, close }
  } catch (error) {
    await close()
    throw error
  }
}
