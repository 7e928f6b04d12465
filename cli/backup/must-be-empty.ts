/** A folder that is about to be filled: not there yet, or with nothing in it. */
import { readdir } from 'node:fs/promises'
import { CommandFailed } from '../command.ts'

/** @param remedy a sentence. @throws CommandFailed where something is in it */
export async function mustBeEmpty(folder: string, remedy: string): Promise<void> {
  const found = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new CommandFailed(`${folder} can't be used: ${error.message}`)
  })
  if (found.length > 0) throw new CommandFailed(`There is something in ${folder} already. ${remedy}`)
}
