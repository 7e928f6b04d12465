/**
 * The text of a write key: `wk_<12 hex digits>_<secret>`. What stands before the second underscore is its id, which anybody may see, and by which it is found.
 *
 * Invariant: the secret is random and of 192 bits, so that one round of SHA-256 is all the hashing it needs; the text itself is shown once and kept nowhere.
 */
export interface MadeKey {
  id: string
  /** For whoever asked for it, and nobody else. */
  text: string
  hash: Uint8Array
}

/** What keys are made with; `runtime/key-maker.ts` has the usual one. */
export interface KeyMaker {
  make(): MadeKey
  /** SHA-256 of the text's UTF-8. Not a promise: every request waits for it. */
  hash(text: string): Uint8Array
}

const ID_LENGTH = 'wk_'.length + 12

/** The id that the text claims; of a text that is no such key, anything. */
export const claimedId = (text: string): string => text.slice(0, ID_LENGTH)
