/**
 * A real Temporal server without Docker, for one machine: Temporal's own development server with its UI, from the PATH, else downloaded or built once (by the SDK, by Go) and kept in the cache.
 *
 * Invariants: it listens on 127.0.0.1 alone; what runs in it outlives a kill: its state is a SQLite file in its folder; starting again on the same folder and port goes on with it.
 */
import { rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../streams/time/clock.ts'
import { cached, ServerUnavailable } from './cache.ts'
import { buildWithGo, GO_BUILD_TIMEOUT_MS } from './go-build.ts'
import { clearFolder, freePorts, type ServerProcess, startServer } from './process.ts'
import { exists, run, works } from './run.ts'

const PROGRAM = 'temporal'
/** Of github.com/temporalio/cli, as in temporal/go.mod. */
const VERSION = 'v1.5.1'
const CACHED = `temporal-${VERSION}`
const MODULE = new URL('./temporal/', import.meta.url)
const PACKAGE = 'github.com/temporalio/cli/cmd/temporal'
const HOST = '127.0.0.1'
const DOWNLOAD_MAX_MS = 180_000
/** The one that its own start makes. */
export const TEMPORAL_NAMESPACE = 'default'

export interface TemporalOptions {
  /** Of the server: its state and log; made if missing. */
  folder: string
  /** 0 or absent: a free one. */
  port?: number
  uiPort?: number
  serversDir: string
  /** For one-line messages about what takes time. */
  log?: ((message: string) => void) | undefined
  /** Breaks off building it. */
  signal?: AbortSignal | undefined
}

export interface TemporalServer extends ServerProcess {
  readonly folder: string
  /** `host:port` of its gRPC frontend. */
  readonly address: string
  readonly port: number
  readonly namespace: string
  readonly uiUrl: string
  readonly uiPort: number
}

/** @throws ServerUnavailable when the program can't be had; Error when the server does not start. */
export async function startTemporal(options: TemporalOptions): Promise<TemporalServer> {
  const folder = resolve(options.folder)
  await clearFolder({ name: 'Temporal', folder })
  const program = await temporalProgram(options)
  const free = await freePorts(4)
  const port = options.port || free[0]!
  const uiPort = options.uiPort || free[1]!
  const address = `${HOST}:${port}`
  const flags: Record<string, string | number> = {
    ip: HOST,
    port,
    'ui-ip': HOST,
    'ui-port': uiPort,
    'http-port': free[2]!,
    'metrics-port': free[3]!,
    namespace: TEMPORAL_NAMESPACE,
    'db-filename': join(folder, 'temporal.db'),
    'log-level': 'warn',
  }
  const server = await startServer(
    {
      name: 'Temporal',
      folder,
      program,
      args: ['server', 'start-dev', ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)],
      // It keeps settings of its command line there, which are none of ours.
      env: { HOME: folder },
    },
    () => answers(address),
    60_000,
  )
  return { ...server, folder, address, port, namespace: TEMPORAL_NAMESPACE, uiUrl: `http://${HOST}:${uiPort}`, uiPort }
}

/**
 * The program, fetched or built if need be: the first time on a machine that takes minutes.
 * @throws ServerUnavailable naming what is missing
 */
export async function temporalProgram({
  serversDir,
  log,
  signal,
}: Pick<TemporalOptions, 'serversDir' | 'log' | 'signal'>): Promise<string> {
  if (await works(PROGRAM, ['--version'])) return PROGRAM
  const folder = await cached({
    serversDir,
    name: CACHED,
    signal,
    async build(aside) {
      log?.(`Fetching Temporal ${VERSION}, once …`)
      if (await download(aside, signal)) return
      signal?.throwIfAborted()
      if (!(await works('go', ['version']))) {
        throw new ServerUnavailable(
          `A local Temporal could not be downloaded from temporal.download; it needs that, or "${PROGRAM}" (https://docs.temporal.io/cli) or "go" to build it (https://go.dev/dl) on the PATH. Or name a Temporal of yours in TEMPORAL_ADDRESS.`,
        )
      }
      await buildWithGo({
        name: `Temporal ${VERSION}`,
        module: MODULE,
        package: PACKAGE,
        output: join(aside, PROGRAM),
        failed: `Temporal ${VERSION} could neither be downloaded nor built: that needs temporal.download or a Go module proxy.`,
        log,
        signal,
      })
    },
    timeoutMs: GO_BUILD_TIMEOUT_MS,
  })
  return join(folder, PROGRAM)
}

/** As the SDK does it, which knows every platform's archive. @returns whether it is there, as `temporal` */
async function download(folder: string, signal: AbortSignal | undefined): Promise<boolean> {
  const { code } = await run(process.execPath, [fileURLToPath(new URL('download.mjs', MODULE)), folder, VERSION], {
    timeoutMs: DOWNLOAD_MAX_MS,
    signal,
  })
  if (code !== 0) return false
  await rename(join(folder, `${PROGRAM}-${VERSION}`), join(folder, PROGRAM))
  return true
}

/** What a start needs: nothing, or minutes and a network. */
export async function temporalPresence(serversDir: string): Promise<'there' | 'to fetch'> {
  return (await works(PROGRAM, ['--version'])) || (await exists(join(serversDir, CACHED))) ? 'there' : 'to fetch'
}

/** From then on workflows can be started: the namespace is made after the server listens. The client is loaded here: a platform without workflows knows this file, too. */
async function answers(address: string): Promise<boolean> {
  const { Connection } = await import('@temporalio/client')
  const connection = await Connection.connect({ address, connectTimeout: 1_000 })
  try {
    await connection.withDeadline(systemClock.now() + 2_000, () =>
      connection.workflowService.describeNamespace({ namespace: TEMPORAL_NAMESPACE }),
    )
    return true
  } finally {
    await connection.close()
  }
}
