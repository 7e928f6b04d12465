/** `streamforge worker`: the batch workflows as a process of its own. Any number of them share the task queue; what one breaks off when it ends, another does again. */
import { hostname } from 'node:os'
import { ObjectStoreError } from '../../db/objects/object-store.ts'
import { objectsSettings } from '../../db/objects/open.ts'
import { createLogger } from '../../observability/log.ts'
import { createRegistry } from '../../observability/metrics.ts'
import { TemporalUnavailable } from '../../workflows/client.ts'
import { startWorker } from '../../workflows/worker.ts'
import type { Ready } from '../cluster/role.ts'
import { CommandFailed, defineCommand, parseArguments, UsageError } from '../command.ts'
import { openDatabase } from '../database.ts'
import { addressesOf, announceProcess } from '../processes.ts'
import { endsInTime } from '../role-process.ts'
import { configFrom } from '../settings.ts'
import { Started } from '../started.ts'

export const worker = defineCommand({
  name: 'worker',
  usage: `streamforge worker [options]

Runs the batch workflows (daily aggregation, quality, reconciliation, upkeep of the lake, imports, replays) of Temporal's task queue, until SIGTERM or Ctrl-C. Needs TEMPORAL_ADDRESS and
DATABASE_URL; STREAMFORGE_OBJECTS_URL says where the lake's files are, TRINO_URL names a Trino that does the SQL instead of DuckDB.

  --metrics-port N  where metrics and health are served (default: STREAMFORGE_METRICS_PORT, else any free port, which is told; "off": nowhere)
  --data DIR        for temporary files, and for objects where no STREAMFORGE_OBJECTS_URL is set (default: STREAMFORGE_DATA_DIR, else ./data)`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      data: { type: 'string' },
      'metrics-port': { type: 'string' },
    })
    if (positionals.length > 0) throw new UsageError(`worker takes options only, not "${positionals[0]}".`)
    const config = configFrom(io.env, { dataDir: values.data, metricsPort: values['metrics-port'] })
    const missing = [
      ...(config.temporalAddress === '' ? ['TEMPORAL_ADDRESS, e.g. TEMPORAL_ADDRESS=127.0.0.1:7233'] : []),
      ...(config.databaseUrl === null
        ? ['DATABASE_URL, e.g. DATABASE_URL=postgres://user:password@127.0.0.1:5432/streamforge']
        : []),
    ]
    if (config.databaseUrl === null || missing.length > 0)
      throw new CommandFailed(`The worker needs ${missing.join(', and ')}.`)
    const databaseUrl = config.databaseUrl.reveal()
    const { clock } = io
    const logger = createLogger({ level: config.logLevel, service: 'worker' })
    const metrics = createRegistry({ processMetrics: true })
    await (await openDatabase(databaseUrl, 'DATABASE_URL', { max: 1, name: 'streamforge-worker-start' })).close()
    const started = new Started(logger)
    // The last thing: until then the process is one that runs here.
    let leave = async (): Promise<void> => {}
    try {
      leave = await announceProcess(config.dataDir, {
        role: 'worker',
        url: null,
        startedMs: clock.now(),
        addresses: addressesOf(config),
      })
      const running = await startWorker(
        {
          temporal: { address: config.temporalAddress, namespace: config.temporalNamespace },
          taskQueue: config.temporalTaskQueue,
          databaseUrl,
          objects: objectsSettings(config),
          dataDir: config.dataDir,
          currency: config.currency,
          memoryMb: config.workerMemoryMb,
          threads: 2,
          trinoUrl: config.trinoUrl?.reveal() ?? null,
        },
        { logger, metrics, clock },
      )
      io.tellParent?.({ ready: true, url: null, firstLogin: null } satisfies Ready)
      io.out(`The worker runs on the queue ${config.temporalTaskQueue} of ${config.temporalAddress}.\n`)
      io.signal.addEventListener('abort', () => void running.stop(), { once: true })
      if (io.signal.aborted) void running.stop()
      await endsInTime(running.done, io)
      logger.info({ owner: `${hostname()}-${process.pid}` }, 'The worker has stopped')
      return 0
    } catch (error) {
      if (error instanceof TemporalUnavailable || error instanceof ObjectStoreError)
        throw new CommandFailed(error.message)
      throw error
    } finally {
      await started.stop()
      await leave()
    }
  },
})
