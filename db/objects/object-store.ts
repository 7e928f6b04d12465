/**
 * The object store's port: whole objects under slash-separated keys. A folder when embedded, S3 in the cluster.
 * Checkpoints live here, and later the lake's files.
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
