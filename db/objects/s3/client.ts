/**
 * Signed requests to one S3 bucket: each in bounded time, tried again a bounded number of times where trying again can help.
 *
 * Under `s3.ts`. Invariants: what is sent is covered by its signature, bodies included, so that no byte is changed on the way unseen; an attempt that falls silent is
 * ended; only answers that promise nothing else (5xx, 429, a broken connection) are tried again, with a growing, random pause; at most `requestsMax` run at once.
 */
import { createHash } from 'node:crypto'
import { AwsV4Signer } from 'aws4fetch'
import type { Clock } from '../../../streams/time/clock.ts'
import { type Place, type Purpose, type Refusal, refusalOf, refused, unreachable } from './errors.ts'

export interface S3Target {
  bucket: string
  /** null: Amazon's, of the region. */
  endpoint: string | null
  region: string
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
}

export interface S3Limits {
  /** The first one included. */
  attempts: number
  /** How long an answer may be silent, before its first byte and between two; uploads get a second per megabyte on top. */
  silenceMs: number
  /** The pause before the second attempt is random up to this; it doubles from one to the next, up to `pauseMaxMs`. */
  pauseMs: number
  pauseMaxMs: number
  requestsMax: number
}

export const S3_LIMITS: S3Limits = {
  attempts: 6,
  silenceMs: 20_000,
  pauseMs: 200,
  pauseMaxMs: 5_000,
  requestsMax: 32,
}

export interface S3Request extends Purpose {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  /** Of the object, as the server knows it; null for the bucket. */
  key: string | null
  query?: Readonly<Record<string, string>>
  headers?: Readonly<Record<string, string>>
  body?: Uint8Array
  /** Of the body, where it is known already. */
  sha256?: string
  /** Refusals that are answers, by status or code: 404, `NoSuchKey`. They come back with `refusal`. */
  answers?: readonly (number | string)[]
  /** What is wrong with an answer of success, in one sentence, or null: S3 may say 200 and then fail. It is tried again. */
  verify?: (body: Buffer, headers: Headers) => string | null
  /** The error's code when it stays wrong. */
  wrongCode?: string
}

export interface S3Answer {
  status: number
  headers: Headers
  body: Buffer
  /** Only of those named in `answers`. */
  refusal: Refusal | null
  /** How many attempts it took. */
  attempts: number
}

export interface S3Download {
  status: number
  headers: Headers
  chunks: AsyncIterable<Uint8Array>
}

export interface S3Client {
  readonly place: Place
  readonly limits: S3Limits
  /** The answer with its whole body. @throws ObjectStoreError */
  send(request: S3Request): Promise<S3Answer>
  /** The answer's head; its body follows, and is tried again by nobody. @returns the refusal where it was named in `answers`. @throws ObjectStoreError */
  download(request: S3Request): Promise<S3Download | Refusal>
  /** Before the next attempt. @param failed how many there were */
  pause(failed: number): Promise<void>
}

/** Statuses that say "not now". S3 answers 409 to conditional puts that cross, 400 RequestTimeout to a slow upload. */
const AGAIN = new Set([408, 429, 500, 502, 503, 504])
const AGAIN_CODES = new Set(['RequestTimeout', 'ConditionalRequestConflict', 'OperationAborted', 'SlowDown'])
const EMPTY = new Uint8Array(0)
const ERROR_BODY_MAX = 64 * 1024

class TryAgain extends Error {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    super(`${refusal.code} ${refusal.message}`.trim())
    this.refusal = refusal
  }
}

