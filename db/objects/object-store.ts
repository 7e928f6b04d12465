/**
 * The object store's port: whole objects under slash-separated keys. A folder when embedded, S3 in the cluster.
 *
 * Checkpoints need no more than `ObjectStore`; `BulkObjectStore`, which both forms are, is what the lake needs on top. Invariant of every form: an object is there
 * whole or not at all, and what was put is durable when the call resolves.
 */

export interface ObjectStore {
  /** Durable when it resolves; replaces an object of the same key as a whole, never half. */
  put(key: string, body: Uint8Array): Promise<void>
  /** @returns null when there is no such object. */
  get(key: string): Promise<Buffer | null>
  /** Keys under the prefix, ascending. */
  list(prefix: string): Promise<string[]>
  /** No error when it does not exist. */
  delete(key: string): Promise<void>
}

export interface ObjectInfo {
  key: string
  bytes: number
  /** When it was put, by the store's clock: epoch milliseconds, exact to a second. */
  modifiedMs: number
}

/** An object's bytes while they come in. Whoever asked for them reads `body` to its end, or breaks off. */
export interface ObjectStream {
  bytes: number
  body: AsyncIterable<Uint8Array>
}

export interface BulkObjectStore extends ObjectStore {
  /** The root as a URL without a slash at its end, as Iceberg's metadata wants it: `s3://bucket/prefix`, `gs://bucket/prefix` or `file:///srv/objects`, nothing escaped. */
  readonly location: string
  /** Whether there is {@link putIfAbsent}: Google's S3 interface has none. */
  readonly putsIfAbsent: boolean
  /** @returns false, and changes nothing, when the key is taken. Of several at once one gets true. */
  putIfAbsent(key: string, body: Uint8Array): Promise<boolean>
  /** From a local file, in memory that does not grow with it. */
  putFile(key: string, path: string): Promise<void>
  /** Into a local file, which is there whole or not at all. @returns false when there is no such object */
  getFile(key: string, path: string): Promise<boolean>
  /**
   * Some bytes of an object; fewer where it ends before.
   * @param start counted from the object's end when negative
   * @returns null when there is no such object
   */
  getRange(key: string, start: number, length: number): Promise<Buffer | null>
  /** Of one object, also when another is put under the key meanwhile; S3 may then fail. @returns null when there is no such object */
  stream(key: string): Promise<ObjectStream | null>
  /** @returns null when there is no such object. */
  stat(key: string): Promise<ObjectInfo | null>
  /** What is under the prefix, page by page: any number of objects in bounded memory. Keys ascend by their UTF-8 bytes. */
  pages(prefix: string): AsyncIterable<ObjectInfo[]>
  /** No error for those that do not exist. When it fails, some of them may be gone. */
  deleteMany(keys: readonly string[]): Promise<void>
}

/** The code of an error where the bytes that come are not those that were put. */
export const DAMAGED = 'BadDigest'

/** The store did not do what it was asked: the message names the object, the place and what to do. */
export class ObjectStoreError extends Error {
  override readonly name = 'ObjectStoreError'
  /** What the store calls it, e.g. `AccessDenied`, or `ECONNREFUSED`. */
  readonly code: string

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
