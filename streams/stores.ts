/**
 * Which stores this process works on: the embedded ones of a data folder, or the cluster's, each by its own setting. The jobs don't know the difference.
 * Sits under the composition roots of edge and streams. Invariants: what is opened here is closed here, in reverse, once; the clients of servers are loaded where one is used: they are half of what a start
 * of the embedded form would load, in each of its threads.
 */
import { join } from 'node:path'
import { type Config, kafkaConnectionOf } from '../db/config.ts'
import { openEmbeddedFeatures } from '../db/features/embedded.ts'
import type { FeatureStore, FeaturesIn } from '../db/features/feature-store.ts'
import { OBJECTS_FOLDER, type ObjectsSettings, objectsSettings } from '../db/objects/open.ts'
import type { Logger } from '../observability/log.ts'
import type { LogSystem } from '../observability/messaging.ts'
import type { Registry } from '../observability/metrics.ts'
import type { SchemaRegistry } from './contract/codec.ts'
import type { SubjectRegistry } from './contract/schema-registry.ts'
import { TOPICS, type Topic } from './contract/topics.ts'
import { type ForeignTopic, foreignLogTopics } from './foreign/foreign-topic.ts'
import { openEmbeddedLog } from './log/embedded.ts'
import { openEmbeddedRegistry } from './log/embedded-registry.ts'
import type { EventLog } from './log/event-log.ts'
import type { KafkaConnection } from './log/kafka.ts'
import type { Clock } from './time/clock.ts'

/** Plain data, so that it can be handed to a thread. Holds secrets: not for logs. */
export interface StoreSettings {
  dataDir: string
  kafka: (Omit<KafkaConnection, 'logger'> & { gzip: boolean; sessionTimeoutMs: number; heartbeatMs: number }) | null
  redis: { url: string; cluster: boolean } | null
  /** Of a registry elsewhere; missing: the embedded one. */
  registryUrl?: string
  /** Topics of other producers that the streams read, and that the embedded log has to hold. */
  foreign?: readonly ForeignTopic[]
  /** What the embedded log has to hold besides. */
  topics?: readonly Topic[]
  /** Where checkpoints are kept; missing: a folder of the data folder. */
  objects?: ObjectsSettings
}

export interface Stores {
  log: EventLog
  /** Which log it is, for traces. */
  logSystem: LogSystem
  registry: SchemaRegistry
  /** The registry again, where it is the embedded one: for serving it. */
  schemas?: SubjectRegistry
  features: FeatureStore
  /** What `features` is, for traces and metrics. */
  featuresIn: FeaturesIn
  /** Removes what is beyond its retention, where nobody else does. @returns how many records */
  trim(): Promise<number>
  close(): Promise<void>
}

/** Where the stores of the embedded form lie in the data folder. */
export const EMBEDDED_FOLDERS = {
  log: 'log',
  registry: 'registry',
  features: 'features',
  objects: OBJECTS_FOLDER,
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
    objects: objectsSettings(config),
  }
}

export async function openStores(
  settings: StoreSettings,
  deps: { logger: Logger; metrics: Registry; clock: Clock },
): Promise<Stores> {
  const { kafka, redis } = settings
  /** Undone in reverse. */
  const opened: (() => unknown)[] = []
  const close = async (): Promise<void> => {
    for (let undo = opened.pop(); undo; undo = opened.pop()) await undo()
  }
  try {
    const { log, trim } = await openLog(settings, deps)
    opened.push(() => log.close())
    const { registry, schemas, close: closeRegistry } = await openSchemas(settings)
    opened.push(closeRegistry)
    const features = redis
      ? await openRedisFeatures(redis, deps.metrics)
      : await openEmbeddedFeatures(folderOf(settings, 'features'))
    opened.push(() => features.close())
    return {
      log,
      logSystem: kafka ? 'kafka' : 'streamforge',
      registry,
      ...(schemas && { schemas }),
      features,
      featuresIn: redis ? 'redis' : 'lmdb',
      trim,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

const folderOf = ({ dataDir }: StoreSettings, name: keyof typeof EMBEDDED_FOLDERS): string =>
  join(dataDir, EMBEDDED_FOLDERS[name])

async function openRedisFeatures(redis: NonNullable<StoreSettings['redis']>, metrics: Registry): Promise<FeatureStore> {
  const { createRedisFeatures } = await import('../db/features/redis.ts')
  const { countRedisErrors } = await import('../db/features/redis-client.ts')
  return createRedisFeatures({ ...redis, onError: countRedisErrors(metrics) })
}

/** The log alone, for who needs no more. */
export async function openLog(
  settings: StoreSettings,
  { logger, clock }: { logger?: Logger; clock: Clock },
): Promise<Pick<Stores, 'log' | 'trim'>> {
  const { kafka } = settings
  if (kafka) {
    const { openKafkaLog } = await import('./log/kafka.ts')
    return { log: await openKafkaLog({ ...kafka, ...(logger && { logger }), clock }), trim: async () => 0 }
  }
  const topics = [...TOPICS, ...(settings.topics ?? []), ...foreignLogTopics(settings.foreign ?? [])]
  const log = await openEmbeddedLog({ folder: folderOf(settings, 'log'), topics, clock })
  return { log, trim: () => log.trim() }
}

/** The schema registry alone. */
export async function openSchemas(
  settings: StoreSettings,
): Promise<Pick<Stores, 'registry' | 'schemas'> & { close(): Promise<void> }> {
  if (settings.registryUrl !== undefined) {
    const { createConfluentRegistry } = await import('./log/confluent-registry.ts')
    return { registry: createConfluentRegistry({ url: settings.registryUrl }), close: async () => {} }
  }
  const embedded = openEmbeddedRegistry(folderOf(settings, 'registry'))
  return { registry: embedded, schemas: embedded, close: () => embedded.close() }
}
