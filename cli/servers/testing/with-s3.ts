/**
 * A real S3 server for tests: one per test file, that can be frozen, killed and started again. Nothing is left behind: its folder goes with the file's last test, and what a
 * killed run left is swept by the next. One that can't be had is a visible skip that says why; under CI it is a failure.
 */
import { join } from 'node:path'
import { loadConfig } from '../../../db/config.ts'
import { openS3Objects, type S3ObjectStore, type S3Options } from '../../../db/objects/s3.ts'
import { startVersitygw, type VersitygwServer } from '../versitygw.ts'
import { serverOfFile, type TestServer } from './once-or-skip.ts'

export interface TestS3 {
  readonly server: VersitygwServer
  /** Where the bucket's objects lie as files: to look at, and to damage. */
  readonly bucketFolder: string
  /** How to reach the bucket, under a prefix that no other call has given. */
  target(): S3Options
  /** A store of its own, under a prefix of its own. */
  store(options?: Partial<S3Options>): S3ObjectStore
  freeze(): void
  thaw(): void
  /** Ends it as a crash would. */
  kill(): Promise<void>
  /** Starts it again on its port, keys and data. */
  start(): Promise<void>
}

export const BUCKET = 'test-bucket'
const SERVER: TestServer = { kind: 's3', name: 'versitygw', folder: 's3' }

/** Call at the top of a test file (or a describe): it registers the hooks. The result may be used inside tests only. */
export function withS3(): TestS3 {
  const config = loadConfig(process.env)
  let folder = ''
  let server: VersitygwServer | undefined
  let count = 0

  const start = async (): Promise<void> => {
    const { port = 0, accessKeyId, secretAccessKey } = server ?? {}
    server = await startVersitygw({
      folder,
      buckets: [BUCKET],
      port,
      serversDir: config.serversDir,
      ...(accessKeyId && secretAccessKey && { keys: { accessKeyId, secretAccessKey } }),
    })
  }

  serverOfFile(SERVER, {
    timeoutMs: 600_000,
    start(its) {
      folder = its
      return start()
    },
    kill: () => server?.kill(),
  })

  const target = (): S3Options => {
    const { endpoint, region, accessKeyId, secretAccessKey } = server!
    return { bucket: BUCKET, prefix: `p${++count}`, endpoint, region, accessKeyId, secretAccessKey }
  }
  return {
    get server() {
      return server!
    },
    get bucketFolder() {
      return join(folder, 'data', BUCKET)
    },
    target,
    store: (options) => openS3Objects({ ...target(), ...options }),
    freeze: () => void process.kill(server!.pid, 'SIGSTOP'),
    thaw: () => void process.kill(server!.pid, 'SIGCONT'),
    kill: async () => server?.kill(),
    start,
  }
}
