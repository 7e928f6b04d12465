/**
 * What a test of workflows runs on: a database of its own, a lake in a folder of its own, a task queue of its own on the file's Temporal server, and workers over them, in this process or as
 * real ones that can be killed.
 */
import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { type Lake, openJdbcCatalog, openLake, openLakeFiles } from '../../db/lake/index.ts'
import { openFolderObjects } from '../../db/objects/folder.ts'
import type { ObjectStore } from '../../db/objects/object-store.ts'
import type { TestDatabase, TestPostgres } from '../../db/testing/postgres.ts'
import { createLogger } from '../../observability/log.ts'
import { createRegistry } from '../../observability/metrics.ts'
import { TOPICS } from '../../streams/contract/topics.ts'
import { openEmbeddedLog } from '../../streams/log/embedded.ts'
import { EMBEDDED_FOLDERS } from '../../streams/stores.ts'
import type { TemporalClient } from '../client.ts'
import { type RunningWorker, startWorker, type WorkerSettings } from '../worker.ts'
import type { TestTemporal } from './with-temporal.ts'

const TYPESCRIPT = new URL('../../cli/typescript.mjs', import.meta.url).href
const PRELOAD = new URL('../../observability/preload.ts', import.meta.url).href

/** Of all tests and runs: a bundle's name says of which sources it is, and making one takes four seconds of a core. Beside what else is kept of the sources. */
export const BUNDLES = fileURLToPath(new URL('../../node_modules/.cache/streamforge/bundles', import.meta.url))

/** For workers of tests that kill or freeze one: see impatient.ts. */
export const IMPATIENT = {
  workflowInterceptors: [fileURLToPath(new URL('./impatient.ts', import.meta.url))],
  stickyMs: 500,
}

export interface WorkerProcess {
  readonly pid: number
  signal(name: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
  /** Its exit code; null when a signal has ended it. */
  readonly ended: Promise<number | null>
}

export interface BatchWorld {
  database: TestDatabase
  lake: Lake
  objects: ObjectStore
  dataDir: string
  client: TemporalClient
  taskQueue: string
  settings: WorkerSettings
  /** Runs until the test has finished, unless it is stopped before. */
  worker(changes?: Partial<WorkerSettings>): Promise<RunningWorker>
  /**
   * A real process, likewise.
   * @param env beside this process's, e.g. where its spans go
   */
  process(changes?: Partial<WorkerSettings>, env?: Readonly<Record<string, string>>): Promise<WorkerProcess>
  /** For `streamforge worker` as a process. */
  env: Record<string, string>
  /** Starts a workflow on the world's queue, under an id that starts with the workflow's name. */
  start(workflow: string, input?: object, id?: string): ReturnType<TemporalClient['workflow']['start']>
}

/** Call inside a test. */
export async function openBatchWorld(temporal: TestTemporal, postgres: TestPostgres): Promise<BatchWorld> {
  const dataDir = await temporal.folder()
  const database = await postgres.database()
  const folder = join(dataDir, 'objects')
  const objects = await openFolderObjects(folder)
  const lake = openLake(await openJdbcCatalog(database.sql), openLakeFiles(objects))
  const client = await temporal.client()
  const taskQueue = `test-${randomUUID()}`
  const { address, namespace } = temporal.server
  const settings: WorkerSettings = {
    temporal: { address, namespace },
    taskQueue,
    databaseUrl: database.url,
    objects: { kind: 'folder', folder },
    dataDir,
    bundleDir: BUNDLES,
    currency: 'TRY',
    memoryMb: 512,
    threads: 2,
    trinoUrl: null,
    // A test that runs over the hour must not meet one.
    schedules: false,
  }
  return {
    database,
    lake,
    objects,
    dataDir,
    client,
    taskQueue,
    settings,
    async worker(changes = {}) {
      const running = await startWorker(
        { ...settings, ...changes },
        {
          logger: createLogger({ level: 'silent', component: 'test' }),
          metrics: createRegistry(),
          openLog: async () => ({
            log: await openEmbeddedLog({ folder: join(dataDir, EMBEDDED_FOLDERS.log) }),
            topics: TOPICS,
          }),
        },
      )
      onTestFinished(() => running.stop())
      return running
    },
    process: (changes = {}, env = {}) => startWorkerProcess({ ...settings, ...changes }, env),
    env: {
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
      TEMPORAL_TASK_QUEUE: taskQueue,
      DATABASE_URL: database.url,
      STREAMFORGE_DATA_DIR: dataDir,
      STREAMFORGE_OBJECTS_URL: `file://${folder}`,
      STREAMFORGE_CURRENCY: 'TRY',
    },
    start: (workflow, input = {}, id = `${workflow}-${randomUUID()}`) =>
      client.workflow.start(workflow, { taskQueue, workflowId: id, args: [input] }),
  }
}

async function startWorkerProcess(
  settings: WorkerSettings,
  env: Readonly<Record<string, string>>,
): Promise<WorkerProcess> {
  // It has the role that is traced under that name.
  const child = fork(new URL('./worker-process.ts', import.meta.url), ['worker'], {
    execArgv: [TYPESCRIPT, PRELOAD].flatMap((url) => ['--import', url]),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  child.send(settings)
  const first = await Promise.race([once(child, 'message'), ended])
  if (!Array.isArray(first)) throw new Error(`The worker ended with ${first} before it was ready.`)
  return { pid: child.pid!, signal: (name) => void child.kill(name), ended }
}
