/**
 * What a runtime has to offer for the edge to run on it: a server around the app's fetch. `node.ts`, `bun.ts` and `deno.ts` are the three there are; `here.ts` picks.
 *
 * Invariants of each, which `conformance.system.test.ts` holds them to: heads are bounded; a client that does not finish what it began to send is cut off; closing lets requests in
 * flight finish, for so long, and waits for no other connections; a port that can't be had is a sentence.
 */

/** Who is at the other end of a request. */
export interface Connection {
  /** The client's address as the socket has it. Headers that a client can make up don't count. */
  address(): string
}

export interface ServeOptions {
  fetch: (request: Request, connection: Connection) => Response | Promise<Response>
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

/** @throws CannotListen */
export type Serve = (options: ServeOptions) => Promise<Served>

/** The edge can't listen; the message says what to do. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen'
}

export const LIMITS = {
  /** A client that needs longer to send its request is cut off. */
  requestMs: 30_000,
  headersMs: 10_000,
  /** Longer than the usual 60 s of load balancers, so that they close first. */
  keepAliveMs: 65_000,
  graceMs: 10_000,
} as const

/** The server as its caller sees it; closing twice is closing once. */
export function served(host: string, port: number, close: () => Promise<void>): Served {
  let closing: Promise<void> | undefined
  return { url: `http://${nameOf(host)}:${port}`, port, close: () => (closing ??= close()) }
}

/** What to write into a browser for a host that is listened on. */
function nameOf(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

/** @param error as the runtime has it, with the system's code */
export function cannotListen(
  error: unknown,
  { host, port, portOption = '--port' }: Pick<ServeOptions, 'host' | 'port' | 'portOption'>,
): CannotListen {
  const { code, message } = error as Error & { code?: string }
  return new CannotListen(sentenceFor(code, message, host, port, portOption), { cause: error })
}

function sentenceFor(code: string | undefined, message: string, host: string, port: number, option: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} is in use already. Stop what listens there, or choose another port: ${option} ${port === 65_535 ? 8080 : port + 1}.`
    case 'EACCES':
      return `This user may not listen on port ${port}. Choose one above 1023, e.g. ${option} 8080.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address "${host}" to listen on. Choose another with STREAMFORGE_HOST, e.g. 127.0.0.1.`
    default:
      return `Nothing can listen on ${host}, port ${port}: ${message}.`
  }
}