export function createS3Client(
  target: S3Target,
  { clock, random, limits }: { clock: Clock; random: () => number; limits: S3Limits },
): S3Client {
  const base = baseUrl(target)
  const place: Place = { bucket: target.bucket, origin: new URL(base).origin, region: target.region }
  const slots = createSlots(limits.requestsMax)
  /** Keys derived from the secret, one per day. */
  let derived = new Map<string, ArrayBuffer>()

  async function signed({ method, key, query, headers, body, sha256 }: S3Request): Promise<[string, RequestInit]> {
    if (derived.size > 4) derived = new Map()
    const url = `${base}${key === null ? '' : encodeKey(key)}${queryOf(query)}`
    const signer = new AwsV4Signer({
      method,
      url,
      headers: {
        ...headers,
        'x-amz-content-sha256': sha256 ?? sha256Of(body ?? EMPTY),
      },
      accessKeyId: target.accessKeyId,
      secretAccessKey: target.secretAccessKey,
      ...(target.sessionToken && { sessionToken: target.sessionToken }),
      service: 's3',
      region: target.region,
      cache: derived,
      datetime: new Date(clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
    })
    const { headers: all } = await signer.sign()
    // Bytes as they are stored: an answer that was compressed on the way has another length.
    all.set('accept-encoding', 'identity')
    return [url, { method, headers: all, redirect: 'manual', ...(body && { body: body as Uint8Array<ArrayBuffer> }) }]
  }

  const pause = (failed: number): Promise<void> =>
    clock.sleep(random() * Math.min(limits.pauseMs * 2 ** (failed - 1), limits.pauseMaxMs))

  /** One attempt up to the answer's head; `use` reads on, and calls `heard` for whatever comes in. */
  async function attempt<T>(request: S3Request, use: (response: Response, silence: Silence) => Promise<T>): Promise<T> {
    const silence = createSilence(limits.silenceMs, (request.body?.length ?? 0) / 1_000)
    try {
      const [url, init] = await signed(request)
      const response = await fetch(url, { ...init, signal: silence.signal })
      silence.heard()
      return await use(response, silence)
    } catch (error) {
      // An aborted fetch says that it was aborted; why, the signal knows.
      throw silence.signal.aborted ? silence.signal.reason : error
    } finally {
      silence.end()
    }
  }

  /** @throws TryAgain, ObjectStoreError; null: no refusal */
  async function refusalIn(response: Response, request: S3Request, silence: Silence): Promise<Refusal | null> {
    if (response.status >= 200 && response.status < 300) return null
    const body = await readAll(response, silence, ERROR_BODY_MAX)
    const refusal = refusalOf(response.status, response.headers, body.toString('utf8'))
    if (request.answers?.some((answer) => answer === refusal.status || answer === refusal.code)) return refusal
    if (AGAIN.has(refusal.status) || AGAIN_CODES.has(refusal.code)) throw new TryAgain(refusal)
    throw refused(refusal, request, place)
  }

  async function withRetries<T>(request: S3Request, once: (number: number) => Promise<T>): Promise<T> {
    return slots(async () => {
      for (let number = 1; ; number++) {
        try {
          return await once(number)
        } catch (error) {
          if (error instanceof Error && error.name === 'ObjectStoreError') throw error
          if (number >= limits.attempts) {
            throw error instanceof TryAgain
              ? refused(error.refusal, request, place)
              : unreachable(error, request, place, number)
          }
        }
        await pause(number)
      }
    })
  }

  return {
    place,
    limits,
    pause,
    send: (request) =>
      withRetries(request, (number) =>
        attempt(request, async (response, silence) => {
          const { status, headers } = response
          const refusal = await refusalIn(response, request, silence)
          if (refusal) return { status, headers, body: Buffer.alloc(0), refusal, attempts: number }
          const body = await readAll(response, silence)
          const wrong = request.verify?.(body, headers) ?? null
          if (wrong !== null)
            throw new TryAgain({
              status: 500,
              code: request.wrongCode ?? 'BadAnswer',
              message: wrong,
              bucketRegion: null,
            })
          return { status, headers, body, refusal: null, attempts: number }
        }),
      ),
    download: (request) =>
      withRetries(request, async () => {
        const silence = createSilence(limits.silenceMs, 0)
        try {
          const [url, init] = await signed(request)
          const response = await fetch(url, { ...init, signal: silence.signal })
          silence.heard()
          const refusal = await refusalIn(response, request, silence)
          silence.end()
          if (refusal) return refusal
          return { status: response.status, headers: response.headers, chunks: chunksOf(response, silence) }
        } catch (error) {
          silence.end()
          throw silence.signal.aborted ? silence.signal.reason : error
        }
      }),
  }
}

export const sha256Of = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex')

export const amazonHost = (region: string): string =>
  `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`

/** With own endpoints the bucket is the path's beginning; at Amazon's it is the host's, unless its dots would break the certificate. */
function baseUrl({ bucket, endpoint, region }: S3Target): string {
  if (endpoint !== null) return `${endpoint.replace(/\/+$/, '')}/${bucket}/`
  const host = amazonHost(region)
  return bucket.includes('.') ? `https://${host}/${bucket}/` : `https://${bucket}.${host}/`
}

/** RFC 3986, as signatures want it: what `encodeURIComponent` leaves out is encoded as well. */
const encode = (plain: string): string =>
  encodeURIComponent(plain).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
const encodeKey = (key: string): string => key.split('/').map(encode).join('/')

function queryOf(query: S3Request['query']): string {
  const pairs = Object.entries(query ?? {}).map(([name, value]) => `${encode(name)}=${encode(value)}`)
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

/** Ends an attempt in which nothing has been heard for too long. */
interface Silence {
  readonly signal: AbortSignal
  heard(): void
  end(): void
}

function createSilence(silenceMs: number, extraMs: number): Silence {
  const controller = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const wait = (ms: number): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      controller.abort(Object.assign(new Error(`no answer for ${Math.round(ms / 100) / 10} s`), { code: 'ETIMEDOUT' }))
    }, ms)
  }
  wait(silenceMs + extraMs)
  return { signal: controller.signal, heard: () => wait(silenceMs), end: () => clearTimeout(timer) }
}

/** The time that the reader takes between two chunks is not the server's silence. */
async function* chunksOf(response: Response, silence: Silence): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader()
  if (!reader) return
  try {
    for (;;) {
      silence.heard()
      const { done, value } = await reader.read()
      silence.end()
      if (done) return
      yield value
    }
  } catch (error) {
    throw silence.signal.aborted ? silence.signal.reason : error
  } finally {
    silence.end()
    // Where it was broken off, the connection goes with it.
    await reader.cancel().catch(() => undefined)
  }
}

async function readAll(response: Response, silence: Silence, bytesMax = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of chunksOf(response, silence)) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > bytesMax) break
  }
  return Buffer.concat(chunks)
}

/** At most so many at once; the others wait in the order they came. */
function createSlots(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = count
  const waiting: (() => void)[] = []
  return async (work) => {
    if (free > 0) free--
    else await new Promise<void>((go) => waiting.push(go))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}
