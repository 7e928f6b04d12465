/** How the edge's server ends: what is in flight is finished, and nothing else is waited for. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serve } from './node.ts'

const GRACE_MS = 20_000

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined)
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

describe('closing the server', () => {
  it('does not wait for connections without a request: opened in advance, kept alive, or with half a head', async () => {
    const served = await serve({ fetch: () => new Response('ok'), host: '127.0.0.1', port: 0, graceMs: GRACE_MS })
    await connected(served.port)
    const half = await connected(served.port)
    half.write('GET / HTTP/1.1\r\nHost: e')
    const used = await connected(served.port)
    used.write('GET / HTTP/1.1\r\nHost: edge\r\n\r\n')
    await once(used, 'data')
    const startedMs = performance.now()
    await served.close()
    expect(performance.now() - startedMs).toBeLessThan(GRACE_MS / 2)
  })

  it('finishes the request that is in flight', async () => {
    let answer: (response: Response) => void = () => undefined
    let begun: () => void = () => undefined
    const arrived = new Promise<void>((resolve) => {
      begun = resolve
    })
    const fetchSlowly = () => {
      begun()
      return new Promise<Response>((resolve) => {
        answer = resolve
      })
    }
    const served = await serve({ fetch: fetchSlowly, host: '127.0.0.1', port: 0, graceMs: GRACE_MS })
    const asking = fetch(served.url)
    await arrived
    const closing = served.close()
    answer(new Response('finished'))
    expect(await (await asking).text()).toBe('finished')
    await closing
  })
})
