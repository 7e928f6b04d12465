/** A small JSON file that other processes read at any moment: written whole or not at all, for its owner only, as it may hold a password. */
import { randomUUID } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'

export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  const aside = `${path}.${randomUUID()}.tmp`
  await writeFile(aside, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
  await rename(aside, path)
}
