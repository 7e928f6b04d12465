/**
 * The edge on Bun, by `Bun.serve`. It bounds heads by itself, to 16 KB and about 12 s, but waits for a body as long as a byte comes now and then: that is bounded here.
 * Unlike Node's it can't close a connection whose request was answered before its body had come: that one stays until it has been silent for a minute.
 */
import { limitBody } from './body-deadline.ts'
import { type Connection, cannotListen, LIMITS, type Served, type ServeOptions, served } from './serve.ts'

/** What is used of Bun's own API; its types are no dependency. */
interface BunServer {
  readonly port: number
  requestIP(request: Request): { address: string } | null
  closeIdleConnections(): void
  /** @param closeActive cut off requests in flight @returns resolves when no connection is left */
  stop(closeActive?: boolean): Promise<void>
}
declare const Bun: {
  serve(options: {
    hostname: string
    port: number
    /** Seconds without a byte either way. */
    idleTimeout: number
    maxRequestBodySize: number
    fetch(request: Request, server: BunServer): Response | Promise<Response>
  }): BunServer
}

const CLOSE_CHECK_MS = 25
/** Beyond what any route takes, whose answers say what to do. */
const BODY_BYTES_MAX = 64 * 1024 * 1024

/** @throws CannotListen */
export async function serve(options: ServeOptions): Promise<Served> {
  const { fetch, host, port, graceMs = LIMITS.graceMs } = options

  async function answer(request: Request, server: BunServer): Promise<Response> {
    const connection: Connection = { address: () => server.requestIP(request)?.address ?? 'unknown' }
    if (request.method === 'GET' || request.method === 'HEAD') return fetch(request, connection)
    const deadline = limitBody(request, LIMITS.requestMs)
    const response = await fetch(request, connection)
    return deadline.isOver ? new Response(null, { status: 408, headers: { connection: 'close' } }) : response
  }

  const server = listen({
    hostname: host,
    port,
    idleTimeout: LIMITS.keepAliveMs / 1000,
    maxRequestBodySize: BODY_BYTES_MAX,
    fetch: answer,
  })

  function listen(settings: Parameters<typeof Bun.serve>[0]): BunServer {
    try {
      return Bun.serve(settings)
    } catch (error) {
      throw cannotListen(error, options)
    }
  }

  async function close(): Promise<void> {
    // A connection that becomes idle after its last answer would be kept alive for a minute.
    const idle = setInterval(() => server.closeIdleConnections(), CLOSE_CHECK_MS)
    const grace = setTimeout(() => void server.stop(true), graceMs)
    await server.stop()
    clearInterval(idle)
    clearTimeout(grace)
  }

  return served(host, server.port, close)
}
