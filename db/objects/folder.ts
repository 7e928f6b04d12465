/**
 * The object store in a folder: the port `object-store.ts` on files, one per object, the key's slashes being folders.
 *
 * Invariant: an object is there whole or not at all, also after a power cut: it is written beside, flushed, renamed into place, and the folder
 * is flushed. Unfinished files lie under `.incomplete/`, which no key can name.
 */
import { randomUUID } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { createReadStream } from 'node:fs'
import { type FileHandle, link, mkdir, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { isAlive } from '../process.ts'
import { checkKey, checkPrefix, INCOMPLETE } from './keys.ts'
import { writeWhole } from './local-file.ts'
import type { BulkObjectStore, ObjectInfo } from './object-store.ts'

const MAX_LASTING = 10_000
const PAGE = 1_000
const COPY_BYTES = 1024 * 1024

/** Makes the folder if need be and removes what crashed processes left unfinished. */
export async function openFolderObjects(folder: string): Promise<BulkObjectStore> {
  const root = resolve(folder)
  const incomplete = join(root, INCOMPLETE)
  await mkdir(incomplete, { recursive: true })
  await removeLeftovers(incomplete)

  /** Folders known to be entries of their parents for good; the others are flushed up to the root once. */
  const lasting = new Set([root])
  const syncUp = async (folder: string): Promise<void> => {
    await syncFolder(folder)
    if (lasting.has(folder)) return
    await syncUp(dirname(folder))
    if (lasting.size >= MAX_LASTING) lasting.clear()
    lasting.add(folder).add(root)
  }
  const pathOf = (key: string): string => {
    checkKey(key)
    return join(root, ...key.split('/'))
  }

  /**
   * Writes beside, flushes, and puts into place.
   * @param place names the finished file: by renaming it, or by a link that fails where there is one
   * @returns false when `place` found the key taken
   */
  async function write(
    key: string,
    fill: (file: FileHandle) => Promise<void>,
    place: (temporary: string, path: string) => Promise<boolean>,
  ): Promise<boolean> {
    const path = pathOf(key)
    const temporary = join(incomplete, `${process.pid}-${randomUUID()}`)
    try {
      const file = await open(temporary, 'wx')
      try {
        await fill(file)
        await file.sync()
      } finally {
        await file.close()
      }
      await mkdir(dirname(path), { recursive: true })
      const placed = await place(temporary, path)
      await syncUp(dirname(path))
      return placed
    } catch (error) {
      await rm(temporary, { force: true })
      throw new Error(`The object "${key}" could not be stored in ${root}: ${messageOf(error)}`, { cause: error })
    }
  }
  /** Runs with the object's file open, or gives null where there is none. */
  async function withFile<T>(key: string, use: (file: FileHandle, bytes: number) => Promise<T>): Promise<T | null> {
    let file: FileHandle
    try {
      file = await open(pathOf(key), 'r')
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
    try {
      const { size } = await file.stat().then((found) => (found.isFile() ? found : { size: -1 }))
      return size < 0 ? null : await use(file, size)
    } finally {
      await file.close()
    }
  }
  async function remove(key: string): Promise<void> {
    try {
      await unlink(pathOf(key))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
  async function* files(prefix: string): AsyncGenerator<string> {
    checkPrefix(prefix)
    const slash = prefix.lastIndexOf('/')
    const within = slash < 0 ? '' : prefix.slice(0, slash)
    yield* walk(join(root, ...within.split('/')), within === '' ? '' : `${within}/`, prefix)
  }

  return {
    location: `file://${root}`,
    putsIfAbsent: true,
    async put(key, body) {
      await write(key, (file) => file.writeFile(body), renamed)
    },
    putIfAbsent: (key, body) => write(key, (file) => file.writeFile(body), linked),
    async putFile(key, path) {
      await write(key, (file) => copyInto(file, path), renamed)
    },
    async get(key) {
      try {
        return await readFile(pathOf(key))
      } catch (error) {
        if (isMissing(error)) return null
        throw error
      }
    },
    async getFile(key, path) {
      const copied = await withFile(key, async (file) => {
        await writeWhole(path, file.createReadStream({ autoClose: false }))
        return true
      })
      return copied ?? false
    },
    getRange: (key, start, length) =>
      withFile(key, async (file, bytes) => {
        const from = Math.min(bytes, start < 0 ? Math.max(0, bytes + start) : start)
        const body = Buffer.alloc(Math.min(length, bytes - from))
        let filled = 0
        while (filled < body.length) {
          const { bytesRead } = await file.read(body, filled, body.length - filled, from + filled)
          if (bytesRead === 0) break
          filled += bytesRead
        }
        return body.subarray(0, filled)
      }),
    async stream(key) {
      try {
        // Opened before it is promised, so that what is read is one object, also when another is put meanwhile.
        const file = await open(pathOf(key), 'r')
        const found = await file.stat()
        if (found.isFile()) return { bytes: found.size, body: file.createReadStream() }
        await file.close()
        return null
      } catch (error) {
        if (isMissing(error)) return null
        throw error
      }
    },
    stat: (key) =>
      withFile(key, async (file, bytes) => ({ key, bytes, modifiedMs: Math.floor((await file.stat()).mtimeMs) })),
    async list(prefix) {
      const keys: string[] = []
      for await (const key of files(prefix)) keys.push(key)
      return keys.sort()
    },
    async *pages(prefix) {
      let page: ObjectInfo[] = []
      for await (const key of files(prefix)) {
        // One that was deleted since its folder was read is no longer there.
        const found = await stat(pathOf(key)).catch((error) => {
          if (isMissing(error)) return null
          throw error
        })
        if (found) page.push({ key, bytes: found.size, modifiedMs: Math.floor(found.mtimeMs) })
        if (page.length < PAGE) continue
        yield page
        page = []
      }
      if (page.length > 0) yield page
    },
    delete: remove,
    async deleteMany(keys) {
      for (const key of keys) checkKey(key)
      for (const key of keys) await remove(key)
    },
  }
}

async function renamed(temporary: string, path: string): Promise<boolean> {
  await rename(temporary, path)
  return true
}

/** A second name for the file: the one operation that never replaces what is there. */
async function linked(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

async function copyInto(file: FileHandle, path: string): Promise<void> {
  for await (const chunk of createReadStream(path, { highWaterMark: COPY_BYTES })) await file.writeFile(chunk as Buffer)
}

/**
 * The files under the prefix in the order of their keys' bytes: a folder counts as its name with a slash. What can't hold the prefix is not entered.
 * Names of one folder are in memory at a time, and those of the folders above it.
 */
async function* walk(folder: string, within: string, prefix: string): AsyncGenerator<string> {
  let entries: Dirent[]
  try {
    entries = await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (isMissing(error)) return
    throw error
  }
  const named = entries
    .filter((entry) => (entry.isDirectory() || entry.isFile()) && !(within === '' && entry.name === INCOMPLETE))
    .map((entry) => ({ isFolder: entry.isDirectory(), key: `${within}${entry.name}${entry.isDirectory() ? '/' : ''}` }))
    .filter(({ key }) => key.startsWith(prefix) || prefix.startsWith(key))
    .map((entry) => ({ ...entry, bytes: Buffer.from(entry.key) }))
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes))
  for (const { isFolder, key } of named) {
    if (isFolder) yield* walk(join(folder, key.slice(within.length)), key, prefix)
    else if (key.startsWith(prefix)) yield key
  }
}

/** Other threads and processes may be writing: only what is older than this process, and whose writer is gone or had this process's id, is left over. */
async function removeLeftovers(incomplete: string): Promise<void> {
  for (const name of await readdir(incomplete)) {
    const path = join(incomplete, name)
    const pid = Number.parseInt(name, 10)
    if (pid !== process.pid && isAlive(pid)) continue
    try {
      if ((await stat(path)).mtimeMs < performance.timeOrigin) await rm(path, { force: true })
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return // Windows can't open folders for this; its renames are journalled
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
/** No file of that name: also when a folder has it, or a file is where a folder would have to be. */
const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(String(codeOf(error)))
