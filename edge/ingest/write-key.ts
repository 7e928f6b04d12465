/**
 * The write key of a request: who sends events. It is public by nature (it ships in web pages), so it only opens ingestion, and may be for the pages of some origins only.
 * Taken from Basic (as user name), Bearer, X-Write-Key, or `?write_key=` for beacons, which can't set headers.
 */
import type { Context } from 'hono'
import { Problem } from '../problem.ts'
import type { WriteKey, WriteKeys } from './keys/write-keys.ts'

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

/** @param given null when the request brings none. @throws Problem `unauthorized` */
export function requireWriteKey(given: string | null, keys: Pick<WriteKeys, 'find'>): WriteKey {
  const key = given === null ? null : keys.find(given)
  if (key) return key
  throw new Problem(
    'unauthorized',
    given === null
      ? 'This route needs a write key: as the user name of Basic authorization (curl -u KEY:), as Bearer, as X-Write-Key, or as ?write_key=.'
      : 'The write key is not known here, or was revoked. `npm start` prints the one to use; an operator makes others with `streamforge keys create`.',
    { headers: { 'www-authenticate': 'Basic realm="StreamForge ingestion", charset="UTF-8"' } },
  )
}

/**
 * A page that the key does not allow gets no answer that it could read. Requests of no page (servers, apps) name no origin.
 * @throws Problem `forbidden`
 */
export function requireOrigin(c: Context, key: WriteKey): void {
  const origin = c.req.header('origin')
  if (origin === undefined || key.origins === null || key.origins.has(origin)) return
  // Where the key is in the body, the permission was given before it was known.
  c.header('access-control-allow-origin', undefined)
  throw new Problem(
    'forbidden',
    `The write key ${key.id} is not for pages of ${origin.slice(0, 300)}. An operator makes one that is with \`streamforge keys create\`.`,
  )
}
