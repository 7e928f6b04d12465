/**
 * The object store in S3, or in what speaks its API (MinIO, versitygw, R2, Google's interoperability): the port `object-store.ts` over signed HTTP requests.
 *
 * Invariants: a key never leaves the prefix of the store's URL; memory is bounded by parts and pages, not by objects; every call ends in bounded time, with its result or
 * with an error that names bucket and key. Opening makes no request; `check` does.
 */
import { createHash, randomUUID } from 'node:crypto'
import { open } from 'node:fs/promises'
import { type Clock, systemClock } from '../../streams/time/clock.ts'
import { checkKey, checkPrefix } from './keys.ts'
import { writeWhole } from './local-file.ts'
import { type BulkObjectStore, DAMAGED, type ObjectInfo, ObjectStoreError } from './object-store.ts'
import { createS3Client, S3_LIMITS, type S3Client, type S3Limits, type S3Target, sha256Of } from './s3/client.ts'
import { refused, unreachable } from './s3/errors.ts'
import { ID_HEADER, isOurs, type PartSource, uploadInParts } from './s3/multipart.ts'
import { elements, escaped, text } from './s3/xml.ts'
import type { BucketScheme } from './url.ts'

export interface S3Options extends S3Target {
  /** How objects are named; `gs` is a bucket of Google, whatever the endpoint. Default: `s3`. */
  scheme?: BucketScheme
  /** Of all keys, without slashes at its ends; empty: the bucket's root. */
  prefix: string
  clock?: Clock
  /** From 0 to 1, for the pauses between attempts. */
  random?: () => number
  limits?: Partial<S3Limits>
  /** Bodies in memory that are larger go in parts. */
  putMaxBytes?: number
  /** Of a part; files that are larger than two go in parts. */
  partBytes?: number
}

export interface S3ObjectStore extends BulkObjectStore {
  /** Asks for the first key. @throws ObjectStoreError when the bucket can't be had with these settings, or the server can't be reached */
  check(): Promise<void>
}

const MIB = 1024 * 1024
const DELETE_MAX = 1_000
const DELETES_AT_ONCE = 16
const DIGEST_HEADER = 'x-amz-meta-streamforge-sha256'
const NOT_AS_PUT = 'its bytes are not those that were put'

