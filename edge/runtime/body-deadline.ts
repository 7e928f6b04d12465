/**
 * A time limit for bodies, for servers that have none: from when it is read, a body has so long to arrive, whichever way it is read.
 * Invariant: a body that arrives in time is what it would have been without.
 */

const READERS = ['arrayBuffer', 'blob', 'bytes', 'formData', 'json', 'text'] as const

export interface BodyDeadline {
  /** Whether the body has been cut off. */
  readonly isOver: boolean
}

/** Makes reading the request's body fail after `limitMs`. The request stays the same object, since servers know their requests by identity. */
export function limitBody(request: Request, limitMs: number): BodyDeadline {
  let isOver = false
  const expired = () => {
    isOver = true
    return new Error(`The body did not arrive within ${limitMs / 1000} s`)
  }
  const within = async <T>(reading: Promise<T>, ms: number): Promise<T> => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(expired()), ms)
    })
    try {
      return await Promise.race([reading, late])
    } finally {
      clearTimeout(timer)
    }
  }

  for (const name of READERS) {
    const read = request[name] as (() => Promise<unknown>) | undefined
    if (read) Object.defineProperty(request, name, { value: () => within(read.call(request), limitMs) })
  }
  let limited: ReadableStream<Uint8Array> | null | undefined
  Object.defineProperty(request, 'body', {
    get() {
      if (limited === undefined) {
        const body = Reflect.get(Object.getPrototypeOf(request), 'body', request) as ReadableStream<Uint8Array> | null
        limited = body && limitedStream(body, limitMs, within)
      }
      return limited
    },
  })
  return {
    get isOver() {
      return isOver
    },
  }
}

type Within = <T>(reading: Promise<T>, ms: number) => Promise<T>

/** Takes the body only when it is read: whoever just looks whether there is one may read it another way afterwards. */
function limitedStream(body: ReadableStream<Uint8Array>, limitMs: number, within: Within): ReadableStream<Uint8Array> {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  let untilMs = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (!reader) {
          reader = body.getReader()
          untilMs = performance.now() + limitMs
        }
        const { done, value } = await within(reader.read(), Math.max(0, untilMs - performance.now()))
        if (done) controller.close()
        else controller.enqueue(value)
      },
      cancel: (reason) => (reader ?? body).cancel(reason),
    },
    { highWaterMark: 0 },
  )
}
