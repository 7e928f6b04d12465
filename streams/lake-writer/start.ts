/**
 * The lake-writer's composition root: opens log, registry, objects and catalog, and runs the writers over them. In a thread of the embedded platform (`thread.ts`), or as a process
 * of its own in the cluster. Invariant: what is opened here is closed here; what a killed predecessor left in its folder for temporary files goes at the next start.
 */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openJdbcCatalog, openLake, openLakeFiles } from '../../db/lake/index.ts'
import { countedObjects } from '../../db/objects/counted.ts'
import { OBJECTS_FOLDER, openObjects } from '../../db/objects/open.ts'
import { makeOwnFolder } from '../../db/own-folder.ts'
import { connect } from '../../db/postgres/connect.ts'
import type { Logger } from '../../observability/log.ts'
import type { Registry } from '../../observability/metrics.ts'
import { openLog, openSchemas, type StoreSettings } from '../stores.ts'
import { type Clock, systemClock } from '../time/clock.ts'
import { createLakeWriter } from './lake-writer.ts'
import { joinLakeObservers, type LakeObserver } from './observer.ts'
import type { LakeSettings } from './settings.ts'
import { lakeJobs } from './tables.ts'
import { createLakeTelemetry } from './telemetry.ts'

export interface LakeWriterOptions {
  stores: StoreSettings
  databaseUrl: string
  currency: string
  lake: LakeSettings
  logger: Logger
  metrics: Registry
  /** Told what the writers tell, besides metrics and log. */
  observer?: LakeObserver
  clock?: Clock
}

export interface RunningLakeWriter {
  readonly done: Promise<void>
  stop(): Promise<void>
}

/** @throws where a store refuses its settings, or the database does not answer */
export async function startLakeWriter(options: LakeWriterOptions): Promise<RunningLakeWriter> {
  const { stores, logger, metrics, clock = systemClock } = options
  const { commitMs, commitBytes, memoryMb, threads } = options.lake
  /** Undone in reverse. */
  const opened: (() => unknown)[] = []
  const close = async (): Promise<void> => {
    for (let undo = opened.pop(); undo; undo = opened.pop()) await undo()
  }
  try {
    const folder = join(stores.dataDir, OBJECTS_FOLDER)
    const objects = await openObjects(stores.objects ?? { kind: 'folder', folder })
    const parent = await temporaryFolder(stores.dataDir)
    opened.push(() => rm(parent, { recursive: true, force: true }))
    const { log } = await openLog(stores, { logger, clock })
    opened.push(() => log.close())
    const { registry, close: closeRegistry } = await openSchemas(stores)
    opened.push(closeRegistry)
    const database = connect(options.databaseUrl, { max: 3, name: 'streamforge-lake' })
    opened.push(() => database.close())
    const lake = openLake(await openJdbcCatalog(database.sql), openLakeFiles(countedObjects(objects)), { clock })
    const telemetry = createLakeTelemetry(metrics, logger, clock)
    const writer = createLakeWriter(
      {
        log,
        registry,
        lake,
        clock,
        currency: options.currency,
        settings: { commitMs, commitBytes, writer: { memoryMb, threads, parent } },
        observer: joinLakeObservers(telemetry, options.observer ?? {}),
      },
      lakeJobs((stores.foreign ?? []).map(({ name }) => name)),
    )
    const run = async (): Promise<void> => {
      try {
        await writer.run()
      } finally {
        await close()
      }
    }
    const done = run()
    return {
      done,
      async stop() {
        await writer.stop()
        await done
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Processes may share a data folder, also those of other machines: each has a folder of its own. */
async function temporaryFolder(dataDir: string): Promise<string> {
  const parent = join(dataDir, 'tmp')
  await mkdir(parent, { recursive: true })
  return makeOwnFolder(parent, 'lake', { isAlone: true })
}
