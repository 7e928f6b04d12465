/**
 * A real Jaeger for tests, one server per test file, and its API as tests ask it: what spans a trace has, and which traces there are. Nothing is left behind; one that can't be had is a
 * visible skip that says why; under CI it is a failure.
 */
import { loadConfig } from '../../../db/config.ts'
import { type JaegerServer, startJaeger } from '../jaeger.ts'
import { serverOfFile, type TestServer } from './once-or-skip.ts'

export interface JaegerSpan {
  traceId: string
  spanId: string
  /** Of the same trace; also one that is not in it (yet). */
  parentId: string | null
  name: string
  /** `server`, `client`, `producer`, `consumer` or `internal`. */
  kind: string
  /** `service.name` of the process. */
  service: string
  attributes: Readonly<Record<string, unknown>>
  /** Names of the span's events, e.g. `exception`. */
  events: readonly string[]
  links: readonly { traceId: string; spanId: string }[]
  failed: boolean
  startMs: number
  durationMs: number
}

export interface TestJaeger {
  readonly server: JaegerServer
  /** For the environment of a process whose spans shall go there. */
  environment(): Record<string, string>
  /** In the order of their beginning; none where the trace is not known (yet). */
  trace(traceId: string): Promise<JaegerSpan[]>
  /** The traces of the last two days with a span of that service, that name and those attributes. */
  search(query: {
    service: string
    operation?: string
    attributes?: Readonly<Record<string, string>>
    limit?: number
  }): Promise<JaegerSpan[][]>
  services(): Promise<string[]>
}

const SERVER: TestServer = { kind: 'jaeger', name: 'Jaeger', folder: 'jaeger' }

/** Call at the top of a test file (or a describe): it registers the hooks. The result may be used inside tests only. */
export function withJaeger(): TestJaeger {
  const { serversDir } = loadConfig(process.env)
  let server: JaegerServer | undefined
  serverOfFile(SERVER, {
    // For one that has to be built.
    timeoutMs: 20 * 60_000,
    async start(folder) {
      server = await startJaeger({ folder, serversDir })
    },
    kill: () => server?.kill(),
  })

  async function ask<T>(path: string): Promise<T[]> {
    const response = await fetch(`${server!.queryUrl}${path}`)
    // So it says that it does not know a trace.
    if (response.status === 404) return []
    const body = await response.text()
    if (!response.ok) throw new Error(`Jaeger answered ${path} with ${response.status}: ${body}`)
    return (JSON.parse(body) as { data: T[] | null }).data ?? []
  }

  return {
    get server() {
      return server!
    },
    environment: () => ({
      OTEL_EXPORTER_OTLP_ENDPOINT: server!.otlpUrl,
      // Tests wait for their spans.
      OTEL_BSP_SCHEDULE_DELAY: '200',
    }),
    trace: async (traceId) => (await ask<ApiTrace>(`/api/traces/${traceId}`)).flatMap(spansOf),
    async search({ service, operation, attributes, limit = 1_000 }) {
      const query = new URLSearchParams({ service, limit: String(limit) })
      if (operation !== undefined) query.set('operation', operation)
      if (attributes !== undefined) query.set('tags', JSON.stringify(attributes))
      return (await ask<ApiTrace>(`/api/traces?${query}`)).map(spansOf)
    },
    services: () => ask<string>('/api/services'),
  }
}

/**
 * The tree of a trace as text, a line per span with its kind and service, siblings by name. Spans whose parent is missing stand at the left, as roots do.
 * @param describe what the line of a span shall say
 */
export function drawTrace(
  spans: readonly JaegerSpan[],
  describe = ({ name, kind, service }: JaegerSpan): string => `${name} [${kind}, ${service}]`,
): string {
  const ids = new Set(spans.map(({ spanId }) => spanId))
  const parentOf = ({ parentId }: JaegerSpan) => (parentId !== null && ids.has(parentId) ? parentId : null)
  const lines = (parent: string | null, depth: number): string[] =>
    spans
      .filter((span) => parentOf(span) === parent)
      .map((span): [string, string] => [describe(span), span.spanId])
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([line, id]) => ['  '.repeat(depth) + line, ...lines(id, depth + 1)])
  return lines(null, 0).join('\n')
}

/** What is used of its JSON: model/json/model.go of Jaeger. */
interface ApiTrace {
  spans: ApiSpan[]
  processes: Record<string, { serviceName: string }>
}

interface ApiSpan {
  traceID: string
  spanID: string
  operationName: string
  references: { refType: 'CHILD_OF' | 'FOLLOWS_FROM'; traceID: string; spanID: string }[]
  /** Microseconds. */
  startTime: number
  duration: number
  tags: ApiField[]
  logs: { fields: ApiField[] }[]
  processID: string
}

interface ApiField {
  key: string
  value: unknown
}

function spansOf({ spans, processes }: ApiTrace): JaegerSpan[] {
  return spans
    .map((span): JaegerSpan => {
      const { 'span.kind': kind, error, ...attributes } = valuesOf(span.tags)
      const references = span.references.map(({ refType, traceID, spanID }) => ({
        isParent: refType === 'CHILD_OF' && traceID === span.traceID,
        traceId: traceID,
        spanId: spanID,
      }))
      return {
        traceId: span.traceID,
        spanId: span.spanID,
        parentId: references.find(({ isParent }) => isParent)?.spanId ?? null,
        name: span.operationName,
        kind: String(kind),
        service: processes[span.processID]!.serviceName,
        attributes,
        events: span.logs.map(({ fields }) => String(valuesOf(fields).event)),
        links: references.filter(({ isParent }) => !isParent).map(({ traceId, spanId }) => ({ traceId, spanId })),
        failed: error === true,
        startMs: span.startTime / 1_000,
        durationMs: span.duration / 1_000,
      }
    })
    .sort((a, b) => a.startMs - b.startMs)
}

const valuesOf = (fields: readonly ApiField[]): Record<string, unknown> =>
  Object.fromEntries(fields.map(({ key, value }) => [key, value]))
