/**
 * A real S3 server without Docker: versitygw over a folder, from the PATH, else built once by Go and kept in the cache.
 *
 * Invariants: it listens on 127.0.0.1 alone; its keys are in its environment, not on its command line; starting again on the same folder, port and keys goes on with its data.
 */
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { cached, ServerUnavailable } from './cache.ts'
import { clearFolder, freePorts, type ServerProcess, startServer } from './process.ts'
import { lastLines, run, works } from './run.ts'

const PROGRAM = 'versitygw'
const VERSION = 'v1.8.0'
const MODULE = 'github.com/versity/versitygw/cmd/versitygw'
const HOST = '127.0.0.1'
const REGION = 'us-east-1'

export interface VersitygwOptions {
  /** Of the server: buckets, multipart uploads and log; made if missing. On a file system with extended attributes. */
  folder: string
  /** Made if missing. */
  buckets: readonly string[]
  /** 0 or absent: a free one. */
  port?: number
  /** Random when absent. */
  keys?: S3Keys
  serversDir: string
  /** For one-line messages about what takes time. */
  log?: (message: string) => void
}

export interface S3Keys {
  accessKeyId: string
  secretAccessKey: string
}

export interface VersitygwServer extends ServerProcess, S3Keys {
  /** `http://127.0.0.1:port`; buckets are the first part of the path. */
  readonly endpoint: string
  readonly port: number
  readonly region: string
  readonly folder: string
}

/** @throws ServerUnavailable when the program can't be had; Error when the server does not start. */
export async function startVersitygw(options: VersitygwOptions): Promise<VersitygwServer> {
  const folder = resolve(options.folder)
  await clearFolder({ name: 'versitygw', folder })
  const program = await versitygwProgram(options)
  const [freePort] = await freePorts(1)
  const port = options.port || freePort!
  const keys = options.keys ?? {
    accessKeyId: `AK${randomBytes(9).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(24).toString('base64url'),
  }
  // A folder of the data folder is a bucket.
  const data = join(folder, 'data')
  for (const bucket of options.buckets) await mkdir(join(data, bucket), { recursive: true })
  const endpoint = `http://${HOST}:${port}`
  const server = await startServer(
    {
      name: 'versitygw',
      folder,
      program,
      args: ['--port', `${HOST}:${port}`, '--region', REGION, '--keep-alive', '--quiet', 'posix', data],
      env: { ROOT_ACCESS_KEY: keys.accessKeyId, ROOT_SECRET_KEY: keys.secretAccessKey },
    },
    // Any answer, also a refusal, comes from a server that is ready.
    async () => (await fetch(endpoint, { signal: AbortSignal.timeout(2_000) })).status > 0,
    30_000,
  )
  return { ...server, ...keys, endpoint, port, region: REGION, folder }
}

/** @throws ServerUnavailable naming what is missing */
async function versitygwProgram({ serversDir, log }: Pick<VersitygwOptions, 'serversDir' | 'log'>): Promise<string> {
  if (await works(PROGRAM, ['--version'])) return PROGRAM
  const folder = await cached({
    serversDir,
    name: `versitygw-${VERSION}`,
    async build(aside) {
      if (!(await works('go', ['version']))) {
        throw new ServerUnavailable(
          `A local S3 server needs "${PROGRAM}", or "go" to build it, on the PATH: https://go.dev/dl. Or name an S3 of yours in S3_ENDPOINT and STREAMFORGE_OBJECTS_URL.`,
        )
      }
      log?.(`Building ${PROGRAM} ${VERSION} with Go, once (some minutes) …`)
      const result = await run('go', ['install', `${MODULE}@${VERSION}`], { env: { GOBIN: aside, GOFLAGS: '' } })
      if (result.code !== 0) {
        throw new ServerUnavailable(
          `Go could not build ${PROGRAM} ${VERSION}: it needs to reach a Go module proxy. It said:\n${lastLines(result)}`,
        )
      }
    },
  })
  return join(folder, PROGRAM)
}
