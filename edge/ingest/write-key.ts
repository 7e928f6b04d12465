/**
 * The write key: who may send events. It is public by nature (it ships in web pages), so it only opens ingestion.
 * Taken from Basic (as user name), Bearer, X-Write-Key, or `?write_key=` for beacons, which can't set headers.
 */
import { Problem } from '../problem.ts'

const encoder = new TextEncoder()

/** Whether two texts are equal, in a time that depends on the length of `given` alone. */
export function constantTimeEqual(given: string, expected: string): boolean {
  const a = encoder.encode(given)
  const b = encoder.encode(expected)
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i % b.length]!
  return difference === 0
}

/** The write key that a request brings, or null. `url` is searched only where no header has one. */
export function givenWriteKey(headers: Headers, url: string): string | null {
  const authorization = headers.get('authorization')
  if (authorization) {
    const space = authorization.indexOf(' ')
    const scheme = authorization.slice(0, space).toLowerCase()
    const credentials = authorization.slice(space + 1).trim()
    if (scheme === 'bearer') return credentials
    if (scheme === 'basic') return basicUser(credentials)
  }
  const header = headers.get('x-write-key')
  if (header) return header
  return url.includes('write_key=') ? new URL(url).searchParams.get('write_key') : null
}

function basicUser(credentials: string): string | null {
  try {
    const [user = ''] = atob(credentials).split(':', 1)
    return user
  } catch {
    return null
  }
}

/** A key as others may see it: never the key itself. */
export interface KnownKey {
  id: string
  name: string
}

const BUILT_IN: KnownKey = { id: 'default', name: 'default' }

/** @param given null when the request brings none. @throws Problem `unauthorized` */
export function requireWriteKey(given: string | null, expected: string): KnownKey {
  if (given !== null && constantTimeEqual(given, expected)) return BUILT_IN
  throw new Problem(
    'unauthorized',
    given === null
      ? 'This route needs a write key: as the user name of Basic authorization (curl -u KEY:), as Bearer, as X-Write-Key, or as ?write_key=.'
      : 'The write key is not known here. `npm start` prints the one to use; STREAMFORGE_WRITE_KEY sets it.',
    { headers: { 'www-authenticate': 'Basic realm="StreamForge ingestion", charset="UTF-8"' } },
  )
}
