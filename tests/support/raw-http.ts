/** HTTP by hand over a socket: for what no well-behaved client would send. */
import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  /** Of the first response; null when the connection ended without one. */
  status: number | null
  text: string
}

/**
 * Sends the bytes as they are and waits for the first answer, or the end of the connection.
 * @param url of the server
 * @throws Error when neither comes within the time
 */
export function sendRaw(url: string, bytes: string | Uint8Array, timeoutMs = 40_000): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = open(url)
    let text = ''
    const done = () => {
      clearTimeout(late)
      socket.destroy()
      const status = /^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]
      resolve({ status: status === undefined ? null : Number(status), text })
    }
    const late = setTimeout(() => {
      socket.destroy()
      reject(new Error(`No answer within ${timeoutMs} ms to ${String(bytes).slice(0, 80)}`))
    }, timeoutMs)
    socket.on('data', (chunk: string) => {
      text += chunk
      // Not "100 Continue".
      if (/^HTTP\/1\.1 [2-5]\d\d[\s\S]*\r\n\r\n/.test(text)) done()
    })
    // A server that refuses a large body hangs up while it is still being sent.
    socket.on('error', done)
    socket.on('close', done)
    socket.write(bytes)
  })
}

/** A connection that only sends: what comes back is dropped, and errors are nobody's concern. */
export function open(url: string): Socket {
  const { hostname, port } = new URL(url)
  return connect(Number(port), hostname)
    .setEncoding('utf8')
    .on('error', () => undefined)
}
