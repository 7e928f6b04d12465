/** Makes write keys with the cryptography of Node, which Bun and Deno have too: that of the Web has no hash without a promise. */
import { createHash, randomBytes } from 'node:crypto'
import type { KeyMaker } from '../ingest/keys/key-text.ts'

const hash = (text: string): Uint8Array => createHash('sha256').update(text).digest()

export const keyMaker: KeyMaker = {
  hash,
  make() {
    const id = `wk_${randomBytes(6).toString('hex')}`
    const text = `${id}_${randomBytes(24).toString('base64url')}`
    return { id, text, hash: hash(text) }
  },
}
