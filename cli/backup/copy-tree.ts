/**
 * Copies a folder that others may be changing. Where the file system can share blocks, it does.
 * Invariant: folders and files are for their owner only; a file that vanishes meanwhile is left out, which the caller must be able to bear.
 */
import { constants } from 'node:fs'
import { chmod, copyFile, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'

export interface CopyOptions {
  /** @param path below the folder, with slashes. Of a folder: whether it is entered. */
  wants?(path: string): boolean
  /** Those for which it is true go first. */
  first?(path: string): boolean
}

/** Does nothing where the folder is not there. */
export async function copyTree(from: string, to: string, options: CopyOptions = {}): Promise<void> {
  const { files, folders } = await listTree(from, options.wants)
  if (folders.length === 0) return
  for (const folder of folders) await mkdir(join(to, folder), { recursive: true, mode: 0o700 })
  const isFirst = options.first ?? (() => false)
  for (const path of [...files.filter(isFirst), ...files.filter((path) => !isFirst(path))])
    await copyOne(join(from, path), join(to, path))
}

/** @returns whether it was there */
export async function copyOne(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE)
    await chmod(to, 0o600)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/** Paths below the folder, nothing where it is not there; parents before what they hold. Links and sockets are not for copies. */
export async function listTree(
  root: string,
  wants: (path: string) => boolean = () => true,
  below = '',
): Promise<{ files: string[]; folders: string[] }> {
  const entries = await readdir(join(root, below), { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  const found: { files: string[]; folders: string[] } = { files: [], folders: entries === null ? [] : [below] }
  for (const entry of entries ?? []) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (!wants(path)) continue
    if (entry.isFile()) found.files.push(path)
    if (!entry.isDirectory()) continue
    const inside = await listTree(root, wants, path)
    found.files.push(...inside.files)
    found.folders.push(...inside.folders)
  }
  return found
}
