/** The edge on Node: an HTTP server around the app's fetch. Invariant: closing lets requests in flight finish, and waits for no other connections. */
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { getConnInfo } from '@hono/node-server/conninfo'
import type { Context } from 'hono'

export interface ServeOptions {
  fetch: (request: Request, bindings: HttpBindings) => Response | Promise<Response>
  host: string
  /** 0: the system picks one. */
  port: number
  /** What chooses the port on the command line, for messages. */
  portOption?: string
  /** Requests that take longer to finish after `close` are cut off. */
  graceMs?: number
}

export interface Served {
  url: string
  port: number
  close(): Promise<void>
}

/** The edge can't listen; the message says what to do. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen'
}

/** A client that needs longer to send its request is cut off. */
const REQUEST_TIMEOUT_MS = 30_000
const HEADERS_TIMEOUT_MS = 10_000
/** Longer than the usual 60 s of load balancers, so that they close first. */
const KEEP_ALIVE_MS = 65_000
const CLOSE_CHECK_MS = 25
/** Connections that wait to be accepted: of those beyond, the system drops some and resets others. Its own limit, e.g. net.core.somaxconn, is a bound too. */
const BACKLOG = 8_192

/** @throws CannotListen */
export async function serve({
  fetch,
  host,
  port,
  portOption = '--port',
  graceMs = 10_000,
}: ServeOptions): Promise<Served> {
  const listener = getRequestListener((request, env) => fetch(request, env as HttpBindings))
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: HEADERS_TIMEOUT_MS, keepAliveTimeout: KEEP_ALIVE_MS },
    listener,
  )
  // Browsers and pools open connections in advance. Node does not count one as idle before its first request.
  const unused = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  server.on('request', ({ socket }) => unused.delete(socket))
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new CannotListen(sentenceFor(error, host, port, portOption), { cause: error })),
    )
    server.listen({ port, host, backlog: BACKLOG }, resolve)
  })
  const { port: actual } = server.address() as AddressInfo

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

  let closing: Promise<void> | undefined
  return { url: `http://${nameOf(host)}:${actual}`, port: actual, close: () => (closing ??= close()) }
}

/** The client's address as the socket has it. Headers that a client can make up don't count. */
export const socketAddress = (c: Context): string => getConnInfo(c).remote.address ?? 'unknown'

/** What to write into a browser for a host that is listened on. */
function nameOf(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

function sentenceFor(error: NodeJS.ErrnoException, host: string, port: number, option: string): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `Port ${port} is in use already. Stop what listens there, or choose another port: ${option} ${port === 65_535 ? 8080 : port + 1}.`
    case 'EACCES':
      return `This user may not listen on port ${port}. Choose one above 1023, e.g. ${option} 8080.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address "${host}" to listen on. Choose another with STREAMFORGE_HOST, e.g. 127.0.0.1.`
    default:
      return `Nothing can listen on ${host}, port ${port}: ${error.message}.`
  }
}
