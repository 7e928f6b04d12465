/** Brotli by `node:zlib`, which Bun and Deno have too. As a stream of the Web, with its back pressure: what is not read is not decompressed. */
import { Duplex } from 'node:stream'
import { createBrotliDecompress } from 'node:zlib'
import type { Decompressor } from '../ingest/body.ts'

export const brotliDecompressor = (): Decompressor => Duplex.toWeb(createBrotliDecompress()) as unknown as Decompressor