export function openS3Objects(options: S3Options): S3ObjectStore {
  const { scheme = 's3', bucket, prefix, clock = systemClock, random = Math.random } = options
  const { putMaxBytes = 64 * MIB, partBytes = 8 * MIB } = options
  const client = createS3Client(options, { clock, random, limits: { ...S3_LIMITS, ...options.limits } })
  const root = prefix === '' ? '' : `${prefix}/`
  const fullKey = (key: string): string => {
    checkKey(key)
    return root + key
  }
  /** Google's server knows neither `If-None-Match` on a put nor the deletion of many. */
  const isGoogle = scheme === 'gs' || /(^|\.)googleapis\.com$/.test(new URL(client.place.origin).hostname)
  let deletesMany = !isGoogle

  async function put(key: string, body: Uint8Array): Promise<void> {
    if (body.length > putMaxBytes) await uploadInParts(client, fullKey(key), partsOf(body), partBytes)
    else await client.send({ method: 'PUT', verb: 'stored', key: fullKey(key), ...digested(body) })
  }

  /** @returns null when there is no such object */
  async function headersOf(key: string): Promise<Headers | null> {
    const at = fullKey(key)
    const { refusal, headers } = await client.send({
      method: 'HEAD',
      verb: 'looked at',
      key: at,
      answers: [400, 401, 403, 404],
    })
    if (!refusal) return headers
    // An answer without a body does not tell why, nor whether it is the object that is missing or the bucket.
    const range = { range: 'bytes=0-0' }
    await client.send({ method: 'GET', verb: 'looked at', key: at, headers: range, answers: ['NoSuchKey', 416] })
    return null
  }

  async function deleteOne(key: string): Promise<void> {
    await client.send({ method: 'DELETE', verb: 'deleted', key: fullKey(key), answers: ['NoSuchKey'] })
  }

  async function* pages(under: string): AsyncGenerator<ObjectInfo[]> {
    checkPrefix(under)
    for (let token = ''; ; ) {
      const { body } = await client.send({
        method: 'GET',
        verb: 'listed',
        key: null,
        query: {
          'list-type': '2',
          'encoding-type': 'url',
          prefix: root + under,
          ...(token && { 'continuation-token': token }),
        },
      })
      const answer = body.toString('utf8')
      const page = infosIn(answer, root.length)
      if (page.length > 0) yield page
      if (text(answer, 'IsTruncated') !== 'true') return
      token = text(answer, 'NextContinuationToken')
      if (token === '') {
        throw new ObjectStoreError(
          `The bucket "${bucket}" could not be listed whole: ${client.place.origin} says that there is more, and not where it goes on.`,
          'NoContinuation',
        )
      }
    }
  }

  const stream: BulkObjectStore['stream'] = async (key) => {
    const request = { method: 'GET', verb: 'read', key: fullKey(key), answers: ['NoSuchKey'] } as const
    const first = await client.download(request)
    if ('code' in first) return null
    const bytes = Number(first.headers.get('content-length'))
    return { bytes, body: resumed(client, request, first, bytes) }
  }

  return {
    location: `${scheme}://${bucket}${prefix === '' ? '' : `/${prefix}`}`,
    putsIfAbsent: !isGoogle,
    async check() {
      await client.send({
        method: 'GET',
        verb: 'listed',
        key: null,
        query: { 'list-type': '2', 'max-keys': '1', prefix: root },
      })
    },
    put,
    async putIfAbsent(key, body) {
      if (isGoogle) {
        throw new ObjectStoreError(
          `The object "${root}${key}" in the bucket "${bucket}" could not be stored: Google's S3 interface does not know "only if absent". Use a key of its own for each object.`,
          'NotImplemented',
        )
      }
      const id = randomUUID()
      const { refusal, attempts } = await client.send({
        method: 'PUT',
        verb: 'stored',
        key: fullKey(key),
        ...digested(body, { 'if-none-match': '*', [ID_HEADER]: id }),
        answers: [412],
      })
      if (!refusal) return true
      // An attempt whose answer was lost may have been the one that took the key.
      return attempts > 1 && (await isOurs(client, fullKey(key), id))
    },
    async putFile(key, path) {
      const file = await open(path, 'r')
      try {
        const { size } = await file.stat()
        const source: PartSource = {
          bytes: size,
          async read(start, length) {
            const part = Buffer.alloc(length)
            for (let filled = 0; filled < length; ) {
              const { bytesRead } = await file.read(part, filled, length - filled, start + filled)
              if (bytesRead === 0) throw new Error(`${path} became shorter while it was stored as "${key}".`)
              filled += bytesRead
            }
            return part
          },
        }
        if (size > 2 * partBytes) await uploadInParts(client, fullKey(key), source, partBytes)
        else {
          const body = await source.read(0, size)
          await client.send({ method: 'PUT', verb: 'stored', key: fullKey(key), ...digested(body) })
        }
      } finally {
        await file.close()
      }
    },
    async get(key) {
      const { refusal, body } = await client.send({
        method: 'GET',
        verb: 'read',
        key: fullKey(key),
        answers: ['NoSuchKey'],
        verify: (bytes, headers) => {
          const expected = headers.get(DIGEST_HEADER)
          return expected === null || sha256Of(bytes) === expected ? null : NOT_AS_PUT
        },
        wrongCode: DAMAGED,
      })
      return refusal ? null : body
    },
    async getFile(key, path) {
      const found = await stream(key)
      if (found) await writeWhole(path, found.body)
      return found !== null
    },
    async getRange(key, start, length) {
      const at = fullKey(key)
      // HTTP has no way to ask for no bytes, nor for some that begin before the end and stop before it.
      if (length === 0) return (await headersOf(key)) && Buffer.alloc(0)
      const range = start < 0 ? `bytes=${start}` : `bytes=${start}-${start + length - 1}`
      const { status, refusal, body } = await client.send({
        method: 'GET',
        verb: 'read',
        key: at,
        headers: { range },
        answers: ['NoSuchKey', 416],
      })
      if (refusal) return refusal.status === 416 ? Buffer.alloc(0) : null
      // 200: the whole object, since it is empty, or the server does not know ranges.
      const from = status === 206 ? 0 : start < 0 ? Math.max(0, body.length + start) : start
      return body.subarray(from, from + length)
    },
    stream,
    async stat(key) {
      const headers = await headersOf(key)
      if (!headers) return null
      const modifiedMs = Date.parse(headers.get('last-modified') ?? '')
      return { key, bytes: Number(headers.get('content-length')), modifiedMs }
    },
    async list(under) {
      const keys: string[] = []
      for await (const page of pages(under)) for (const { key } of page) keys.push(key)
      return keys.sort()
    },
    pages,
    delete: deleteOne,
    async deleteMany(keys) {
      for (const key of keys) checkKey(key)
      for (let at = 0; at < keys.length; ) {
        const some = keys.slice(at, at + (deletesMany ? DELETE_MAX : DELETES_AT_ONCE))
        if (!deletesMany) await Promise.all(some.map(deleteOne))
        else if (!(await deleteTogether(client, some.map(fullKey)))) {
          deletesMany = false
          continue
        }
        at += some.length
      }
    },
  }
}

