/**
 * The worker's composition root: opens lake, database and objects, connects to Temporal, and runs workflows and activities of the one task queue until it is told to stop. A process of its own
 * in both forms: batch work takes memory and CPU in bursts, and a crash in it must not be one of ingestion.
 *
 * Invariant: what is opened here is closed here, after the last activity has ended; activities that are broken off by a stop are done again by the next worker.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  DefaultLogger,
  NativeConnection,
  Runtime,
  TransportError,
  Worker,
  type WorkerOptions,
} from '@temporalio/worker'
import {
  createDuckdbEngine,
  createTrinoEngine,
  openJdbcCatalog,
  openLake,
  openLakeFiles,
  tracedEngine,
} from '../db/lake/index.ts'
import { createDuckdbModels } from '../db/models/duckdb.ts'
import { tracedModels } from '../db/models/traced.ts'
import { createTrinoModels } from '../db/models/trino.ts'
import { countedObjects } from '../db/objects/counted.ts'
import { type ObjectsSettings, openObjects } from '../db/objects/open.ts'
import { makeOwnFolder } from '../db/own-folder.ts'
import { connect } from '../db/postgres/connect.ts'
import { trinoAt } from '../db/trino/from-url.ts'
import type { BigQuerySettings } from '../db/warehouse/bigquery/settings.ts'
import type { WarehouseSettings } from '../db/warehouse/warehouse.ts'
import type { Logger } from '../observability/log.ts'
import type { Registry } from '../observability/metrics.ts'
import { tracing } from '../observability/tracing.ts'
import { type Clock, systemClock } from '../streams/time/clock.ts'
import type { ActivityDeps, OpenLog } from './activities/deps.ts'
import { createActivities } from './activities/index.ts'
import { bundleDefinitions } from './bundle.ts'
import { noAnswer, openTemporal, type TemporalTarget, TemporalUnavailable } from './client.ts'
import { ensureSchedules } from './ensure-schedules.ts'
import { startMirror } from './mirror.ts'
import { TASK_QUEUE } from './policy.ts'
import { startErasures } from './start-erasures.ts'
import { startRegistrations } from './start-registrations.ts'
import { ACTIVITY_SPANS } from './tracing/activities.ts'
import { workflowSpanSink } from './tracing/sink.ts'
import { type WorkerWatch, watchWorker } from './worker-health.ts'

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
  /** Modules of further interceptors that run with the definitions. */
  workflowInterceptors?: readonly string[]
  currency: string
  /** DuckDB's, for each activity that uses it. */
  memoryMb: number
  threads: number
  /** Trino over the lake; null: DuckDB. */
  trinoUrl: string | null
  /** Where the star schema is copied to. Default: nowhere. */
  warehouse?: WarehouseSettings | null
  /** Where tables of the star schema read the lake in place. Default: nowhere. */
  bigQuery?: BigQuerySettings | null
  /** The lake is looked at for commits that BigQuery is to know of so often. */
  registerMs?: number
  /** Activities at once. */
  activitiesMax?: number
  /** What running activities are given at a stop, before they are broken off. Default: 3 s. */
  graceMs?: number
  /** A run whose last worker is gone waits so long for it before another takes it. Default: the SDK's, ten seconds. */
  stickyMs?: number
  /** Where people find Temporal's UI, for links. */
  temporalUiUrl?: string | null
  /** Whether it brings the queue's schedules to what is declared. Default: true. */
  schedules?: boolean
  /** Runs and schedules are copied into PostgreSQL so often. */
  mirrorMs?: number
}

export interface WorkerTools {
  logger: Logger
  metrics: Registry
  clock?: Clock
  /** Default: one that nobody looks at. */
  watch?: WorkerWatch
  /** For workflows that append to the event log: erasures. */
  openLog?: OpenLog
  /** Waits for a Temporal that does not answer yet, until the signal aborts; else that is an error. */
  patience?: AbortSignal
}

/** Activities at once, where nothing else is said: each may hold DuckDB's memory. */
export const ACTIVITIES_MAX = 4
/** Less than between any two beats of an activity. */
const BEAT_APART_MS = 100

export interface RunningWorker {
  /** Resolves when it has stopped; rejects when it can't go on. */
  readonly done: Promise<void>
  /** Takes nothing new, gives running activities a moment, then breaks them off. */
  stop(): Promise<void>
}

