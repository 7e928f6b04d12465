/**
 * Random texts that stand for a right by being known: refresh tokens and login codes.
 *
 * Invariant: 256 random bits, so that one round of SHA-256 is all the hashing they need; stores are given the hash alone.
 */

export interface Opaque {
  /** For whoever asked for it, and nobody else. */
  text: string
  hash: Uint8Array
}

export async function newOpaque(): Promise<Opaque> {
  const text = base64url(crypto.getRandomValues(new Uint8Array(32)))
  return { text, hash: await hashOf(text) }
}

export async function hashOf(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}

const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
