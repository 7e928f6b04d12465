/**
 * `streamforge streams`: the live computation as a process of its own. Any number of them share the partitions of the log; each stops by draining first.
 */
import type { Logger } from '../../observability/log.ts'
import { createRegistry } from '../../observability/metrics.ts'
import { TOPICS } from '../../streams/contract/topics.ts'
import { OffsetOutOfRange } from '../../streams/log/event-log.ts'
import { startStreams } from '../../streams/main.ts'
import { openStores, storeSettings } from '../../streams/stores.ts'
import { watchTasks } from '../../streams/task-health.ts'
import type { Clock } from '../../streams/time/clock.ts'
import { checkBelonging, EDGE_WRITES, STREAMS_WRITE } from '../belonging.ts'
import { openDatabase } from '../database.ts'
import { FOREIGN_USAGE, requireForeignTopics } from '../foreign-topics.ts'
import { defineRole, METRICS_USAGE } from '../role-process.ts'
import { requireTopics } from '../topics.ts'

export const streams = defineRole({
  name: 'streams',
  usage: `streamforge streams [options]

Computes windows, sessions, features and alerts from the log, until SIGTERM or Ctrl-C; then what was computed is written and checkpointed, and the partitions are
handed back. Needs DATABASE_URL; KAFKA_BROKERS and REDIS_URL name the cluster's log and feature store.

${METRICS_USAGE}
  --data DIR        where checkpoints are kept (default: STREAMFORGE_DATA_DIR, else ./data); the same for all streams processes
${FOREIGN_USAGE}`,
  says: {
    run: 'The streams run',
    need: 'The streams need',
    stopped: 'The streams have stopped',
    tooLate: 'Kafka did not let the streams go in time; what was not written is computed again from the log',
  },
  takesForeignTopics: true,
  expects: [OffsetOutOfRange],
  async prepare({ config, databaseUrl, logger, metrics, clock, owner }) {
    await requireTopics(config, TOPICS, logger)
    const stores = { ...storeSettings(config), foreign: await requireForeignTopics(config, logger) }
    await checkOwnership(databaseUrl, stores, { logger, clock })
    const tasks = watchTasks({ owner, clock })
    const { currency } = config
    return {
      health: tasks,
      start: () =>
        startStreams({ stores, databaseUrl, currency, owner, logger, metrics, observer: tasks.observer, clock }),
    }
  },
})

/** Before anything is computed: the database is there, migrated, and belongs to this log. */
async function checkOwnership(
  databaseUrl: string,
  settings: ReturnType<typeof storeSettings>,
  deps: { logger: Logger; clock: Clock },
): Promise<void> {
  const database = await openDatabase(databaseUrl, 'DATABASE_URL', { max: 1, name: 'streamforge-streams-start' })
  try {
    const stores = await openStores(settings, { ...deps, metrics: createRegistry() })
    try {
      const writes = settings.foreign?.length ? new Map([...EDGE_WRITES, ...STREAMS_WRITE]) : STREAMS_WRITE
      await checkBelonging(database.sql, stores, settings, writes)
    } finally {
      await stores.close()
    }
  } finally {
    await database.close()
  }
}