/** @throws TemporalUnavailable, and where a store refuses its settings */
export async function startWorker(settings: WorkerSettings, tools: WorkerTools): Promise<RunningWorker> {
  const { logger, metrics, clock = systemClock, patience } = tools
  const { temporal, taskQueue = TASK_QUEUE, activitiesMax: slots = ACTIVITIES_MAX } = settings
  const watch = tools.watch ?? watchWorker({ owner: '', address: temporal.address, slots, metrics, logger, clock })
  /** Undone in reverse. */
  const opened: (() => unknown)[] = []
  const close = async (): Promise<void> => {
    for (let undo = opened.pop(); undo; undo = opened.pop()) await undo()
  }
  const connecting = { target: temporal, logger, watch, clock, patience }
  try {
    const connection = await connectWorker(connecting)
    opened.push(() => connection.close())
    const parent = join(settings.dataDir, 'tmp')
    await mkdir(parent, { recursive: true })
    const temporaryDir = await makeOwnFolder(parent, 'worker')
    opened.push(() => rm(temporaryDir, { recursive: true, force: true }))
    const database = connect(settings.databaseUrl, { max: 6, name: 'streamforge-worker' })
    opened.push(() => database.close())
    const objects = countedObjects(await openObjects(settings.objects))
    const lake = openLake(await openJdbcCatalog(database.sql), openLakeFiles(objects), { clock })
    const duck = { memoryMb: settings.memoryMb, threads: settings.threads, parent: temporaryDir }
    const trino = settings.trinoUrl === null ? null : trinoAt(settings.trinoUrl)
    const deps: ActivityDeps = {
      lake,
      engine: tracedEngine(trino ? createTrinoEngine(trino) : createDuckdbEngine(lake, duck)),
      models: tracedModels(trino ? createTrinoModels(lake, trino) : createDuckdbModels(lake, duck)),
      database,
      databaseUrl: settings.databaseUrl,
      objects,
      warehouse: settings.warehouse ?? null,
      bigQuery: settings.bigQuery ?? null,
      openLog: tools.openLog ?? null,
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
    const options: WorkerOptions = {
      connection,
      namespace: temporal.namespace,
      taskQueue,
      workflowBundle: await bundleDefinitions(
        settings.bundleDir ?? join(settings.dataDir, 'workflows'),
        logger,
        settings.workflowInterceptors,
      ),
      activities: createActivities(deps),
      sinks: { ...workflowSpanSink(tracing()) },
      interceptors: {
        activity: [(context) => ({ inbound: watch.activities.interceptor(context) }), ...ACTIVITY_SPANS],
      },
      maxConcurrentActivityTaskExecutions: slots,
      workflowThreadPoolSize: 1,
      maxCachedWorkflows: 100,
      ...(settings.stickyMs !== undefined && { stickyQueueScheduleToStartTimeout: settings.stickyMs }),
      // Activities set the pace of their beats (activities/heartbeat.ts). The SDK would hold beats back for four fifths of the timeout: one that is lost or late would miss it.
      maxHeartbeatThrottleInterval: BEAT_APART_MS,
      shutdownGraceTime: settings.graceMs ?? 3_000,
      shutdownForceTime: '15 seconds',
    }
    const worker = await createWorker(options, connecting)
    const client = openTemporal(temporal)
    opened.push(() => client.close())
    const mirror = startMirror({
      client,
      database,
      place: { taskQueue, namespace: temporal.namespace, uiUrl: settings.temporalUiUrl ?? null },
      clock,
      logger,
      ...(settings.schedules !== false && { prepare: () => ensureSchedules(client, { taskQueue, logger }) }),
      ...(settings.mirrorMs !== undefined && { intervalMs: settings.mirrorMs }),
    })
    const erasures = startErasures({ client, sql: database.sql, taskQueue, clock, logger })
    opened.push(() => erasures.stop())
    if (settings.bigQuery) {
      const { registerMs: intervalMs } = settings
      const registrations = startRegistrations({
        client,
        lake,
        taskQueue,
        clock,
        logger,
        ...(intervalMs !== undefined && { intervalMs }),
      })
      opened.push(() => registrations.stop())
    }
    let isAsked = false
    opened.push(() => mirror.stop({ leaves: isAsked }))
    const ended = new AbortController()
    const asking = watch.keepAsking(() => isThere(connection, temporal, clock), ended.signal)
    const run = async (): Promise<void> => {
      try {
        await worker.run()
      } finally {
        ended.abort()
        await asking
        await close()
      }
    }
    const done = run()
    return {
      done,
      async stop() {
        isAsked = true
        if (worker.getState() === 'RUNNING') worker.shutdown()
        await done
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

interface Connecting {
  target: TemporalTarget
  logger: Logger
  watch: WorkerWatch
  clock: Clock
  patience: AbortSignal | undefined
}

const ASK_AGAIN_MS = 1_000
const ANSWER_MS = 5_000
/** Of gRPC. */
const NOT_FOUND = 5

function connectWorker(by: Connecting): Promise<NativeConnection> {
  installRuntime(by.logger)
  return untilThere(by, async () => {
    const connection = await NativeConnection.connect({ address: by.target.address })
    try {
      await isThere(connection, by.target, by.clock)
      return connection
    } catch (error) {
      await connection.close()
      throw error
    }
  })
}

/** Temporal may have gone again since it was connected to. */
const createWorker = (options: WorkerOptions, by: Connecting): Promise<Worker> =>
  untilThere(by, () => Worker.create(options))

/** @throws TemporalUnavailable */
async function untilThere<T>({ target, watch, clock, patience }: Connecting, attempt: () => Promise<T>): Promise<T> {
  const { address, namespace } = target
  for (;;) {
    try {
      return await attempt()
    } catch (cause) {
      if ((cause as { code?: number }).code === NOT_FOUND)
        throw new TemporalUnavailable(
          `Temporal at ${address} has no namespace "${namespace}". Make it there, or name another in TEMPORAL_NAMESPACE.`,
          { cause },
        )
      if (!isAway(cause)) throw cause
      if (!patience || patience.aborted) throw noAnswer(target, cause)
      watch.away((cause as Error).message)
      await clock.sleep(ASK_AGAIN_MS, patience)
    }
  }
}

/** What the SDK throws where nobody answers, or not in time. */
const isAway = (error: unknown): boolean =>
  error instanceof TransportError || typeof (error as { code?: unknown }).code === 'number'

const isThere = (connection: NativeConnection, { namespace }: TemporalTarget, clock: Clock): Promise<unknown> =>
  connection.withDeadline(clock.now() + ANSWER_MS, () => connection.workflowService.describeNamespace({ namespace }))

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
  Runtime.install({
    logger: lines,
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
    shutdownSignals: [],
  })
}
