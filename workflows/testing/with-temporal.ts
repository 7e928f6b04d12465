/**
 * A real Temporal server for tests: one per test file, with a queue, a database and a lake of its own for every call of `world`. It can be killed and started again on its port.
 * Nothing is left behind: its folder goes with the file's last test, and what a killed run left is swept by the next.
 */
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { startTemporal, type TemporalServer } from '../../cli/servers/temporal.ts'
import { serverOfFile, type TestServer } from '../../cli/servers/testing/once-or-skip.ts'
import { loadConfig } from '../../db/config.ts'
import { connectTemporal, type TemporalClient } from '../client.ts'

export interface TestTemporal {
  readonly server: TemporalServer
  /** Connected to the server; closed after the file's last test. */
  client(): Promise<TemporalClient>
  /** Ends the server as a crash would. */
  kill(): Promise<void>
  /** Starts it again on its port and state. */
  start(): Promise<void>
  /** A new folder that goes with the server's. */
  folder(): Promise<string>
}

const SERVER: TestServer = { kind: 'temporal', name: 'Temporal', folder: 'temporal' }

/** Call at the top of a test file. The result may be used inside tests only. */
export function withTemporal(): TestTemporal {
  const { serversDir } = loadConfig(process.env)
  let folder = ''
  let server: TemporalServer | undefined
  let client: Promise<TemporalClient> | undefined

  const start = async (): Promise<void> => {
    const { port = 0, uiPort = 0 } = server ?? {}
    server = await startTemporal({ folder, port, uiPort, serversDir })
  }
  // Hooks run in reverse: this one before the server goes.
  serverOfFile(SERVER, {
    timeoutMs: 1_200_000,
    start(its) {
      folder = its
      return start()
    },
    kill: () => server?.kill(),
  })
  afterAll(async () => (await client)?.close())

  return {
    get server() {
      return server!
    },
    client() {
      client ??= connectTemporal({ address: server!.address, namespace: server!.namespace })
      return client
    },
    kill: async () => server?.kill(),
    start,
    folder: () => mkdtemp(join(folder, 'world-')),
  }
}
