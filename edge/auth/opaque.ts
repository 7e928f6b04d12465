/**
 * Random texts that stand for a right by being known: refresh tokens and login codes.
 *
 * Invariant: 256 random bits, so that one round of SHA-256 is all the hashing they need; stores are given the hash alone.
 */
import { sha256Of } from '../sha256.ts'

export interface Opaque {
  /** For whoever asked for it, and nobody else. */
  text: string
  hash: Uint8Array
}

export async function newOpaque(): Promise<Opaque> {
  const text = base64url(crypto.getRandomValues(new Uint8Array(32)))
  return { text, hash: await sha256Of(text) }
}

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
