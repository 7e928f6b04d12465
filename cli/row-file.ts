/** What commands that take a file of rows have in common: the file, and the mapping that says what its rows are. */
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Mapping, parseMapping } from '../streams/sources/mappings/mapping.ts'
import { PRESETS } from '../streams/sources/mappings/presets.ts'
import { type CommandIo, UsageError } from './command.ts'

export const PRESET_NAMES = Object.keys(PRESETS).join(', ')

/** @returns the path of the one file that was given. @throws UsageError */
export function fileArgument(command: string, positionals: readonly string[], { cwd }: Pick<CommandIo, 'cwd'>): string {
  const [file] = positionals
  if (file === undefined) throw new UsageError(`${command} needs a file.`)
  if (positionals.length > 1) throw new UsageError(`${command} takes one file, not ${positionals.length}.`)
  return resolve(cwd, file)
}

/** @throws UsageError */
export async function mustBeFile(path: string, shown: string): Promise<void> {
  const found = await stat(path).catch(() => null)
  if (!found) throw new UsageError(`There is no file ${shown}.`)
  if (!found.isFile()) throw new UsageError(`${shown} is not a file.`)
}

export interface GivenMapping {
  mapping: Mapping
  /** A preset's name, or what the file says. */
  spec: string | Record<string, unknown>
}

/** @throws UsageError */
export async function mappingOption(
  command: string,
  given: string | undefined,
  { cwd }: Pick<CommandIo, 'cwd'>,
): Promise<GivenMapping> {
  if (given === undefined)
    throw new UsageError(`${command} needs --mapping: a preset (${PRESET_NAMES}) or a mapping file.`)
  if (Object.hasOwn(PRESETS, given)) return { mapping: PRESETS[given]!, spec: given }
  const value = await jsonOption(
    'mapping',
    given,
    `neither a preset (${PRESET_NAMES}) nor a file that can be read`,
    cwd,
  )
  try {
    return { mapping: parseMapping(value, given), spec: value as Record<string, unknown> }
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n`)
  }
}

/** What a file that an option names says. @throws UsageError; `not`: what it is not, where it can't be read */
export async function jsonOption(option: string, path: string, not: string, cwd: string): Promise<unknown> {
  let text: string
  try {
    text = await readFile(resolve(cwd, path), 'utf8')
  } catch {
    throw new UsageError(`--${option} ${path} is ${not}.`)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(`--${option} ${path} is not valid JSON: ${(error as Error).message}.`)
  }
}
