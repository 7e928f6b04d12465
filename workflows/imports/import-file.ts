/**
 * Where files to import lie: below the import folder, or under `imports/` in the object store. Nothing else of the machine can be read, whatever a name says.
 * Invariant: a file that is read in several goes is the same one in all of them, or {@link FileChanged} is thrown before its rows are committed.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, constants, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { Readable } from 'node:stream'
import { checkKey } from '../../db/objects/keys.ts'
import type { BulkObjectStore } from '../../db/objects/object-store.ts'
import type { RowFile } from '../../streams/sources/read-rows.ts'

export const OBJECTS_PREFIX = 'imports/'

/** What a file is without reading it. */
export interface FileState {
  bytes: number
  /** Epoch ms, exact to a second at least. */
  modifiedMs: number
}

export interface ImportFile extends RowFile {
  /** @throws BadImportFile when it is gone */
  state(): Promise<FileState>
}

/** There is no such file, or it may not be read. */
export class BadImportFile extends Error {
  override readonly name = 'BadImportFile'
}

export class FileChanged extends Error {
  override readonly name = 'FileChanged'
}

export interface ImportPlaces {
  folder: string
  objects: Pick<BulkObjectStore, 'stat' | 'getRange'>
}

/** @param file relative to the import folder; or a key that begins with `imports/`. @throws BadImportFile */
export async function openImportFile(places: ImportPlaces, file: string): Promise<ImportFile> {
  try {
    checkKey(file)
  } catch (error) {
    throw new BadImportFile(
      `${(error as Error).message} Give a path below the import folder, without "..", or a key of the object store that begins with ${OBJECTS_PREFIX}.`,
    )
  }
  const opened = file.startsWith(OBJECTS_PREFIX)
    ? objectFile(places.objects, file)
    : await folderFile(places.folder, file)
  await opened.state()
  return opened
}

async function folderFile(folder: string, file: string): Promise<ImportFile> {
  const missing = `There is no file "${file}" in the import folder ${folder} (STREAMFORGE_IMPORT_DIR). Copy it there first; "streamforge import" does so.`
  const real = async (path: string) =>
    realpath(path).catch((error) => {
      throw isMissing(error) ? new BadImportFile(missing) : error
    })
  const root = await real(folder)
  const path = await real(join(root, ...file.split('/')))
  if (!path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`))
    throw new BadImportFile(
      `"${file}" is a link that leads out of the import folder ${folder}. Copy the file itself there.`,
    )
  return {
    name: file,
    async state() {
      const found = await stat(path).catch((error) => {
        throw isMissing(error) ? new BadImportFile(missing) : error
      })
      if (!found.isFile()) throw new BadImportFile(`"${file}" in the import folder ${folder} is not a file.`)
      await access(path, constants.R_OK).catch(() => {
        throw new BadImportFile(
          `"${file}" in the import folder ${folder} may not be read by the worker. Give it the right to.`,
        )
      })
      return { bytes: found.size, modifiedMs: Math.floor(found.mtimeMs) }
    },
    open: (start) => createReadStream(path, { start, highWaterMark: LOCAL_BYTES }),
  }
}

const LOCAL_BYTES = 256 * 1024
/** In one request. */
const RANGE_BYTES = 4 * 1024 * 1024

const objectFile = (objects: ImportPlaces['objects'], key: string): ImportFile => ({
  name: key,
  async state() {
    const found = await objects.stat(key)
    if (found) return { bytes: found.bytes, modifiedMs: found.modifiedMs }
    throw new BadImportFile(
      `The object store has no object "${key}". Put it there first; "streamforge import" does so.`,
    )
  },
  open: (start) => Readable.from(ranges(objects, key, start), { objectMode: false, highWaterMark: 1 }),
})

async function* ranges(objects: ImportPlaces['objects'], key: string, start: number): AsyncGenerator<Buffer> {
  for (let from = start; ; ) {
    const bytes = await objects.getRange(key, from, RANGE_BYTES)
    if (bytes === null) throw new FileChanged(`The object "${key}" was removed while it was being read.`)
    if (bytes.length > 0) yield bytes
    if (bytes.length < RANGE_BYTES) return
    from += bytes.length
  }
}

/** @throws FileChanged unless the file is as it was */
export async function requireUnchanged(file: ImportFile, was: FileState): Promise<void> {
  const { bytes, modifiedMs } = await file.state()
  if (bytes === was.bytes && modifiedMs === was.modifiedMs) return
  throw new FileChanged(
    `"${file.name}" has changed since its import began. What was imported stays; put back the file as it was and start the import again to go on, or import the new file under another name.`,
  )
}

/** In hex. @param onBytes told how many bytes have been read. @throws FileChanged when it was written to meanwhile */
export async function sha256Of(
  file: ImportFile,
  state: FileState,
  { signal, onBytes }: { signal: AbortSignal; onBytes: (bytes: number) => void },
): Promise<string> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of file.open(0)) {
    signal.throwIfAborted()
    hash.update(chunk as Buffer)
    bytes += (chunk as Buffer).length
    onBytes(bytes)
  }
  await requireUnchanged(file, state)
  return hash.digest('hex')
}

const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes(String((error as NodeJS.ErrnoException).code))
