/**
 * What a backup says of itself. It is written last, so a backup without it is one that was broken off.
 * Invariant: what it counts is what lies beside it; a backup from which something went missing is refused before anything is restored.
 */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { CommandFailed } from '../command.ts'
import { writeJsonFile } from '../json-file.ts'
import { listTree } from './copy-tree.ts'

const FILE = 'backup.json'
/** In the backup: what the data folder is to hold. */
export const CONTENTS = 'data'

const manifest = z.object({
  format: z.literal(1),
  /** Of the program that made it. */
  version: z.string(),
  made_at: z.string(),
  /** Whether the platform ran meanwhile. */
  running: z.boolean(),
  /** The data folder that it is of: the lake's tables name their files by this place. */
  data_dir: z.string(),
  files: z.number().int(),
  bytes: z.number().int(),
})
export type Manifest = z.output<typeof manifest>

export const writeManifest = (backup: string, about: Manifest): Promise<void> =>
  writeJsonFile(join(backup, FILE), about)

/** @throws CommandFailed where there is no whole backup in the folder */
export async function readManifest(backup: string): Promise<Manifest> {
  const text = await readFile(join(backup, FILE), 'utf8').catch(() => null)
  if (text === null)
    throw new CommandFailed(
      `${backup} is no backup, or one that was broken off: it has no ${FILE}. Choose another with --from.`,
    )
  let about: Manifest
  try {
    about = manifest.parse(JSON.parse(text))
  } catch {
    throw new CommandFailed(
      `${join(backup, FILE)} can't be understood: it is damaged, or of a newer version than this one.`,
    )
  }
  const found = await sizeOf(join(backup, CONTENTS))
  if (found.files !== about.files || found.bytes !== about.bytes)
    throw new CommandFailed(
      `${backup} is damaged: it has ${found.files} files of ${found.bytes} bytes, and should have ${about.files} of ${about.bytes}. Choose another with --from.`,
    )
  return about
}

/** Of all files below the folder. */
export async function sizeOf(folder: string): Promise<Pick<Manifest, 'files' | 'bytes'>> {
  const { files } = await listTree(folder)
  let bytes = 0
  for (const path of files) bytes += (await stat(join(folder, path))).size
  return { files: files.length, bytes }
}
