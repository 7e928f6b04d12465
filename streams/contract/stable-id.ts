/** Ids derived from what they stand for: the same parts always give the same id, on any machine, in any run. */
import { createHash } from 'node:crypto'

/** @returns 24 characters, safe in URLs */
export function stableId(...parts: readonly (string | number)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 24)
}
