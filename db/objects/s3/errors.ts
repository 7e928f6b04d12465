/** What went wrong with S3, in sentences that name the object and the place, and say what to do. No secret gets into one: of an answer, only its code and message are used. */
import { DAMAGED, ObjectStoreError } from '../object-store.ts'
import { text } from './xml.ts'

/** A refusal, as the server words it. */
export interface Refusal {
  status: number
  code: string
  message: string
  /** Where the bucket is, when it is not where we asked. */
  bucketRegion: string | null
}

/** What was to be done with what: "read" "orders/1.parquet". */
export interface Purpose {
  verb: string
  /** null: the bucket itself. */
  key: string | null
}

export interface Place {
  bucket: string
  /** Without a path. */
  origin: string
  region: string
}

const MESSAGE_MAX = 300

/** An answer without a body (HEAD, proxies) has its status alone. */
export function refusalOf(status: number, headers: Headers, body: string): Refusal {
  const error = body.includes('<Error>') ? body : ''
  return {
    status,
    code: text(error, 'Code') || `HTTP ${status}`,
    message: text(error, 'Message').slice(0, MESSAGE_MAX),
    bucketRegion: headers.get('x-amz-bucket-region') ?? (text(error, 'Region') || null),
  }
}

export function refused(refusal: Refusal, { verb, key }: Purpose, place: Place): ObjectStoreError {
  const { code, message } = refusal
  const said = message === '' ? code : `${code}: ${message.replace(/\.$/, '')}`
  return new ObjectStoreError(`${subject(key, place)} could not be ${verb}: ${said}. ${remedy(refusal, place)}`, code)
}

/** The server was not reached, or broke off, again and again. */
export function unreachable(error: unknown, { verb, key }: Purpose, place: Place, attempts: number): ObjectStoreError {
  const { code, message } = rootOf(error)
  return new ObjectStoreError(
    `${subject(key, place)} could not be ${verb} in ${attempts === 1 ? '1 attempt' : `${attempts} attempts`}: ${message}. Is the server at ${place.origin} running, and is S3_ENDPOINT right?`,
    code,
    { cause: error },
  )
}

const subject = (key: string | null, { bucket }: Place): string =>
  key === null ? `The bucket "${bucket}"` : `The object "${key}" in the bucket "${bucket}"`

function remedy({ status, code, bucketRegion }: Refusal, { origin, region, bucket }: Place): string {
  if (code === 'NoSuchBucket') {
    return `Make the bucket at ${origin}, or name another in STREAMFORGE_OBJECTS_URL.`
  }
  if (code === 'RequestTimeTooSkewed')
    return "This machine's clock and the server's differ by too much: set them right."
  if (status === 301 || code === 'AuthorizationHeaderMalformed' || code === 'PermanentRedirect') {
    return bucketRegion && bucketRegion !== region
      ? `The bucket is in the region ${bucketRegion}: set AWS_REGION=${bucketRegion}.`
      : `Check AWS_REGION (it is ${region}) and S3_ENDPOINT.`
  }
  if (/^(InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|.*UserNotFound)$/.test(code)) {
    return 'Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.'
  }
  if (status === 401 || status === 403) {
    return `The access key must be allowed to read, write, list and delete objects in "${bucket}"; check it and its policy.`
  }
  if (code === DAMAGED) return 'It is damaged: restore it from a backup, or delete it.'
  if (status >= 500 || status === 429) return `${origin} did not get better while it was tried again; look at it there.`
  return `It was asked of ${origin}.`
}

/** fetch says no more than "fetch failed": the reason is its cause. */
function rootOf(error: unknown): { code: string; message: string } {
  let root = error
  while (root instanceof Error && root.cause instanceof Error) root = root.cause
  if (!(root instanceof Error)) return { code: 'UNKNOWN', message: String(root) }
  const code = 'code' in root && typeof root.code === 'string' ? root.code : root.name
  return { code, message: root.message.replace(/\.$/, '') || code }
}
