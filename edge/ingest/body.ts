/**
 * The body of an ingest request: read within bounds, decompressed within bounds, decoded as UTF-8.
 *
 * Invariant: never more than the limit is held, whatever the headers claim; a compressed bomb stops at the limit, not at its end; a client that stops sending can be given up.
 */
import { Problem } from '../problem.ts'
import type { Ticket } from './pressure.ts'

export interface BodyLimits {
  compressedBytesMax: number
  decompressedBytesMax: number
}

/** Decompresses what is written to it. */
export type Decompressor = ReadableWritablePair<Uint8Array, BufferSource>

/** By name of a content coding. Brotli is the runtime's: the Web's streams don't have it everywhere. */
export type Decompressors = Readonly<Record<string, () => Decompressor>>

const web = (format: CompressionFormat) => (): Decompressor =>
  new DecompressionStream(format) as unknown as Decompressor
export const WEB_DECOMPRESSORS: Decompressors = {
  gzip: web('gzip'),
  'x-gzip': web('gzip'),
  deflate: web('deflate'),
}

/** Compressed bytes are fed in pieces of this size, so that one piece can't expand to much before it is counted. */
const PIECE_BYTES = 4096
/** Smaller bodies are read at once, which is quicker. Such a read can't be broken off. */
const SMALL_BYTES = 64 * 1024

/** The body as text. @throws Problem */
export async function readText(
  request: Request,
  limits: BodyLimits,
  decompressors: Decompressors,
  ticket: Ticket,
): Promise<string> {
  const coding = codingOf(request)
  const decompressor = decompressorOf(coding, decompressors)
  const { compressedBytesMax, decompressedBytesMax } = limits
  const raw = await readBounded(request, compressedBytesMax, ticket)
  const bytes = decompressor
    ? await collect(
        inflated(piecesOf(raw), decompressor(), coding),
        decompressedBytesMax,
        () => expandsBeyond(decompressedBytesMax),
        ticket,
      )
    : raw
  ticket.arrived()
  if (bytes.length === 0) throw new Problem('malformed_body', 'The body is empty. Send one event, an array, or NDJSON.')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Problem('malformed_body', 'The body is not valid UTF-8. Encode the JSON text as UTF-8.')
  }
}

/** The body as it arrives, decompressed, until it ends or the signal is aborted; nothing of it is held. @throws Problem, also while it is read */
export function readChunks(
  request: Request,
  decompressors: Decompressors,
  ticket: Ticket,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const coding = codingOf(request)
  const decompressor = decompressorOf(coding, decompressors)
  const raw = arriving(request, ticket, signal)
  return decompressor ? inflated(raw, decompressor(), coding) : raw
}

const codingOf = (request: Request): string => request.headers.get('content-encoding')?.trim().toLowerCase() ?? ''

function decompressorOf(coding: string, decompressors: Decompressors): (() => Decompressor) | null {
  if (coding === '' || coding === 'identity') return null
  if (Object.hasOwn(decompressors, coding)) return decompressors[coding]!
  const known = Object.keys(decompressors).filter((name) => !name.startsWith('x-'))
  throw new Problem('unsupported_encoding', `Content-Encoding: only one of ${known.join(', ')}, or none.`, {
    headers: { 'accept-encoding': known.join(', ') },
  })
}

/**
 * A stated length only chooses the quicker way to read: the server's framing holds a client to what it states, and the length is checked afterwards all the same.
 * Anything else is counted as it streams.
 */
async function readBounded(request: Request, bytesMax: number, ticket: Ticket): Promise<Uint8Array> {
  const stated = request.headers.get('content-length')
  if (stated !== null && /^\d+$/.test(stated)) {
    const length = Number(stated)
    if (length > bytesMax) throw tooLarge(bytesMax)
    if (length <= SMALL_BYTES) {
      const bytes = new Uint8Array(await readOr400(request.arrayBuffer()))
      if (bytes.length > bytesMax) throw tooLarge(bytesMax)
      ticket.hold(bytes.length)
      return bytes
    }
  }
  return collect(arriving(request, ticket), bytesMax, () => tooLarge(bytesMax), ticket)
}

/** @throws Problem when the client breaks off, or is given up */
async function* arriving(request: Request, ticket: Ticket, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  if (!request.body) return
  const reader = request.body.getReader()
  let isGivenUp = false
  const giveUp = () => {
    isGivenUp = true
    reader.cancel().catch(() => undefined)
  }
  const end = () => void reader.cancel().catch(() => undefined)
  signal?.addEventListener('abort', end)
  let isDone = false
  try {
    while (!signal?.aborted) {
      ticket.waits(giveUp)
      const { done, value } = await readOr400(reader.read())
      ticket.waits(null)
      if (isGivenUp) {
        throw new Problem(
          'body_too_slow',
          'The body came so slowly that its place was given to others. Send the same request again.',
        )
      }
      if (done) {
        isDone = true
        return
      }
      yield value
    }
  } finally {
    ticket.waits(null)
    signal?.removeEventListener('abort', end)
    if (!isDone) reader.cancel().catch(() => undefined)
  }
}

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** What the chunks are, decompressed. @throws Problem where they are not what the coding says */
async function* inflated(
  chunks: AsyncIterable<Uint8Array>,
  { readable, writable }: Decompressor,
  coding: string,
): AsyncGenerator<Uint8Array> {
  const writer = writable.getWriter()
  const reader = readable.getReader()
  let fault: Problem | undefined
  const feed = async () => {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        await writer.ready
        await writer.write(chunk.slice(at, at + PIECE_BYTES))
      }
    }
    await writer.close()
  }
  const fed = feed().catch((error: unknown) => {
    // A failure to decompress shows again on the readable side, where it is answered; one of the client's body does not.
    if (error instanceof Problem) fault = error
    return writer.abort(error).catch(() => undefined)
  })
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      yield value
    }
  } catch (error) {
    throw (
      fault ??
      new Problem('malformed_body', `The body is not valid ${coding} data, though Content-Encoding says so.`, {
        cause: error,
      })
    )
  } finally {
    reader.cancel().catch(() => undefined)
    writer.abort().catch(() => undefined)
    await fed
  }
}

async function collect(
  chunks: AsyncIterable<Uint8Array>,
  bytesMax: number,
  tooMuch: () => Problem,
  ticket: Ticket,
): Promise<Uint8Array> {
  const all: Uint8Array[] = []
  let total = 0
  for await (const chunk of chunks) {
    total += chunk.length
    if (total > bytesMax) throw tooMuch()
    ticket.hold(chunk.length)
    all.push(chunk)
  }
  return joined(all, total)
}

/** @param length of all parts together */
export function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0]!
  const all = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** A body that breaks off is the client's doing (or the network's), not a fault of the edge. */
async function readOr400<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    throw new Problem('malformed_body', 'The body broke off before its end.', { cause: error })
  }
}

const tooLarge = (bytesMax: number) =>
  new Problem('body_too_large', `The body is larger than ${bytesMax} bytes. Send fewer events, or compress with gzip.`)
const expandsBeyond = (bytesMax: number) =>
  new Problem('body_too_large', `The body is larger than ${bytesMax} bytes once decompressed. Send fewer events.`)
