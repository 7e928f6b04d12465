/**
 * Compressed batches: kafkajs knows gzip alone, foreign producers also use snappy, lz4 and zstd. Here they are read; what is written is gzip at its fastest, or not
 * compressed. Invariant: what a batch may grow to is bounded.
 */
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { Decompress } from 'fzstd'
import kafkajs from 'kafkajs'
import { decompressLz4Frame } from './lz4.ts'

/** kafkajs' two ends of a codec; the encoder is its own buffer. */
interface Codec {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>
  decompress(bytes: Buffer): Promise<Buffer>
}

/** Without types of its own. */
const { uncompress } = createRequire(import.meta.url)('snappyjs') as {
  uncompress(bytes: Buffer, maxBytes: number): Buffer
}

const MAX_BYTES = 128 * 1024 * 1024
/** Levels 1 and 6 differ by a tenth in bytes and by half in work. */
const GZIP_LEVEL = 1
const gzipped = promisify<Buffer, { level: number }, Buffer>(gzip)
const gunzipped = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip)

/** snappy-java's stream (xerial): this header, two numbers of version, then blocks, each with its length before it. */
const XERIAL = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const XERIAL_HEADER_BYTES = 16

/** Java's producers write the stream, librdkafka's a bare block. */
export function decompressSnappy(bytes: Buffer): Buffer {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) return uncompress(bytes, MAX_BYTES)
  const blocks: Buffer[] = []
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length; ) {
    const size = bytes.readInt32BE(at)
    blocks.push(uncompress(bytes.subarray(at + 4, at + 4 + size), MAX_BYTES))
    at += 4 + size
  }
  return Buffer.concat(blocks)
}

export function decompressZstd(bytes: Buffer): Buffer {
  const chunks: Uint8Array[] = []
  let length = 0
  const stream = new Decompress((chunk) => {
    length += chunk.length
    if (length > MAX_BYTES) throw new Error(`A batch in zstd holds more than ${MAX_BYTES} bytes.`)
    chunks.push(chunk)
  })
  stream.push(bytes, true)
  return Buffer.concat(chunks, length)
}

const readOnly = (name: string, decompress: (bytes: Buffer) => Buffer) => (): Codec => ({
  compress: () => Promise.reject(new Error(`Batches are not written in ${name}.`)),
  decompress: async (bytes) => decompress(bytes),
})

/** Tells kafkajs the codecs, for all clients of this process. May be called again. */
export function registerCodecs(): void {
  const { CompressionCodecs: codecs, CompressionTypes: types } = kafkajs
  codecs[types.GZIP] = (): Codec => ({
    compress: ({ buffer }) => gzipped(buffer, { level: GZIP_LEVEL }),
    decompress: (bytes) => gunzipped(bytes, { maxOutputLength: MAX_BYTES }),
  })
  codecs[types.Snappy] = readOnly('snappy', decompressSnappy)
  codecs[types.LZ4] = readOnly('lz4', (bytes) => decompressLz4Frame(bytes, MAX_BYTES))
  codecs[types.ZSTD] = readOnly('zstd', decompressZstd)
}
