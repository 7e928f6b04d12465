/**
 * A real Kafka for tests: one server per test file. Nothing is left behind: its folder goes with the file's last test, and what a killed run left is swept by the next.
 * A Kafka that can't be had is a visible skip that says why; under CI it is a failure.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, type TestContext } from 'vitest'
import { type Config, loadConfig } from '../../../db/config.ts'
import { isAlive } from '../../../db/process.ts'
import { ServerUnavailable } from '../cache.ts'
import { type KafkaOptions, type KafkaServer, startKafka } from '../kafka.ts'
import { clearFolder } from '../process.ts'

export interface TestKafka {
  readonly server: KafkaServer
  readonly brokers: readonly string[]
  readonly config: Config
  /** Kills the broker, or stops it in order, and starts it again on its port and data. */
  restart(how: 'kill' | 'stop', whileDown?: () => Promise<void>): Promise<void>
}

const PREFIX = 'streamforge-test-kafka-'

/** Call at the top of a test file (or a describe): it registers the hooks. The result may be used inside tests only. */
export function withKafka(properties: KafkaOptions['properties'] = {}): TestKafka {
  const config = loadConfig(process.env)
  let folder = ''
  let server: KafkaServer | undefined
  let missing: string | undefined

  const start = (port: number): Promise<KafkaServer> =>
    startKafka({ folder: join(folder, 'kafka'), port, serversDir: config.serversDir, properties })

  // Before each and not before all: only a test can be skipped with a reason.
  beforeEach(async (context: TestContext) => {
    if (!server && missing === undefined) {
      await sweep()
      folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
      try {
        server = await start(0)
      } catch (error) {
        if (!(error instanceof ServerUnavailable) || config.ci) throw error
        missing = error.message
      }
    }
    if (missing !== undefined) context.skip(missing)
  }, 300_000)
  afterAll(async () => {
    await server?.kill()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  return {
    get server() {
      return server!
    },
    get brokers() {
      return server!.brokers
    },
    config,
    async restart(how, whileDown) {
      const { port } = server!
      await server![how]()
      await whileDown?.()
      server = await start(port)
    },
  }
}

/** Stops servers and removes folders of test processes that were killed. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length).split('-')[0]) : Number.NaN
    if (!(pid > 0) || isAlive(pid)) continue
    const folder = join(tmpdir(), name)
    await clearFolder({ name: 'Kafka', folder: join(folder, 'kafka') })
    await rm(folder, { recursive: true, force: true })
  }
}
