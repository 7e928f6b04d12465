/**
 * A real Kafka for tests: one server per test file. Nothing is left behind: its folder goes with the file's last test, and what a killed run left is swept by the next.
 * A Kafka that can't be had is a visible skip that says why; under CI it is a failure.
 */
import { type Config, loadConfig } from '../../../db/config.ts'
import { type KafkaOptions, type KafkaServer, startKafka } from '../kafka.ts'
import { serverOfFile, type TestServer } from './once-or-skip.ts'

export interface TestKafka {
  readonly server: KafkaServer
  readonly brokers: readonly string[]
  readonly config: Config
  /** Kills the broker, or stops it in order, and starts it again on its port and data. */
  restart(how: 'kill' | 'stop', whileDown?: () => Promise<void>): Promise<void>
}

const SERVER: TestServer = { kind: 'kafka', name: 'Kafka', folder: 'kafka' }

/** Call at the top of a test file (or a describe): it registers the hooks. The result may be used inside tests only. */
export function withKafka(properties: KafkaOptions['properties'] = {}): TestKafka {
  const config = loadConfig(process.env)
  let folder = ''
  let server: KafkaServer | undefined

  const start = (port: number): Promise<KafkaServer> =>
    startKafka({ folder, port, serversDir: config.serversDir, properties })

  serverOfFile(SERVER, {
    timeoutMs: 300_000,
    async start(its) {
      folder = its
      server = await start(0)
    },
    kill: () => server?.kill(),
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
