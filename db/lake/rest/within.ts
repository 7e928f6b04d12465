/**
 * Which files a client may name: those below the warehouse. Pure.
 *
 * Invariant: what passes lies in the warehouse however a reader spells out its path; another engine would follow `..`, and expiry would remove what a snapshot names.
 */
import type { LakeFiles } from '../files/lake-files.ts'
import { badRequest } from './refused.ts'

type Places = Pick<LakeFiles, 'warehouse' | 'normalise'>

/** Whether the URI names something below a folder, itself a URI. */
export function isBelow({ normalise }: Places, folder: string, uri: string): boolean {
  const [base, path] = [`${normalise(folder)}/`, normalise(uri)]
  if (!path.startsWith(base)) return false
  const rest = path.slice(base.length)
  // Neither as it stands nor unescaped may a part of it lead elsewhere; `?` and `#` end a path for those who take it for a URL.
  return [rest, unescaped(rest)].every(
    (text) =>
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
      !/[\\\u0000-\u001f\u007f?#]/.test(text) && text.split('/').every((part) => !['', '.', '..'].includes(part)),
  )
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** @throws CatalogRefused */
export function checkWithin(files: Places, uri: string, what: string): void {
  if (isBelow(files, files.warehouse, uri)) return
  throw badRequest(
    `${what} ${uri.slice(0, 300)} lies outside of the warehouse ${files.warehouse}. Choose a place below it, or none.`,
  )
}

/** A table's folder, as its metadata file tells it. */
export const folderOfMetadata = (metadataLocation: string): string =>
  metadataLocation.replace(/\/metadata\/[^/]*$/, '').replace(/\/+$/, '')

/** Whether one is the other or lies below it. */
export function overlap({ normalise }: Places, a: string, b: string): boolean {
  const [one, other] = [`${normalise(a)}/`, `${normalise(b)}/`]
  return one.startsWith(other) || other.startsWith(one)
}
