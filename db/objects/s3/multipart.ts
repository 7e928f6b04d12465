/**
 * Big objects in parts: a few in flight at a time, so that memory is bounded by the parts and not by the object; each is tried again by itself.
 *
 * Under `s3.ts`. Invariant: the object appears whole, when the last step has succeeded, or not at all; parts of an upload that failed are removed. Those of a process that was
 * killed stay until the bucket's rule for unfinished uploads takes them.
 */
import { randomUUID } from 'node:crypto'
import { ObjectStoreError } from '../object-store.ts'
import type { S3Client } from './client.ts'
import { escaped, text } from './xml.ts'

export interface PartSource {
  bytes: number
  /** Bytes of the source; whole, or it throws. Called for one part after the other. */
  read(start: number, length: number): Promise<Uint8Array>
}

/** S3 takes 10,000 parts of at least 5 MiB. */
const PARTS_MAX = 10_000
const PARTS_AT_ONCE = 3
const MIB = 1024 * 1024
/** How an upload is known again whose last answer was lost. */
export const ID_HEADER = 'x-amz-meta-streamforge-id'

export async function uploadInParts(client: S3Client, key: string, source: PartSource, partMin: number): Promise<void> {
  const partBytes = Math.max(partMin, Math.ceil(source.bytes / PARTS_MAX / MIB) * MIB)
  const count = Math.max(1, Math.ceil(source.bytes / partBytes))
  const id = randomUUID()
  const begun = await client.send({
    method: 'POST',
    verb: 'stored',
    key,
    query: { uploads: '' },
    headers: { [ID_HEADER]: id },
    verify: (body) => (text(body.toString('utf8'), 'UploadId') === '' ? 'it names no upload' : null),
  })
  const uploadId = text(begun.body.toString('utf8'), 'UploadId')
  try {
    const etags = new Array<string>(count)
    let next = 0
    let reading: Promise<unknown> = Promise.resolve()
    let failed = false
    const worker = async (): Promise<void> => {
      while (next < count && !failed) {
        const part = next++
        const start = part * partBytes
        // One after the other, as sources want it.
        const read = reading.then(() => source.read(start, Math.min(partBytes, source.bytes - start)))
        reading = read.catch(() => undefined)
        const { headers } = await client.send({
          method: 'PUT',
          verb: 'stored',
          key,
          query: { partNumber: String(part + 1), uploadId },
          body: await read,
        })
        etags[part] = headers.get('etag') ?? ''
      }
    }
    const workers = Array.from({ length: Math.min(PARTS_AT_ONCE, count) }, () =>
      worker().catch((error) => {
        failed = true
        throw error
      }),
    )
    const outcomes = await Promise.allSettled(workers)
    const broken = outcomes.find((outcome) => outcome.status === 'rejected')
    if (broken) throw broken.reason
    await complete(client, key, uploadId, etags, id)
  } catch (error) {
    await abandon(client, key, uploadId)
    throw error
  }
}

async function complete(
  client: S3Client,
  key: string,
  uploadId: string,
  etags: readonly string[],
  id: string,
): Promise<void> {
  const parts = etags.map((etag, i) => `<Part><PartNumber>${i + 1}</PartNumber><ETag>${escaped(etag)}</ETag></Part>`)
  const { refusal } = await client.send({
    method: 'POST',
    verb: 'stored',
    key,
    query: { uploadId },
    headers: { 'content-type': 'application/xml' },
    body: Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`),
    answers: ['NoSuchUpload'],
    // 200 is sent before the parts are put together; what went wrong then stands in the body.
    verify: (body) => (body.includes('<Error>') ? text(body.toString('utf8'), 'Message') || 'an error' : null),
  })
  // An upload that is gone was finished by an attempt whose answer did not reach us, if the object is ours.
  if (!refusal || (await isOurs(client, key, id))) return
  throw new ObjectStoreError(
    `The object "${key}" in the bucket "${client.place.bucket}" could not be stored: its unfinished upload was removed at ${client.place.origin} meanwhile. Does a rule of the bucket remove them too soon?`,
    refusal.code,
  )
}

/** Whether the object under the key was put by the request with this id. */
export async function isOurs(client: S3Client, key: string, id: string): Promise<boolean> {
  const { status, headers } = await client.send({ method: 'HEAD', verb: 'looked at', key, answers: [404] })
  return status !== 404 && headers.get(ID_HEADER) === id
}

/** The upload has failed already: what keeps its parts from being removed is told by nobody. */
async function abandon(client: S3Client, key: string, uploadId: string): Promise<void> {
  const request = { method: 'DELETE', verb: 'removed', key, query: { uploadId }, answers: [404] } as const
  await client.send(request).catch(() => undefined)
}
