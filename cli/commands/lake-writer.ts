/** `streamforge lake-writer`: the writer of the lake's tables as a process of its own. Any number of them share the partitions; each commits what it holds before it ends. */
import { TOPICS } from '../../streams/contract/topics.ts'
import { watchLake } from '../../streams/lake-writer/health.ts'
import { lakeSettings } from '../../streams/lake-writer/settings.ts'
import { startLakeWriter } from '../../streams/lake-writer/start.ts'
import { openLog, openSchemas, type StoreSettings, storeSettings } from '../../streams/stores.ts'
import type { Clock } from '../../streams/time/clock.ts'
import { checkBelonging } from '../belonging.ts'
import { openDatabase } from '../database.ts'
import { FOREIGN_USAGE, requireForeignTopics } from '../foreign-topics.ts'
import { defineRole, METRICS_USAGE } from '../role-process.ts'
import { requireTopics } from '../topics.ts'

export const lakeWriter = defineRole({
  name: 'lake-writer',
  usage: `streamforge lake-writer [options]

Writes every record of the log into Iceberg tables (raw.*, marketing_events.*), each once, until SIGTERM or Ctrl-C; then what was read is committed. Needs DATABASE_URL,
which holds the catalog; KAFKA_BROKERS names the log, STREAMFORGE_OBJECTS_URL where the tables' files go. One process is enough for most; more share the partitions.
STREAMFORGE_LAKE_COMMIT_SECONDS and _MB say how often a table is committed to.

${METRICS_USAGE}
  --data DIR        for temporary files, and for objects where no STREAMFORGE_OBJECTS_URL is set (default: STREAMFORGE_DATA_DIR, else ./data)
${FOREIGN_USAGE}`,
  says: {
    run: 'The lake-writer runs',
    need: 'The lake-writer needs',
    stopped: 'The lake-writer has stopped',
    tooLate: 'The stores did not answer in time; what was not committed is read again from the log',
  },
  takesForeignTopics: true,
  async prepare({ config, databaseUrl, logger, metrics, clock, owner }) {
    await requireTopics(config, TOPICS, logger)
    const stores = { ...storeSettings(config), foreign: await requireForeignTopics(config, logger) }
    await checkOwnership(databaseUrl, stores, clock)
    const tasks = watchLake({ owner, clock })
    const { currency } = config
    const lake = lakeSettings(config, 'own process')
    return {
      health: tasks,
      start: () =>
        startLakeWriter({ stores, databaseUrl, currency, lake, logger, metrics, observer: tasks.observer, clock }),
    }
  },
})

/** Before anything is written: the database is there, migrated, and belongs to this log. */
async function checkOwnership(databaseUrl: string, stores: StoreSettings, clock: Clock): Promise<void> {
  const database = await openDatabase(databaseUrl, 'DATABASE_URL', { max: 1, name: 'streamforge-lake-start' })
  try {
    const { log } = await openLog(stores, { clock })
    const schemas = await openSchemas(stores)
    try {
      // It writes nothing to the log, and reads what others write.
      await checkBelonging(database.sql, { log, registry: schemas.registry }, stores, new Map())
    } finally {
      await schemas.close()
      await log.close()
    }
  } finally {
    await database.close()
  }
}
