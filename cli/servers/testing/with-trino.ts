/**
 * A real Trino for tests: one per test file, since it takes its time to start. Nothing is left behind: its folder goes with the file's last test, and what a killed run left is
 * swept by the next. One that can't be had is a visible skip that says why; under CI it is a failure.
 */
import { loadConfig } from '../../../db/config.ts'
import { createTrino, type Trino, type TrinoClientOptions } from '../../../db/trino/client.ts'
import { type CatalogProperties, startTrino, type TrinoServer } from '../trino.ts'
import { serverOfFile, type TestServer } from './once-or-skip.ts'

export interface TestTrino {
  readonly server: TrinoServer
  /** A client of it; `catalog` and `schema` are not set unless they are given. */
  client(options?: Partial<TrinoClientOptions>): Trino
}

const SERVER: TestServer = { kind: 'trino', name: 'Trino', folder: 'trino' }

/**
 * Call at the top of a test file (or a describe), after `withPostgres` and `withS3`: it registers the hooks. The result may be used inside tests only.
 * @param catalogs called once, before the first test; `icebergCatalog` makes one
 */
export function withTrino(
  catalogs: () => Promise<Record<string, CatalogProperties>> | Record<string, CatalogProperties> = () => ({}),
  options: { heapMb?: number } = {},
): TestTrino {
  const { serversDir, javaHome } = loadConfig(process.env)
  let server: TrinoServer | undefined

  serverOfFile(SERVER, {
    timeoutMs: 900_000,
    async start(folder) {
      server = await startTrino({ folder, catalogs: await catalogs(), serversDir, javaHome, ...options })
    },
    // Not in order: it has nothing to keep, and takes seconds to say good-bye.
    kill: () => server?.kill(),
  })

  return {
    get server() {
      return server!
    },
    client: (options) => createTrino({ url: server!.url, user: 'test', timeoutMs: 60_000, ...options }),
  }
}
