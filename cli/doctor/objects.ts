/** The object store: an object of the doctor's own is put, read and removed again. */
import { randomUUID } from 'node:crypto'
import type { BulkObjectStore } from '../../db/objects/object-store.ts'
import { type ObjectsSettings, openObjects } from '../../db/objects/open.ts'
import { Broken, type Family, ok, unseen } from './check.ts'
import { clockFinding, SKEW_MATTERS, SKEW_REMEDY } from './clocks.ts'
import type { Place } from './place.ts'

/** Beside checkpoints and the warehouse: nobody else looks there. */
const PREFIX = 'doctor'

export function objectsFamily(settings: ObjectsSettings, { clock }: Pick<Place, 'clock'>): Family {
  const key = `${PREFIX}/${randomUUID()}`
  const body = Buffer.from('Put by "streamforge doctor", which removes it at once.')
  let store: BulkObjectStore | null = null
  let put = { beforeMs: 0, afterMs: 0 }
  const opened = async (): Promise<BulkObjectStore> => (store ??= await openObjects(settings))
  return {
    part: 'objects',
    close: () => store?.delete(key),
    checks: [
      {
        name: 'an object can be put and read',
        matters: 'Checkpoints and the lake are there: without it recovery gets longer, and the lake stands still.',
        remedy:
          'Of S3: STREAMFORGE_OBJECTS_URL, S3_ENDPOINT and the AWS_ keys, which must allow listing, reading, writing and deleting below the prefix. Of a folder: its owner, and the disk.',
        gate: true,
        async run() {
          const objects = await opened()
          const beforeMs = clock.now()
          await objects.put(key, body)
          put = { beforeMs, afterMs: clock.now() }
          if (!(await objects.get(key))?.equals(body)) throw new Broken('What was put is not what is read.')
          return ok(objects.location)
        },
      },
      {
        name: 'its clock',
        matters: SKEW_MATTERS,
        remedy: SKEW_REMEDY,
        async run() {
          const info = await (await opened()).stat(key)
          return info === null
            ? unseen('the object is gone')
            : clockFinding({ theirMs: info.modifiedMs, toMs: 1_000, ...put })
        },
      },
      {
        name: 'an object can be removed',
        matters: 'Checkpoints and files that nobody needs would stay for ever.',
        remedy: 'The keys must allow deleting (s3:DeleteObject) below the prefix.',
        async run() {
          const objects = await opened()
          await objects.delete(key)
          if ((await objects.get(key)) !== null) throw new Broken('What was removed is still there.')
          return ok()
        },
      },
    ],
  }
}
