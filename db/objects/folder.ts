/**
 * The object store in a folder: the port `object-store.ts` on files, one per object, the key's slashes being folders.
 *
 * Invariant: an object is there whole or not at all, also after a power cut: it is written beside, flushed, renamed into place, and the folder
 * is flushed. Unfinished files lie under `.incomplete/`, which no key can name.
 */
import { randomUUID } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { isAlive } from '../process.ts'
import type { ObjectStore } from './object-store.ts'

const INCOMPLETE = '.incomplete'
const MAX_KEY_BYTES = 1024 // S3's limit, so that what works here works there
const MAX_SEGMENT_BYTES = 255
const MAX_LASTING = 10_000

/** Makes the folder if need be and removes what crashed processes left unfinished. */
export async function openFolderObjects(folder: string): Promise<ObjectStore> {
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

  return {
    async put(key, body) {
      const path = pathOf(key)
      const temporary = join(incomplete, `${process.pid}-${randomUUID()}`)
      try {
        const file = await open(temporary, 'wx')
        try {
          await file.writeFile(body)
          await file.sync()
        } finally {
          await file.close()
        }
        await mkdir(dirname(path), { recursive: true })
        await rename(temporary, path)
        await syncUp(dirname(path))
      } catch (error) {
        await rm(temporary, { force: true })
        throw new Error(`The object "${key}" could not be stored in ${root}: ${messageOf(error)}`, { cause: error })
      }
    },
    async get(key) {
      try {
        return await readFile(pathOf(key))
      } catch (error) {
        if (isMissing(error)) return null
        throw error
      }
    },
    async list(prefix) {
      const slash = prefix.lastIndexOf('/')
      const within = slash < 0 ? '' : prefix.slice(0, slash)
      if (slash >= 0) checkKey(within)
      const keys: string[] = []
      await walk(join(root, ...within.split('/')), within === '' ? '' : `${within}/`, keys)
      return keys.filter((key) => key.startsWith(prefix)).sort()
    },
    async delete(key) {
      try {
        await unlink(pathOf(key))
      } catch (error) {
        if (!isMissing(error)) throw error
      }
    },
  }
}

async function walk(folder: string, prefix: string, keys: string[]): Promise<void> {
  let entries: Dirent[]
  try {
    entries = await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (isMissing(error)) return
    throw error
  }
  for (const entry of entries) {
    if (prefix === '' && entry.name === INCOMPLETE) continue
    if (entry.isDirectory()) await walk(join(folder, entry.name), `${prefix}${entry.name}/`, keys)
    else if (entry.isFile()) keys.push(prefix + entry.name)
  }
}

/** @throws Error when the key would leave the folder, or could not be an S3 key. */
function checkKey(key: string): void {
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
