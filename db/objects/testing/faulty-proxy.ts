/**
 * A proxy before a real S3 server that makes a plan's faults out of single requests: refusals, silence, broken connections, answers lost after they took effect.
 * Signatures cover the host's name, so requests pass on with the one they were sent to.
 */
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * pass; answer with a status instead; reset the connection before or after the server got the request; never answer; cut the answer's body after some bytes.
 */
export type S3Fault =
  | 'pass'
  | { status: number; code?: string }
  | 'reset'
  | 'lose-answer'
  | 'silent'
  | { cutAfter: number }

export interface FaultyProxy {
  readonly endpoint: string
  /** Of every request, in their order: `PUT /bucket/key?partNumber=1`. */
  readonly requests: readonly string[]
  /** Decides from now on. */
  plan: (request: string, index: number) => S3Fault
  close(): Promise<void>
}

export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  const requests: string[] = []
  const proxy = { plan: (_request: string, _index: number): S3Fault => 'pass' }
  const { hostname, port } = new URL(target)

  const server: Server = createServer((incoming, outgoing) => {
    const name = `${incoming.method} ${decodeURIComponent(incoming.url ?? '')}`
    const fault = proxy.plan(name, requests.length)
    requests.push(name)
    if (fault === 'reset') return void incoming.socket.destroy()
    if (fault === 'silent') return void incoming.resume()
    if (typeof fault === 'object' && 'status' in fault) {
      incoming.resume().on('end', () => {
        outgoing.writeHead(fault.status, { 'content-type': 'application/xml' })
        const { code = 'SlowDown' } = fault
        outgoing.end(`<Error><Code>${code}</Code><Message>Please reduce your request rate.</Message></Error>`)
      })
      return
    }
    const onward = request({ hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers })
    onward.on('error', () => incoming.socket.destroy())
    onward.on('response', (answer: IncomingMessage) => {
      if (fault === 'lose-answer') {
        answer.resume().on('end', () => incoming.socket.destroy())
        return
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      if (typeof fault !== 'object') return void answer.pipe(outgoing)
      let sent = 0
      answer.on('data', (chunk: Buffer) => {
        const rest = fault.cutAfter - sent
        sent += chunk.length
        if (rest > 0) outgoing.write(chunk.subarray(0, rest))
        if (sent >= fault.cutAfter) {
          answer.destroy()
          outgoing.write('', () => incoming.socket.destroy())
        }
      })
      answer.on('end', () => outgoing.end())
      answer.on('error', () => incoming.socket.destroy())
    })
    incoming.pipe(onward)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get plan() {
      return proxy.plan
    },
    set plan(plan) {
      proxy.plan = plan
    },
    async close() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
}
