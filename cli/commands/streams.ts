/**
 * `streamforge streams`: the live computation as a process of its own. Any number of them share the partitions of the log; each stops by draining first.
 */
import { hostname } from 'node:os'
import { ObjectStoreError } from '../../db/objects/object-store.ts'
import { createLogger } from '../../observability/log.ts'
import { createRegistry } from '../../observability/metrics.ts'
import { TOPICS } from '../../streams/contract/topics.ts'
import { OffsetOutOfRange } from '../../streams/log/event-log.ts'
import { startStreams } from '../../streams/main.ts'
import { openStores, storeSettings } from '../../streams/stores.ts'
import { watchTasks } from '../../streams/task-health.ts'
import { checkBelonging, EDGE_WRITES, STREAMS_WRITE } from '../belonging.ts'
import type { Ready } from '../cluster/role.ts'
import { CommandFailed, type CommandIo, defineCommand, parseArguments, UsageError } from '../command.ts'
import { openDatabase } from '../database.ts'
import { FOREIGN_USAGE, requireForeignTopics } from '../foreign-topics.ts'
import { addressesOf, announceProcess } from '../processes.ts'
import { endsInTime, startMonitor } from '../role-process.ts'
import { configFrom } from '../settings.ts'
import { Started } from '../started.ts'
import { requireTopics } from '../topics.ts'

export const streams = defineCommand({
  name: 'streams',
  usage: `streamforge streams [options]

Computes windows, sessions, features and alerts from the log, until SIGTERM or Ctrl-C; then what was computed is written and checkpointed, and the partitions are
handed back. Needs DATABASE_URL; KAFKA_BROKERS and REDIS_URL name the cluster's log and feature store.

  --metrics-port N  where metrics and health are served (default: STREAMFORGE_METRICS_PORT, else any free port, which is told; "off": nowhere)
  --data DIR        where checkpoints are kept (default: STREAMFORGE_DATA_DIR, else ./data); the same for all streams processes
${FOREIGN_USAGE}`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      data: { type: 'string' },
      'foreign-topics': { type: 'string' },
      'metrics-port': { type: 'string' },
    })
    if (positionals.length > 0) throw new UsageError(`streams takes options only, not "${positionals[0]}".`)
    const config = configFrom(io.env, {
      dataDir: values.data,
      metricsPort: values['metrics-port'],
      foreignTopics: values['foreign-topics'],
    })
    if (!config.databaseUrl)
      throw new CommandFailed(
        'The streams need DATABASE_URL, e.g. DATABASE_URL=postgres://user:password@127.0.0.1:5432/streamforge.',
      )
    const databaseUrl = config.databaseUrl.reveal()
    const logger = createLogger({ level: config.logLevel, service: 'streams' })
    const metrics = createRegistry({ processMetrics: true })
    await requireTopics(config, TOPICS, logger)
    const settings = { ...storeSettings(config), foreign: await requireForeignTopics(config, logger) }
    await checkOwnership(databaseUrl, settings, { logger, clock: io.clock })

    const owner = `${hostname()}-${process.pid}`
    const tasks = watchTasks({ owner, clock: io.clock })
    const started = new Started(logger)
    // The last thing: until then the process is one that runs here.
    let leave = async (): Promise<void> => {}
    try {
      const monitor = await startMonitor(config, { tasks, metrics })
      if (monitor) started.add(monitor, (m) => m.close())
      const addresses = addressesOf(config)
      const announcement = { role: 'streams', url: monitor?.url ?? null, startedMs: io.clock.now(), addresses } as const
      leave = await announceProcess(config.dataDir, announcement)
      const running = await startStreams({
        stores: settings,
        databaseUrl,
        currency: config.currency,
        owner,
        logger,
        metrics,
        observer: tasks.observer,
        clock: io.clock,
      })
      io.tellParent?.({ ready: true, url: monitor?.url ?? null, firstLogin: null } satisfies Ready)
      io.out(`The streams run${monitor ? `; metrics and health at ${monitor.url}` : ''}.\n`)
      io.signal.addEventListener('abort', () => void running.stop(), { once: true })
      if (io.signal.aborted) void running.stop()
      if (await endsInTime(running.done, io)) logger.info({ owner }, 'The streams have stopped')
      else
        logger.warn(
          { owner },
          'Kafka did not let the streams go in time; what was not written is computed again from the log',
        )
      return 0
    } catch (error) {
      if (error instanceof OffsetOutOfRange || error instanceof ObjectStoreError) throw new CommandFailed(error.message)
      throw error
    } finally {
      await started.stop()
      await leave()
    }
  },
})

/** Before anything is computed: the database is there, migrated, and belongs to this log. */
async function checkOwnership(
  databaseUrl: string,
  settings: ReturnType<typeof storeSettings>,
  deps: { logger: ReturnType<typeof createLogger>; clock: CommandIo['clock'] },
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
