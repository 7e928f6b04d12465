/** URLs of object stores: `s3://bucket`, `s3://bucket/prefix`, `gs://bucket/prefix`, `file:///folder`; nothing in them is escaped. */
import { isAbsolute } from 'node:path'
import { checkKey } from './keys.ts'

/** How objects in a bucket are named. Both are asked by S3's API; `gs` is a bucket of Google, whose own programs read files under that name only. */
export type BucketScheme = 's3' | 'gs'

export type ObjectsPlace =
  | { kind: 's3'; scheme: BucketScheme; bucket: string; prefix: string }
  | { kind: 'folder'; folder: string }

/** The owners' rules for names of buckets. */
const BUCKET = { s3: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, gs: /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/ } as const
const isScheme = (text: string | undefined): text is BucketScheme => text === 's3' || text === 'gs'

/** @returns null when it is none */
export function parseObjectsUrl(url: string): ObjectsPlace | null {
  if (url.startsWith('file://')) {
    const folder = url.slice('file://'.length)
    return isAbsolute(folder) ? { kind: 'folder', folder } : null
  }
  const [, scheme, bucket = '', prefix = ''] = /^(s3|gs):\/\/([^/]+)(?:\/(.*))?$/.exec(url) ?? []
  if (!isScheme(scheme) || !BUCKET[scheme].test(bucket)) return null
  try {
    if (prefix !== '') checkKey(prefix)
  } catch {
    return null
  }
  return { kind: 's3', scheme, bucket, prefix }
}
