/**
 * A real Trino for tests: one per test file, since it takes its time to start. Nothing is left behind: its folder goes with the file's last test, and what a killed run left is
 * swept by the next. One that can't be had is a visible skip that says why; under CI it is a failure.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, type TestContext } from 'vitest'
import { loadConfig } from '../../../db/config.ts'
import { isAlive } from '../../../db/process.ts'
import { createTrino, type Trino, type TrinoClientOptions } from '../../../db/trino/client.ts'
import { ServerUnavailable } from '../cache.ts'
import { clearFolder } from '../process.ts'
import { type CatalogProperties, startTrino, type TrinoServer } from '../trino.ts'

export interface TestTrino {
  readonly server: TrinoServer
  /** A client of it; `catalog` and `schema` are not set unless they are given. */
  client(options?: Partial<TrinoClientOptions>): Trino
}

const PREFIX = 'streamforge-test-trino-'
const NAME = 'trino'

/**
 * Call at the top of a test file (or a describe), after `withPostgres` and `withS3`: it registers the hooks. The result may be used inside tests only.
 * @param catalogs called once, before the first test; `icebergCatalog` makes one
 */
export function withTrino(
  catalogs: () => Promise<Record<string, CatalogProperties>> | Record<string, CatalogProperties> = () => ({}),
  options: { heapMb?: number } = {},
): TestTrino {
  const config = loadConfig(process.env)
  let folder = ''
  let server: TrinoServer | undefined
  let missing: string | undefined

  // Before each and not before all: only a test can be skipped with a reason.
  beforeEach(async (context: TestContext) => {
    if (!server && missing === undefined) {
      await sweep()
      folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
      try {
        const { serversDir, javaHome } = config
        server = await startTrino({
          folder: join(folder, NAME),
          catalogs: await catalogs(),
          serversDir,
          javaHome,
          ...options,
        })
      } catch (error) {
        if (!(error instanceof ServerUnavailable) || config.ci) throw error
        missing = error.message
      }
    }
    if (missing !== undefined) context.skip(missing)
  }, 900_000)
  afterAll(async () => {
    // Not in order: it has nothing to keep, and takes seconds to say good-bye.
    await server?.kill()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  return {
    get server() {
      return server!
    },
    client: (options) => createTrino({ url: server!.url, user: 'test', timeoutMs: 60_000, ...options }),
  }
}

/** Stops servers and removes folders of test processes that were killed. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length).split('-')[0]) : Number.NaN
    if (!(pid > 0) || isAlive(pid)) continue
    const folder = join(tmpdir(), name)
    await clearFolder({ name: 'Trino', folder: join(folder, NAME) })
    await rm(folder, { recursive: true, force: true })
  }
}
