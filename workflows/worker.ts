/**
 * The worker's composition root: opens lake, database and objects, connects to Temporal, and runs workflows and activities of the one task queue until it is told to stop. A process of its own
 * in both forms: batch work takes memory and CPU in bursts, and a crash in it must not be one of ingestion.
 *
 * Invariant: what is opened here is closed here, after the last activity has ended; activities that are broken off by a stop are done again by the next worker.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  OpenTelemetryActivityInboundInterceptor,
  OpenTelemetryActivityOutboundInterceptor,
} from '@temporalio/interceptors-opentelemetry-v2'
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { createDuckdbEngine, createTrinoEngine, openJdbcCatalog, openLake, openLakeFiles } from '../db/lake/index.ts'
import { type ObjectsSettings, openObjects } from '../db/objects/open.ts'
import { makeOwnFolder } from '../db/own-folder.ts'
import { connect } from '../db/postgres/connect.ts'
import { trinoAt } from '../db/trino/from-url.ts'
import type { Logger } from '../observability/log.ts'
import type { Registry } from '../observability/metrics.ts'
import { type Clock, systemClock } from '../streams/time/clock.ts'
import type { ActivityDeps } from './activities/deps.ts'
import { createActivities } from './activities/index.ts'
import { bundleDefinitions } from './bundle.ts'
import { type TemporalTarget, TemporalUnavailable } from './client.ts'
import { TASK_QUEUE } from './policy.ts'

export interface WorkerSettings {
  temporal: TemporalTarget
  /** Default: {@link TASK_QUEUE}. */
  taskQueue?: string
  databaseUrl: string
  objects: ObjectsSettings
  /** For temporary files, below `tmp`. */
  dataDir: string
  /** Where files to import are; default: `imports` in the data folder. */
  importDir?: string
  /** Where the bundled definitions are kept. Default: `workflows` in the data folder. */
  bundleDir?: string
  currency: string
  /** DuckDB's, for each activity that uses it. */
  memoryMb: number
  threads: number
  /** Trino over the lake; null: DuckDB. */
  trinoUrl: string | null
  /** Activities at once. */
  activitiesMax?: number
}

export interface WorkerTools {
  logger: Logger
  metrics: Registry
  clock?: Clock
}

export interface RunningWorker {
  /** Resolves when it has stopped; rejects when it can't go on. */
  readonly done: Promise<void>
  /** Takes nothing new, gives running activities a moment, then breaks them off. */
  stop(): Promise<void>
}

/** @throws TemporalUnavailable, and where a store refuses its settings */
export async function startWorker(settings: WorkerSettings, tools: WorkerTools): Promise<RunningWorker> {
  const { logger, metrics, clock = systemClock } = tools
  /** Undone in reverse. */
  const opened: (() => unknown)[] = []
  const close = async (): Promise<void> => {
    for (let undo = opened.pop(); undo; undo = opened.pop()) await undo()
  }
  try {
    const connection = await connectWorker(settings.temporal, logger)
    opened.push(() => connection.close())
    const parent = join(settings.dataDir, 'tmp')
    await mkdir(parent, { recursive: true })
    const temporaryDir = await makeOwnFolder(parent, 'worker')
    opened.push(() => rm(temporaryDir, { recursive: true, force: true }))
    const database = connect(settings.databaseUrl, { max: 6, name: 'streamforge-worker' })
    opened.push(() => database.close())
    const objects = await openObjects(settings.objects)
    const lake = openLake(await openJdbcCatalog(database.sql), openLakeFiles(objects), { clock })
    const duck = { memoryMb: settings.memoryMb, threads: settings.threads, parent: temporaryDir }
    const deps: ActivityDeps = {
      lake,
      engine:
        settings.trinoUrl === null ? createDuckdbEngine(lake, duck) : createTrinoEngine(trinoAt(settings.trinoUrl)),
      database,
      databaseUrl: settings.databaseUrl,
      objects,
      clock,
      logger,
      metrics,
      settings: {
        currency: settings.currency,
        importDir: settings.importDir ?? join(settings.dataDir, 'imports'),
        temporaryDir,
        memoryMb: settings.memoryMb,
        threads: settings.threads,
      },
    }
    const worker = await Worker.create({
      connection,
      namespace: settings.temporal.namespace,
      taskQueue: settings.taskQueue ?? TASK_QUEUE,
      workflowBundle: await bundleDefinitions(settings.bundleDir ?? join(settings.dataDir, 'workflows'), logger),
      activities: createActivities(deps),
      interceptors: {
        activity: [
          (context) => ({
            inbound: new OpenTelemetryActivityInboundInterceptor(context),
            outbound: new OpenTelemetryActivityOutboundInterceptor(context),
          }),
        ],
      },
      // Each may hold DuckDB's memory.
      maxConcurrentActivityTaskExecutions: settings.activitiesMax ?? 4,
      workflowThreadPoolSize: 1,
      maxCachedWorkflows: 100,
      shutdownGraceTime: '3 seconds',
      shutdownForceTime: '15 seconds',
    })
    const run = async (): Promise<void> => {
      try {
        await worker.run()
      } finally {
        await close()
      }
    }
    const done = run()
    return {
      done,
      async stop() {
        if (worker.getState() === 'RUNNING') worker.shutdown()
        await done
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function connectWorker({ address }: TemporalTarget, logger: Logger): Promise<NativeConnection> {
  installRuntime(logger)
  try {
    return await NativeConnection.connect({ address })
  } catch (cause) {
    throw new TemporalUnavailable(
      `Temporal does not answer at ${address}. Is it running? TEMPORAL_ADDRESS says where it is.`,
      { cause },
    )
  }
}

let installed = false

/** One per process: the SDK's own log lines become ours. Signals are the command's business. */
function installRuntime(logger: Logger): void {
  if (installed) return
  installed = true
  const lines = new DefaultLogger('INFO', ({ level, message, meta }) => {
    const { error, ...fields } = (meta ?? {}) as { error?: Error }
    const line = { part: 'temporal', ...fields, ...(error && { err: error }) }
    if (level === 'WARN') logger.warn(line, message)
    else if (level === 'ERROR') logger.error(line, message)
    else logger.debug(line, message)
  })
  Runtime.install({ logger: lines, shutdownSignals: [] })
}
