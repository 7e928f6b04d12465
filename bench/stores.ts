/** The embedded stores of a benchmark, all real, in a folder that goes away with it. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedFeatures } from '../db/features/embedded.ts'
import { openFolderObjects } from '../db/objects/folder.ts'
import { connect } from '../db/postgres/connect.ts'
import { createManifestStore } from '../db/postgres/manifest-store.ts'
import { migrate } from '../db/postgres/migrate.ts'
import { createResultStore } from '../db/postgres/result-store.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../db/postgres/server.ts'
import { openEmbeddedLog } from '../streams/log/embedded.ts'
import { openEmbeddedRegistry } from '../streams/log/embedded-registry.ts'
import type { RuntimeDeps } from '../streams/runtime/runtime.ts'
import { systemClock } from '../streams/time/clock.ts'

/** Calls `use` with a new folder and removes it afterwards. */
export async function withFolder<R>(use: (folder: string) => Promise<R>): Promise<R> {
  const folder = await mkdtemp(join(tmpdir(), 'streamforge-bench-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A started, migrated and empty database. */
export async function startDatabase(folder: string): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({
    folder: join(folder, 'postgres'),
    password: randomBytes(12).toString('hex'),
  })
  await migrate(server.url)
  return server
}

export interface Places {
  /** Of {@link openLog}. */
  logFolder: string
  /** For features and checkpoints. */
  folder: string
  postgresUrl: string
}

export async function openLog(folder: string) {
  return {
    log: await openEmbeddedLog({ folder: join(folder, 'log') }),
    registry: openEmbeddedRegistry(join(folder, 'registry')),
  }
}

/** Everything that the runtime needs but its topology, over the embedded log. */
export async function openStores({ logFolder, folder, postgresUrl }: Places): Promise<{
  deps: Omit<RuntimeDeps, 'topology'>
  close(): Promise<void>
}> {
  const { log, registry } = await openLog(logFolder)
  const rest = await openResults(folder, postgresUrl)
  return {
    deps: { log, registry, ...rest.deps },
    async close() {
      await log.close()
      await registry.close()
      await rest.close()
    },
  }
}

/** Where the runtime puts what it computes: everything that it needs but a log and a topology. */
export async function openResults(
  folder: string,
  postgresUrl: string,
): Promise<{ deps: Omit<RuntimeDeps, 'topology' | 'log' | 'registry'>; close(): Promise<void> }> {
  const database = connect(postgresUrl, { max: 4, name: 'streamforge bench' })
  const features = await openEmbeddedFeatures(join(folder, 'features'))
  return {
    deps: {
      features,
      results: createResultStore(database.sql),
      manifests: createManifestStore(database.sql),
      objects: await openFolderObjects(join(folder, 'objects')),
      clock: systemClock,
    },
    async close() {
      await features.close()
      await database.close()
    },
  }
}
