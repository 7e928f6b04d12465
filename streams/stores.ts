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
import { OBJECTS_FOLDER, type ObjectsSettings, objectsSettings } from '../db/objects/open.ts'
import type { Logger } from '../observability/log.ts'
import type { Registry } from '../observability/metrics.ts'
import type { SchemaRegistry } from './contract/codec.ts'
import type { SubjectRegistry } from './contract/schema-registry.ts'
import { TOPICS } from './contract/topics.ts'
import { type ForeignTopic, foreignLogTopics } from './foreign/foreign-topic.ts'
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
  /** Topics of other producers that the streams read, and that the embedded log has to hold. */
  foreign?: readonly ForeignTopic[]
  /** Where checkpoints are kept; missing: a folder of the data folder. */
  objects?: ObjectsSettings
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
  const { redis } = settings
  /** Undone in reverse. */
  const opened: (() => unknown)[] = []
  const close = async (): Promise<void> => {
    for (let undo = opened.pop(); undo; undo = opened.pop()) await undo()
  }
  try {
    const { log, trim } = await openLog(settings, deps)
    opened.push(() => log.close())
    const { registry, schemas, close: closeRegistry } = openSchemas(settings)
    opened.push(closeRegistry)
    const features = redis
      ? createRedisFeatures({ ...redis, onError: countRedisErrors(deps.metrics) })
      : await openEmbeddedFeatures(folderOf(settings, 'features'))
    opened.push(() => features.close())
    return { log, registry, ...(schemas && { schemas }), features, trim, close }
  } catch (error) {
    await close()
    throw error
  }
}

const folderOf = ({ dataDir }: StoreSettings, name: keyof typeof EMBEDDED_FOLDERS): string =>
  join(dataDir, EMBEDDED_FOLDERS[name])

/** The log alone, for who needs no more. */
export async function openLog(
  settings: StoreSettings,
  { logger, clock }: { logger?: Logger; clock: Clock },
): Promise<Pick<Stores, 'log' | 'trim'>> {
  const { kafka } = settings
  if (kafka) return { log: await openKafkaLog({ ...kafka, ...(logger && { logger }), clock }), trim: async () => 0 }
  const topics = [...TOPICS, ...foreignLogTopics(settings.foreign ?? [])]
  const log = await openEmbeddedLog({ folder: folderOf(settings, 'log'), topics, clock })
  return { log, trim: () => log.trim() }
}

/** The schema registry alone. */
export function openSchemas(
  settings: StoreSettings,
): Pick<Stores, 'registry' | 'schemas'> & { close(): Promise<void> } {
  if (settings.registryUrl !== undefined) {
    return { registry: createConfluentRegistry({ url: settings.registryUrl }), close: async () => {} }
  }
  const embedded = openEmbeddedRegistry(folderOf(settings, 'registry'))
  return { registry: embedded, schemas: embedded, close: () => embedded.close() }
}
