/**
 * Which keys an object may have, in every form of the store: what works in a folder works in S3, and the other way round.
 * Invariant: a key that passes can't leave the folder or the prefix it is put under.
 */

/** S3's limit. */
const MAX_KEY_BYTES = 1024
/** A file's name. */
const MAX_SEGMENT_BYTES = 255
/** Where the folder keeps what it is writing. */
export const INCOMPLETE = '.incomplete'

/** @throws Error when the key would leave the folder, or could not be an S3 key. */
export function checkKey(key: string): void {
  const bad = (why: string): never => {
    throw new Error(`"${key.slice(0, 200)}" can't be an object's key: ${why}.`)
  }
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) bad(`it is longer than ${MAX_KEY_BYTES} bytes`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\\\u0000-\u001f\u007f]/.test(key)) bad('it contains a backslash or a control character')
  const segments = key.split('/')
  if (segments[0] === INCOMPLETE) bad(`${INCOMPLETE} is reserved`)
  for (const segment of segments) {
    if (segment === '') bad('it is empty, or has an empty part between, before or after slashes')
    if (segment === '.' || segment === '..') bad('"." and ".." are not allowed')
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) bad(`a part is longer than ${MAX_SEGMENT_BYTES} bytes`)
  }
}

/** A prefix may end anywhere, but its folders must be such that a key could be in them. */
export function checkPrefix(prefix: string): void {
  const slash = prefix.lastIndexOf('/')
  if (slash >= 0) checkKey(prefix.slice(0, slash))
}
