/** The edge on Node, by `node:http`. */
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { type Connection, cannotListen, LIMITS, type Served, type ServeOptions, served } from './serve.ts'

export { CannotListen, type Served, type ServeOptions } from './serve.ts'

const CLOSE_CHECK_MS = 25
/** How often it is looked for clients that are late: Node's own half a minute would make of ten seconds forty. */
const LATE_CHECK_MS = 2_000
/** Connections that wait to be accepted: of those beyond, the system drops some and resets others. Its own limit, e.g. net.core.somaxconn, is a bound too. */
const BACKLOG = 8_192

/** @throws CannotListen */
export async function serve(options: ServeOptions): Promise<Served> {
  const { fetch, host, port, graceMs = LIMITS.graceMs } = options
  const server = createServer(
    {
      requestTimeout: LIMITS.requestMs,
      headersTimeout: LIMITS.headersMs,
      keepAliveTimeout: LIMITS.keepAliveMs,
      connectionsCheckingInterval: LATE_CHECK_MS,
    },
    getRequestListener((request, env) => fetch(request, connectionOf((env as HttpBindings).incoming.socket))),
  )
  // Browsers and pools open connections in advance. Node does not count one as idle before its first request.
  const unused = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  server.on('request', ({ socket }) => unused.delete(socket))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(error, options)))
    server.listen({ port, host, backlog: BACKLOG }, resolve)
  })

  async function close(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    // A connection that becomes idle after its last answer would be kept alive for a minute.
    const idle = setInterval(() => {
      server.closeIdleConnections()
      for (const socket of unused) socket.destroy()
    }, CLOSE_CHECK_MS)
    const grace = setTimeout(() => server.closeAllConnections(), graceMs)
    server.closeIdleConnections()
    await closed
    clearInterval(idle)
    clearTimeout(grace)
  }

  return served(host, (server.address() as AddressInfo).port, close)
}

const connectionOf = (socket: Socket): Connection => ({ address: () => socket.remoteAddress ?? 'unknown' })
