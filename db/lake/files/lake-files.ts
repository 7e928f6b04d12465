/**
 * The lake's files by their URIs, over the object store's port: the same for a folder and for S3.
 *
 * Iceberg's metadata names every file by an absolute URI, and other engines spell them their way (`file:/x`, `s3a://…`): those that lie in the store are found, others are refused
 * with a sentence. Invariant: a file that has once been named in metadata is never written again: every name that is written here has a random part of its own, and where the store can be asked
 * to put only what is absent, it is.
 */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { BulkObjectStore } from '../../objects/object-store.ts'

export interface FileInfo {
  uri: string
  bytes: number
  modifiedMs: number
}

export interface LakeFiles {
  /** Where new tables go, a URI without a slash at its end. */
  readonly warehouse: string
  /** @throws MissingFile */
  read(uri: string): Promise<Buffer>
  /** Under a name that nobody else writes. @throws Error when the file is there already, where the store can tell */
  write(uri: string, body: Uint8Array): Promise<void>
  /** From a local file, which stays. */
  writeFile(uri: string, path: string): Promise<void>
  /**
   * A path under which a local program can read the file: its own, or that of a copy in `folder`, which the caller removes.
   * @throws MissingFile
   */
  local(uri: string, folder: string): Promise<string>
  list(prefix: string): AsyncIterable<FileInfo[]>
  /** No error for those that do not exist. */
  delete(uris: readonly string[]): Promise<void>
  /** The spelling by which two names of one file are equal. */
  normalise(uri: string): string
}

/** A file that the table's metadata names is not there. */
export class MissingFile extends Error {
  override readonly name = 'MissingFile'
  readonly uri: string

  constructor(uri: string, remedy = 'Bring it back, or go back to a snapshot without it.') {
    super(`The lake's file ${uri} is missing: it was removed or moved by something else. ${remedy}`)
    this.uri = uri
  }
}

const DELETE_BATCH = 1_000

/** @param folder within the store where tables go; '' for its root */
export function openLakeFiles(store: BulkObjectStore, folder = 'warehouse'): LakeFiles {
  const root = `${store.location}/`
  const isLocal = root.startsWith('file://')
  const normalise = (uri: string): string => {
    if (/^s3[an]:\/\//.test(uri)) return `s3://${uri.slice(uri.indexOf('//') + 2)}`
    if (!isLocal) return uri
    return `file://${uri.replace(/^file:\/*(?=\/)/, '')}`
  }
  const keyOf = (uri: string): string => {
    const normal = normalise(uri)
    if (normal.startsWith(root)) return normal.slice(root.length)
    const [scheme] = store.location.split('://')
    // BigQuery reads files that are named gs:// only, and whoever reads s3:// looks for gs:// elsewhere: two names in one lake would be a lake that nobody reads whole.
    if (/^(s3|gs):/.test(normal) && `${scheme}${normal.slice(2)}`.startsWith(root))
      throw new Error(
        `The file ${uri} is in the lake's store, which is now named ${store.location}. A lake keeps the names that it was begun with: set STREAMFORGE_OBJECTS_URL to ${normal.slice(0, 2)}${store.location.slice(2)} again, or begin a new lake with a prefix and a database of its own.`,
      )
    throw new Error(
      `The file ${uri} lies outside of the lake's store ${store.location}. Set the warehouse to the place where the tables are.`,
    )
  }

  return {
    warehouse: folder === '' ? store.location : `${root}${folder}`,
    normalise,
    async read(uri) {
      const body = await store.get(keyOf(uri))
      if (!body) throw new MissingFile(uri)
      return body
    },
    async write(uri, body) {
      if (!store.putsIfAbsent) await store.put(keyOf(uri), body)
      else if (!(await store.putIfAbsent(keyOf(uri), body)))
        throw new Error(`The lake's file ${uri} is there already; nothing was written.`)
    },
    writeFile: (uri, path) => store.putFile(keyOf(uri), path),
    async local(uri, copies) {
      const key = keyOf(uri)
      if (isLocal) {
        if (!(await store.stat(key))) throw new MissingFile(uri)
        return normalise(uri).slice('file://'.length)
      }
      const path = join(copies, `${randomUUID()}.parquet`)
      if (!(await store.getFile(key, path))) throw new MissingFile(uri)
      return path
    },
    async *list(prefix) {
      for await (const page of store.pages(keyOf(prefix)))
        yield page.map(({ key, bytes, modifiedMs }) => ({ uri: root + key, bytes, modifiedMs }))
    },
    async delete(uris) {
      const keys = uris.map(keyOf)
      for (let i = 0; i < keys.length; i += DELETE_BATCH) await store.deleteMany(keys.slice(i, i + DELETE_BATCH))
    },
  }
}
