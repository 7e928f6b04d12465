/** Bodies that come in time, and such that don't, whichever way they are read. */
import { describe, expect, it } from 'vitest'
import { limitBody } from './body-deadline.ts'

const LIMIT_MS = 50

/** @param isEndless begins, and then nothing comes any more */
function posted(text: string, isEndless = false): Request {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text))
      if (!isEndless) controller.close()
    },
  })
  return new Request('http://edge/', { method: 'POST', body, duplex: 'half' } as RequestInit)
}

const readStream = (request: Request): Promise<string> => new Response(request.body).text()

describe('a body that comes in time', () => {
  it.each<[how: string, read: (request: Request) => Promise<unknown>, is: unknown]>([
    ['text', (request) => request.text(), '{"a":1}'],
    ['JSON', (request) => request.json(), { a: 1 }],
    ['bytes', async (request) => (await request.arrayBuffer()).byteLength, 7],
    ['a stream', readStream, '{"a":1}'],
    ['JSON, after a look whether there is a body', async (request) => request.body && request.json(), { a: 1 }],
  ])('is read as %s', async (_, read, is) => {
    const request = posted('{"a":1}')
    const deadline = limitBody(request, 60_000)
    expect(await read(request)).toEqual(is)
    expect(deadline.isOver).toBe(false)
  })

  it('is not there where a request has none', () => {
    const request = new Request('http://edge/', { method: 'POST' })
    limitBody(request, LIMIT_MS)
    expect(request.body).toBeNull()
  })
})

describe('a body that does not', () => {
  it.each<[how: string, read: (request: Request) => Promise<unknown>]>([
    ['text', (request) => request.text()],
    ['JSON', (request) => request.json()],
    ['bytes', (request) => request.arrayBuffer()],
    ['a stream', readStream],
  ])('is cut off, read as %s', async (_, read) => {
    const request = posted('{"a":', true)
    const deadline = limitBody(request, LIMIT_MS)
    await expect(read(request)).rejects.toThrow('The body did not arrive within 0.05 s')
    expect(deadline.isOver).toBe(true)
  })
})
