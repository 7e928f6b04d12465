/**
 * What the helpers of tests with real servers share: a server is had once per test file, in a folder of its own. One that can't be had is a visible skip that says
 * why; under CI it is a failure. What a killed run left is swept by the next.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, type TestContext } from 'vitest'
import { loadConfig } from '../../../db/config.ts'
import { isAlive } from '../../../db/process.ts'
import { ServerUnavailable } from '../cache.ts'
import { clearFolder } from '../process.ts'

/** Registers a hook that prepares once, before the first test; all tests are skipped when it ends with ServerUnavailable. */
export function onceOrSkip(prepare: () => Promise<void>, timeoutMs: number): void {
  const { ci } = loadConfig(process.env)
  let prepared = false
  let missing: string | undefined
  // Before each and not before all: only a test can be skipped with a reason.
  beforeEach(async (context: TestContext) => {
    if (!prepared && missing === undefined) {
      try {
        await prepare()
        prepared = true
      } catch (error) {
        if (!(error instanceof ServerUnavailable) || ci) throw error
        missing = error.message
      }
    }
    if (missing !== undefined) context.skip(missing)
  }, timeoutMs)
}

/** A server of tests: what kind, its name in sentences, and its own folder within that of the test. */
export interface TestServer {
  kind: string
  name: string
  folder: string
}

const prefixOf = ({ kind }: TestServer): string => `streamforge-test-${kind}-`

/** A folder of this process, which whoever asked removes. */
export const makeTestFolder = (server: TestServer): Promise<string> =>
  mkdtemp(join(tmpdir(), `${prefixOf(server)}${process.pid}-`))

/** What the helper of one server does: where the server's data lies, and how it starts and ends. */
export interface ServerHooks {
  start(folder: string): Promise<void>
  kill(): Promise<void> | undefined
  /** For the first start on a machine, which may have to build it. */
  timeoutMs: number
}

/** Registers the hooks of a file's one server: started before the first test, in a folder of its own, and gone with it after the last. */
export function serverOfFile(server: TestServer, { start, kill, timeoutMs }: ServerHooks): void {
  let folder = ''
  onceOrSkip(async () => {
    await sweep(server)
    folder = await makeTestFolder(server)
    await start(join(folder, server.folder))
  }, timeoutMs)
  afterAll(async () => {
    await kill()
    if (folder) await rm(folder, { recursive: true, force: true })
  })
}

/** Stops servers and removes folders of test processes that were killed. */
export async function sweep(server: TestServer): Promise<void> {
  const prefix = prefixOf(server)
  for (const entry of await readdir(tmpdir())) {
    const pid = entry.startsWith(prefix) ? Number(entry.slice(prefix.length).split('-')[0]) : Number.NaN
    if (!(pid > 0) || isAlive(pid)) continue
    const folder = join(tmpdir(), entry)
    await clearFolder({ name: server.name, folder: join(folder, server.folder) })
    await rm(folder, { recursive: true, force: true })
  }
}
