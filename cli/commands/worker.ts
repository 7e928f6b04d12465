/** `streamforge worker`: the batch workflows as a process of its own. Any number of them share the task queue; what one breaks off when it ends, another does again. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../../db/config.ts'
import { objectsSettings } from '../../db/objects/open.ts'
import { bigQuerySettings } from '../../db/warehouse/bigquery/settings.ts'
import { warehouseSettings } from '../../db/warehouse/warehouse.ts'
import { TOPICS } from '../../streams/contract/topics.ts'
import { foreignDeadLetters } from '../../streams/foreign/foreign-topic.ts'
import { EMBEDDED_FOLDERS, openLog, storeSettings } from '../../streams/stores.ts'
import type { Clock } from '../../streams/time/clock.ts'
import type { OpenLog } from '../../workflows/activities/deps.ts'
import { TemporalUnavailable } from '../../workflows/client.ts'
import { CommandFailed } from '../command.ts'
import { openDatabase } from '../database.ts'
import { foreignTopicsOf } from '../foreign-topics.ts'
import { defineRole, METRICS_USAGE, type RunningRole } from '../role-process.ts'

export const worker = defineRole({
  name: 'worker',
  usage: `streamforge worker [options]

Runs the batch workflows (daily aggregation, quality, reconciliation, upkeep of the lake, imports, replays, erasures) of Temporal's task queue, until SIGTERM or Ctrl-C. Needs TEMPORAL_ADDRESS and
DATABASE_URL; STREAMFORGE_OBJECTS_URL says where the lake's files are, KAFKA_BROKERS where the log is that erasures are told by, TRINO_URL names a Trino that does the SQL instead of DuckDB,
WAREHOUSE_URL a database that the star schema is copied to, BIGQUERY_DATASET where tables of BigQuery read it.

${METRICS_USAGE}
  --data DIR        for temporary files, and for objects where no STREAMFORGE_OBJECTS_URL is set (default: STREAMFORGE_DATA_DIR, else ./data)`,
  says: {
    run: 'The worker runs',
    need: 'The worker needs',
    stopped: 'The worker has stopped',
    tooLate: 'The activities did not end in time; they are done again by the next worker',
  },
  lacks: ({ temporalAddress }) =>
    temporalAddress === '' ? ['TEMPORAL_ADDRESS, e.g. TEMPORAL_ADDRESS=127.0.0.1:7233'] : [],
  expects: [TemporalUnavailable],
  async prepare({ config, databaseUrl, logger, metrics, clock, owner, isChild }) {
    const { ACTIVITIES_MAX, startWorker } = await loadWorker()
    const { watchWorker } = await import('../../workflows/worker-health.ts')
    await (await openDatabase(databaseUrl, 'DATABASE_URL', { max: 1, name: 'streamforge-worker-start' })).close()
    const { temporalAddress: address } = config
    const watch = watchWorker({ owner, address, slots: ACTIVITIES_MAX, metrics, logger, clock })
    return {
      health: watch,
      async start(): Promise<RunningRole> {
        const stopping = new AbortController()
        const tools = {
          logger,
          metrics,
          clock,
          watch,
          openLog: logOf(config, clock),
          ...(isChild && { patience: stopping.signal }),
        }
        const starting = startWorker(settingsOf(config, databaseUrl), tools)
        // One that is a child waits for its Temporal in the open, where its health tells of it.
        if (!isChild) await starting
        return {
          done: starting.then(
            ({ done }) => done,
            (error) => {
              if (!stopping.signal.aborted) throw error
            },
          ),
          async stop() {
            stopping.abort()
            // Where it did not begin, `done` tells why.
            await starting.then(
              (running) => running.stop(),
              () => {},
            )
          },
        }
      },
    }
  },
})

/** Temporal's SDK is half native, and is not made for every platform. */
async function loadWorker(): Promise<typeof import('../../workflows/worker.ts')> {
  try {
    return await import('../../workflows/worker.ts')
  } catch (error) {
    const { platform, arch } = process
    throw new CommandFailed(
      `Temporal's SDK can't be used on this system (${platform}, ${arch}, Node ${process.versions.node}): ${(error as Error).message.split('\n')[0]}. It is made for Linux with glibc, macOS and Windows, on x64 and arm64; a worker on such a machine can share the task queue, and STREAMFORGE_WORKFLOWS=off runs none here.`,
    )
  }
}

/** Kafka's, or that of the platform on the data folder: where there is none, none is made. */
const logOf =
  (config: Config, clock: Clock): OpenLog =>
  async () => {
    const foreign = await foreignTopicsOf(config)
    const settings = { ...storeSettings(config), foreign }
    const folder = join(config.dataDir, EMBEDDED_FOLDERS.log)
    if (settings.kafka === null)
      await access(folder).catch(() => {
        throw new Error(
          `This worker finds no event log: set KAFKA_BROKERS, or give it the data folder of the platform with --data. There is none in ${config.dataDir}.`,
        )
      })
    const { log } = await openLog(settings, { clock })
    return { log, topics: [...TOPICS, ...foreignDeadLetters(foreign)] }
  }

function settingsOf(config: Config, databaseUrl: string) {
  return {
    temporal: { address: config.temporalAddress, namespace: config.temporalNamespace },
    taskQueue: config.temporalTaskQueue,
    databaseUrl,
    objects: objectsSettings(config),
    dataDir: config.dataDir,
    importDir: config.importDir,
    currency: config.currency,
    memoryMb: config.workerMemoryMb,
    threads: 2,
    trinoUrl: config.trinoUrl?.reveal() ?? null,
    warehouse: warehouseSettings(config),
    bigQuery: bigQuerySettings(config),
    temporalUiUrl: config.temporalUiUrl || null,
  }
}
