/** URLs of object stores: `s3://bucket`, `s3://bucket/prefix`, `file:///folder`; nothing in them is escaped. */
import { isAbsolute } from 'node:path'
import { checkKey } from './keys.ts'

export type ObjectsPlace = { kind: 's3'; bucket: string; prefix: string } | { kind: 'folder'; folder: string }

/** @returns null when it is none */
export function parseObjectsUrl(url: string): ObjectsPlace | null {
  if (url.startsWith('file://')) {
    const folder = url.slice('file://'.length)
    return isAbsolute(folder) ? { kind: 'folder', folder } : null
  }
  // Amazon's rules for names of buckets.
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(url) ?? []
  if (bucket === undefined) return null
  try {
    if (prefix !== '') checkKey(prefix)
  } catch {
    return null
  }
  return { kind: 's3', bucket, prefix }
}
