/** The real files beside the repository. Where one is missing a suite is a visible skip; under CI it is a failure. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../db/config.ts'

const FOLDER = join(import.meta.dirname, '../../../shared/data')

/** @param body gets the paths, in the order of the names */
export function describeWithFiles(title: string, names: readonly string[], body: (paths: string[]) => void): void {
  const paths = names.map((name) => join(FOLDER, name))
  const missing = paths.filter((path) => !existsSync(path))
  if (missing.length === 0) describe(title, () => body(paths))
  else if (loadConfig(process.env).ci) {
    it(`${title}: the files must be there under CI`, () => expect.unreachable(`Missing: ${missing.join(', ')}`))
  } else it.skip(`${title}: missing in ../shared/data: ${missing.join(', ')}`, () => undefined)
}
