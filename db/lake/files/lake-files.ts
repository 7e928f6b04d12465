/**
 * The lake's files by their URIs, over the object store's port: the same for a folder and for S3.
 *
 * Iceberg's metadata names every file by an absolute URI, and other engines spell them their way (`file:/x`, `s3a://…`): those that lie in the store are found, others are refused
 * with a sentence. Invariant: a file that has once been named in metadata is never written again.
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
  /** @throws Error when the file is there already */
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
      if (!(await store.putIfAbsent(keyOf(uri), body)))
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
