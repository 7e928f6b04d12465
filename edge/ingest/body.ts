/**
 * The body of an ingest request: read within bounds, decompressed within bounds, decoded as UTF-8.
 *
 * Invariant: never more than the limit is held, whatever the headers claim; a gzip bomb stops at the limit, not at its end.
 */
import { Problem } from '../problem.ts'
import type { Ticket } from './pressure.ts'

export interface BodyLimits {
  compressedBytesMax: number
  decompressedBytesMax: number
}

const FORMATS: Readonly<Record<string, CompressionFormat>> = { gzip: 'gzip', 'x-gzip': 'gzip', deflate: 'deflate' }
/** Compressed bytes are fed in pieces of this size, so that one piece can't expand to much before it is counted. */
const PIECE_BYTES = 4096

/** The body as text. @throws Problem */
export async function readText(request: Request, limits: BodyLimits, ticket: Ticket): Promise<string> {
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? ''
  const format = FORMATS[encoding]
  if (!format && encoding !== '' && encoding !== 'identity') {
    throw new Problem('unsupported_encoding', 'Content-Encoding: only gzip, deflate, or none.', {
      headers: { 'accept-encoding': 'gzip, deflate' },
    })
  }
  const raw = await readBounded(request, limits.compressedBytesMax, ticket)
  const bytes = format ? await decompress(raw, format, limits.decompressedBytesMax, ticket) : raw
  if (bytes.length === 0) throw new Problem('malformed_body', 'The body is empty. Send one event, an array, or NDJSON.')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Problem('malformed_body', 'The body is not valid UTF-8. Encode the JSON text as UTF-8.')
  }
}

/**
 * A stated length within the limit only chooses the quicker way to read: the server's framing holds a client to what it states, and the length is
 * checked afterwards all the same. Anything else is counted as it streams.
 */
async function readBounded(request: Request, bytesMax: number, ticket: Ticket): Promise<Uint8Array> {
  const stated = request.headers.get('content-length')
  if (stated !== null && /^\d+$/.test(stated)) {
    const length = Number(stated)
    if (length > bytesMax) throw tooLarge(bytesMax)
    ticket.hold(length)
    const bytes = new Uint8Array(await readOr400(request.arrayBuffer()))
    if (bytes.length > bytesMax) throw tooLarge(bytesMax)
    return bytes
  }
  if (!request.body) return new Uint8Array()
  return collect(request.body.getReader(), bytesMax, () => tooLarge(bytesMax), ticket)
}

async function decompress(
  raw: Uint8Array,
  format: CompressionFormat,
  bytesMax: number,
  ticket: Ticket,
): Promise<Uint8Array> {
  const stream = new DecompressionStream(format)
  const writer = stream.writable.getWriter()
  const feed = async () => {
    for (let at = 0; at < raw.length; at += PIECE_BYTES) {
      await writer.ready
      await writer.write(raw.slice(at, at + PIECE_BYTES))
    }
    await writer.close()
  }
  // A failure to feed shows again on the readable side, where it is answered.
  const fed = feed().catch(() => undefined)
  try {
    const reader = stream.readable.getReader() as ReadableStreamDefaultReader<Uint8Array>
    return await collect(
      reader,
      bytesMax,
      () =>
        new Problem(
          'body_too_large',
          `The body is larger than ${bytesMax} bytes once decompressed. Send fewer events.`,
        ),
      ticket,
    )
  } catch (error) {
    if (error instanceof Problem && error.code !== 'malformed_body') throw error
    throw new Problem('malformed_body', `The body is not valid ${format} data, though Content-Encoding says so.`)
  } finally {
    writer.abort().catch(() => undefined)
    await fed
  }
}

async function collect(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  bytesMax: number,
  tooMuch: () => Problem,
  ticket: Ticket,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let total = 0
  try {
    for (;;) {
      const { done, value } = await readOr400(reader.read())
      if (done) break
      total += value.length
      if (total > bytesMax) throw tooMuch()
      ticket.hold(value.length)
      chunks.push(value)
    }
  } catch (error) {
    reader.cancel().catch(() => undefined)
    throw error
  }
  if (chunks.length === 1) return chunks[0]!
  const all = new Uint8Array(total)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
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
