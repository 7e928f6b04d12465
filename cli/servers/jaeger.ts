/**
 * A real Jaeger without Docker: one process that takes spans by OTLP, keeps them in memory and answers for them over HTTP. From the PATH, else built once by Go and kept in the
 * cache; a built one has no web page, only the API that is behind it.
 *
 * Invariants: it listens on 127.0.0.1 alone; what it has goes with it; starting again on the same folder and ports begins empty.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { goProgram } from './go-build.ts'
import { clearFolder, freePorts, type ServerProcess, startServer } from './process.ts'

const PROGRAM = 'jaeger'
/** Of github.com/jaegertracing/jaeger, as in jaeger/go.mod. */
const VERSION = 'v1.62.0'
const MODULE = new URL('./jaeger/', import.meta.url)
const PACKAGE = 'github.com/jaegertracing/jaeger/cmd/jaeger'
const HOST = '127.0.0.1'

export interface JaegerOptions {
  /** Of the server: configuration and log; made if missing. */
  folder: string
  /** 0 or absent: free ones. */
  queryPort?: number
  otlpPort?: number
  /** The oldest go first. */
  maxTraces?: number
  serversDir: string
  /** For one-line messages about what takes time. */
  log?: ((message: string) => void) | undefined
}

export interface JaegerServer extends ServerProcess {
  readonly folder: string
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`, with the protocol `http/protobuf`. */
  readonly otlpUrl: string
  readonly otlpPort: number
  /** The same by gRPC. */
  readonly otlpGrpcUrl: string
  /** Of its API and, where it has one, its web page. */
  readonly queryUrl: string
  readonly queryPort: number
}

/** @throws ServerUnavailable when the program can't be had; Error when the server does not start. */
export async function startJaeger(options: JaegerOptions): Promise<JaegerServer> {
  const folder = resolve(options.folder)
  await clearFolder({ name: 'Jaeger', folder })
  const program = await jaegerProgram(options)
  const free = await freePorts(4)
  const queryPort = options.queryPort || free[0]!
  const otlpPort = options.otlpPort || free[1]!
  const [, , otlpGrpcPort, queryGrpcPort] = free
  const at = (port: number | undefined) => ({ endpoint: `${HOST}:${port}` })
  const store = 'memory'
  const configuration = {
    service: {
      extensions: ['jaeger_storage', 'jaeger_query'],
      pipelines: { traces: { receivers: ['otlp'], exporters: ['jaeger_storage_exporter'] } },
      telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
    },
    extensions: {
      jaeger_storage: { backends: { [store]: { memory: { max_traces: options.maxTraces ?? 100_000 } } } },
      jaeger_query: { storage: { traces: store }, http: at(queryPort), grpc: at(queryGrpcPort) },
    },
    receivers: { otlp: { protocols: { http: at(otlpPort), grpc: at(otlpGrpcPort) } } },
    exporters: { jaeger_storage_exporter: { trace_storage: store } },
  }
  const path = join(folder, 'jaeger.yaml')
  await mkdir(folder, { recursive: true })
  // JSON is YAML.
  await writeFile(path, JSON.stringify(configuration, null, 2))
  const otlpUrl = `http://${HOST}:${otlpPort}`
  const queryUrl = `http://${HOST}:${queryPort}`
  const server = await startServer({ name: 'Jaeger', folder, program, args: ['--config', path] }, async () => {
    const [query, otlp] = await Promise.all([ask(`${queryUrl}/api/services`), ask(`${otlpUrl}/v1/traces`, NO_SPANS)])
    return query.ok && otlp.ok
  })
  return { ...server, folder, otlpUrl, otlpPort, otlpGrpcUrl: `http://${HOST}:${otlpGrpcPort}`, queryUrl, queryPort }
}

const NO_SPANS = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }

const ask = (url: string, request: RequestInit = {}): Promise<Response> =>
  fetch(url, { ...request, signal: AbortSignal.timeout(2_000) })

/** @throws ServerUnavailable naming what is missing */
export const jaegerProgram = ({ serversDir, log }: Pick<JaegerOptions, 'serversDir' | 'log'>): Promise<string> =>
  goProgram({
    serversDir,
    program: PROGRAM,
    name: 'Jaeger',
    version: VERSION,
    module: MODULE,
    package: PACKAGE,
    missing: `A local Jaeger needs "${PROGRAM}" (https://www.jaegertracing.io/download), or "go" to build it (https://go.dev/dl), on the PATH.`,
    needs: 'a Go module proxy',
    log,
  })
