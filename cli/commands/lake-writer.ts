/** `streamforge lake-writer`: the writer of the lake's tables as a process of its own. Any number of them share the partitions; each commits what it holds before it ends. */
import { hostname } from 'node:os'
import { ObjectStoreError } from '../../db/objects/object-store.ts'
import { createLogger } from '../../observability/log.ts'
import { createRegistry } from '../../observability/metrics.ts'
import { TOPICS } from '../../streams/contract/topics.ts'
import { watchLake } from '../../streams/lake-writer/health.ts'
import { lakeSettings } from '../../streams/lake-writer/settings.ts'
import { startLakeWriter } from '../../streams/lake-writer/start.ts'
import { openLog, openSchemas, type StoreSettings, storeSettings } from '../../streams/stores.ts'
import type { Clock } from '../../streams/time/clock.ts'
import { checkBelonging } from '../belonging.ts'
import type { Ready } from '../cluster/role.ts'
import { CommandFailed, defineCommand, parseArguments, UsageError } from '../command.ts'
import { openDatabase } from '../database.ts'
import { FOREIGN_USAGE, requireForeignTopics } from '../foreign-topics.ts'
import { addressesOf, announceProcess } from '../processes.ts'
import { endsInTime, startMonitor } from '../role-process.ts'
import { configFrom } from '../settings.ts'
import { Started } from '../started.ts'
import { requireTopics } from '../topics.ts'

export const lakeWriter = defineCommand({
  name: 'lake-writer',
  usage: `streamforge lake-writer [options]

Writes every record of the log into Iceberg tables (raw.*, marketing_events.*), each once, until SIGTERM or Ctrl-C; then what was read is committed. Needs DATABASE_URL,
which holds the catalog; KAFKA_BROKERS names the log, STREAMFORGE_OBJECTS_URL where the tables' files go. One process is enough for most; more share the partitions.
STREAMFORGE_LAKE_COMMIT_SECONDS and _MB say how often a table is committed to.

  --metrics-port N  where metrics and health are served (default: STREAMFORGE_METRICS_PORT, else any free port, which is told; "off": nowhere)
  --data DIR        for temporary files, and for objects where no STREAMFORGE_OBJECTS_URL is set (default: STREAMFORGE_DATA_DIR, else ./data)
${FOREIGN_USAGE}`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      data: { type: 'string' },
      'foreign-topics': { type: 'string' },
      'metrics-port': { type: 'string' },
    })
    if (positionals.length > 0) throw new UsageError(`lake-writer takes options only, not "${positionals[0]}".`)
    const config = configFrom(io.env, {
      dataDir: values.data,
      metricsPort: values['metrics-port'],
      foreignTopics: values['foreign-topics'],
    })
    if (!config.databaseUrl)
      throw new CommandFailed(
        'The lake-writer needs DATABASE_URL, e.g. DATABASE_URL=postgres://user:password@127.0.0.1:5432/streamforge.',
      )
    const databaseUrl = config.databaseUrl.reveal()
    const { clock } = io
    const logger = createLogger({ level: config.logLevel, service: 'lake-writer' })
    const metrics = createRegistry({ processMetrics: true })
    await requireTopics(config, TOPICS, logger)
    const stores = { ...storeSettings(config), foreign: await requireForeignTopics(config, logger) }
    await checkOwnership(databaseUrl, stores, clock)

    const owner = `${hostname()}-${process.pid}`
    const tasks = watchLake({ owner, clock })
    const started = new Started(logger)
    // The last thing: until then the process is one that runs here.
    let leave = async (): Promise<void> => {}
    try {
      const monitor = await startMonitor(config, { tasks, metrics })
      if (monitor) started.add(monitor, (m) => m.close())
      const url = monitor?.url ?? null
      const addresses = addressesOf(config)
      leave = await announceProcess(config.dataDir, { role: 'lake-writer', url, startedMs: clock.now(), addresses })
      const running = await startLakeWriter({
        stores,
        databaseUrl,
        currency: config.currency,
        lake: lakeSettings(config, 'own process'),
        logger,
        metrics,
        observer: tasks.observer,
        clock,
      })
      io.tellParent?.({ ready: true, url, firstLogin: null } satisfies Ready)
      io.out(`The lake-writer runs${url ? `; metrics and health at ${url}` : ''}.\n`)
      io.signal.addEventListener('abort', () => void running.stop(), { once: true })
      if (io.signal.aborted) void running.stop()
      if (await endsInTime(running.done, io)) logger.info({ owner }, 'The lake-writer has stopped')
      else
        logger.warn({ owner }, 'The stores did not answer in time; what was not committed is read again from the log')
      return 0
    } catch (error) {
      if (error instanceof ObjectStoreError) throw new CommandFailed(error.message)
      throw error
    } finally {
      await started.stop()
      await leave()
    }
  },
})

/** Before anything is written: the database is there, migrated, and belongs to this log. */
async function checkOwnership(databaseUrl: string, stores: StoreSettings, clock: Clock): Promise<void> {
  const database = await openDatabase(databaseUrl, 'DATABASE_URL', { max: 1, name: 'streamforge-lake-start' })
  try {
    const { log } = await openLog(stores, { clock })
    const schemas = openSchemas(stores)
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
