/** A proxy before a real PostgreSQL that cuts connections at the moment that a test wants: before a statement gets there, or when its answer is on the way back. */

import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'

export interface CuttingProxy {
  /** The database's URL, by the proxy. */
  readonly url: string
  /** Asked with what passes; true cuts the connection, and what was asked about does not get through. */
  cut: (what: { to: 'server' | 'client'; text: string }) => boolean
  /** Refuses every connection from now on, and ends those there are. */
  isAway: boolean
  /** Connections that were cut. */
  readonly cuts: number
  close(): Promise<void>
}

export async function startCuttingProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let away = false
  let cuts = 0
  const endAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer((client) => {
    if (away) return void client.destroy()
    const upstream = connect(Number(port), hostname)
    const both = [client, upstream]
    const end = (): void => {
      for (const socket of both) socket.destroy()
    }
    for (const socket of both) {
      sockets.add(socket)
      socket.on('error', end).on('close', () => {
        sockets.delete(socket)
        end()
      })
    }
    const pass = (from: Socket, to: Socket, name: 'server' | 'client'): void => {
      from.on('data', (data) => {
        if (proxy.cut({ to: name, text: data.toString('latin1') })) {
          cuts++
          end()
        } else to.write(data)
      })
    }
    pass(client, upstream, 'server')
    pass(upstream, client, 'client')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const proxy: CuttingProxy = {
    url: Object.assign(new URL(target), { hostname: '127.0.0.1', port: (server.address() as AddressInfo).port }).href,
    cut: () => false,
    get isAway() {
      return away
    },
    set isAway(value) {
      away = value
      if (away) endAll()
    },
    get cuts() {
      return cuts
    },
    async close() {
      endAll()
      await new Promise((closed) => server.close(closed))
    },
  }
  return proxy
}
