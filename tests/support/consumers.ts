/**
 * Consumers of one group that come and go while a history is being read: the real runtime over Kafka, Redis and PostgreSQL, in this process, each with
 * connections of its own. A valve holds them back, so that a rebalance comes in the middle and not after the end.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { createRedisFeatures } from '../../db/features/redis.ts'
import type { ObjectStore } from '../../db/objects/object-store.ts'
import { connect } from '../../db/postgres/connect.ts'
import { createManifestStore } from '../../db/postgres/manifest-store.ts'
import { createResultStore } from '../../db/postgres/result-store.ts'
import type { SchemaRegistry } from '../../streams/contract/codec.ts'
import type { EventLog } from '../../streams/log/event-log.ts'
import { openKafkaLog } from '../../streams/log/kafka.ts'
import { type RuntimeSettings, StreamRuntime } from '../../streams/runtime/runtime.ts'
import { systemClock } from '../../streams/time/clock.ts'
import { TOPOLOGY } from '../../streams/topology.ts'

/** Lets records pass up to a limit, and then a trickle: a consumer that stood still could not take part in a rebalance. */
export class Valve {
  /** Records that may pass at full speed. */
  limit = 0
  /** Records that have passed, of all consumers. */
  passed = 0

  async pass(records: number): Promise<void> {
    if (this.passed >= this.limit) await delay(TRICKLE_MS)
    this.passed += records
  }
}

const TRICKLE_MS = 500
const BATCH_RECORDS = 10

export interface Ground {
  brokers: readonly string[]
  databaseUrl: string
  redisUrl: string
  objects: ObjectStore
  registry: SchemaRegistry
}

export interface Consumer {
  readonly runtime: StreamRuntime
  /** Leaves in order. @throws whatever the runtime failed with */
  leave(): Promise<void>
}

export async function startConsumer(
  { brokers, databaseUrl, redisUrl, objects, registry }: Ground,
  valve: Valve,
  settings: Partial<RuntimeSettings>,
): Promise<Consumer> {
  const log = await openKafkaLog({ brokers, clientId: 'consumer', maxBatchRecords: BATCH_RECORDS, fetchWaitMs: 50 })
  const database = connect(databaseUrl, { max: 3 })
  const features = createRedisFeatures({ url: redisUrl })
  const runtime = new StreamRuntime(
    {
      log: held(log, valve),
      registry,
      features,
      objects,
      results: createResultStore(database.sql),
      manifests: createManifestStore(database.sql),
      topology: TOPOLOGY,
      clock: systemClock,
    },
    settings,
  )
  const done = runtime.run()
  // Told by `leave`.
  done.catch(() => undefined)
  return {
    runtime,
    async leave() {
      try {
        await runtime.stop(60_000)
        await done
      } finally {
        await log.close()
        await features.close()
        await database.close()
      }
    },
  }
}

/** The log, with every batch going through the valve. */
const held = (log: EventLog, valve: Valve): EventLog => ({
  ...log,
  subscribe(group, topics) {
    const subscription = log.subscribe(group, topics)
    return {
      ...subscription,
      run: (handler) =>
        subscription.run({
          ...handler,
          async batch(batch) {
            await valve.pass(batch.records.length)
            await handler.batch(batch)
          },
        }),
    }
  },
})