/** A body with its digest, which is kept beside the object, so that whoever reads it whole sees that it is what was put. */
function digested(body: Uint8Array, headers: Record<string, string> = {}) {
  const sha256 = sha256Of(body)
  return { body, sha256, headers: { ...headers, [DIGEST_HEADER]: sha256 } }
}

const partsOf = (body: Uint8Array): PartSource => ({
  bytes: body.length,
  read: async (start, length) => body.subarray(start, start + length),
})

/** @returns false when the server does not know how */
async function deleteTogether(client: S3Client, keys: readonly string[]): Promise<boolean> {
  const objects = keys.map((key) => `<Object><Key>${escaped(key)}</Key></Object>`)
  const body = Buffer.from(`<Delete><Quiet>true</Quiet>${objects.join('')}</Delete>`)
  const answer = await client.send({
    method: 'POST',
    verb: 'emptied of objects',
    key: null,
    query: { delete: '' },
    headers: { 'content-type': 'application/xml', 'content-md5': createHash('md5').update(body).digest('base64') },
    body,
    answers: ['NotImplemented'],
  })
  if (answer.refusal) return false
  const [first] = elements(answer.body.toString('utf8'), 'Error').filter((error) => text(error, 'Code') !== 'NoSuchKey')
  if (first === undefined) return true
  const code = text(first, 'Code')
  throw new ObjectStoreError(
    `The object "${text(first, 'Key')}" in the bucket "${client.place.bucket}" could not be deleted: ${code}: ${text(first, 'Message')}`,
    code,
  )
}

/** A body that goes on where its connection broke, as long as the object is the same one. That its bytes are not those that were put is known at its end. */
async function* resumed(
  client: S3Client,
  request: { method: 'GET'; verb: string; key: string },
  first: { headers: Headers; chunks: AsyncIterable<Uint8Array> },
  bytes: number,
): AsyncGenerator<Uint8Array> {
  const etag = first.headers.get('etag')
  const digest = first.headers.get(DIGEST_HEADER)
  const seen = createHash('sha256')
  let { chunks } = first
  let received = 0
  for (let failed = 0; ; ) {
    let broken: unknown
    const incoming = chunks[Symbol.asyncIterator]()
    try {
      for (;;) {
        const step = await incoming.next().catch((error) => {
          broken = error
          return { done: true as const, value: undefined }
        })
        if (step.done) break
        received += step.value.length
        if (digest !== null) seen.update(step.value)
        failed = 0
        yield step.value
      }
    } finally {
      await incoming.return?.()
    }
    if (received === bytes) {
      if (digest === null || seen.digest('hex') === digest) return
      throw refused({ status: 200, code: DAMAGED, message: NOT_AS_PUT, bucketRegion: null }, request, client.place)
    }
    broken ??= new Error(`the connection ended after ${received} of ${bytes} bytes`)
    if (++failed >= client.limits.attempts) throw unreachable(broken, request, client.place, failed)
    await client.pause(failed)
    const next = await client.download({
      ...request,
      headers: { range: `bytes=${received}-`, ...(etag && { 'if-match': etag }) },
      answers: [404, 412, 416],
    })
    if ('code' in next || next.status !== 206) {
      throw new ObjectStoreError(
        `The object "${request.key}" in the bucket "${client.place.bucket}" was replaced or deleted while it was read. Read it again.`,
        'code' in next ? next.code : 'NoRange',
      )
    }
    chunks = next.chunks
  }
}

/** Keys come URL-encoded where the server says so: some characters have no place in XML. */
function infosIn(answer: string, rootLength: number): ObjectInfo[] {
  const isEncoded = text(answer, 'EncodingType') === 'url'
  return elements(answer, 'Contents').map((contents) => {
    const key = text(contents, 'Key')
    return {
      key: (isEncoded ? decodeURIComponent(key.replaceAll('+', ' ')) : key).slice(rootLength),
      bytes: Number(text(contents, 'Size')),
      modifiedMs: Date.parse(text(contents, 'LastModified')),
    }
  })
}
