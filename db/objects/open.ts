/** Which object store a process works on: the one its configuration names, else a folder of its data folder. Its settings are plain data, so that they can be handed to a thread. */
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { openFolderObjects } from './folder.ts'
import { type BulkObjectStore, ObjectStoreError } from './object-store.ts'
import { amazonHost, type S3Target } from './s3/client.ts'
import { openS3Objects } from './s3.ts'
import { type BucketScheme, parseObjectsUrl } from './url.ts'

/** Holds secrets: not for logs. */
export type ObjectsSettings =
  | { kind: 'folder'; folder: string }
  | ({ kind: 's3'; scheme?: BucketScheme; prefix: string } & S3Target)

/** The folder in a data folder where nothing else is configured. */
export const OBJECTS_FOLDER = 'objects'

export function objectsSettings(config: Config): ObjectsSettings {
  const place = parseObjectsUrl(config.objectsUrl)
  if (place?.kind !== 's3') return place ?? { kind: 'folder', folder: join(config.dataDir, OBJECTS_FOLDER) }
  const { awsAccessKeyId, awsSecretAccessKey, awsSessionToken, awsRegion, s3Endpoint } = config
  return {
    ...place,
    endpoint: s3Endpoint === '' ? null : s3Endpoint,
    region: awsRegion,
    accessKeyId: awsAccessKeyId?.reveal() ?? '',
    secretAccessKey: awsSecretAccessKey?.reveal() ?? '',
    ...(awsSessionToken && { sessionToken: awsSessionToken.reveal() }),
  }
}

/** Where its S3 is, in words for people and other programs. */
export const s3EndpointOf = ({ s3Endpoint, awsRegion }: Pick<Config, 's3Endpoint' | 'awsRegion'>): string =>
  s3Endpoint || `https://${amazonHost(awsRegion)}`

/** Codes that say that nobody answered: what only takes waiting. */
const AWAY = /^(E[A-Z]+|UND_ERR.*|HTTP 5\d\d|HTTP 429|SlowDown|InternalError|ServiceUnavailable|UNKNOWN|TypeError)$/

/**
 * @throws ObjectStoreError where an S3 server refuses the settings (keys, bucket, region): nothing would ever work. One that is away for the moment is no reason not to start.
 */
export async function openObjects(settings: ObjectsSettings): Promise<BulkObjectStore> {
  if (settings.kind === 'folder') return openFolderObjects(settings.folder)
  const { kind: _, ...options } = settings
  const store = openS3Objects(options)
  // Once: waiting is for those who need the store.
  await openS3Objects({ ...options, limits: { attempts: 1, silenceMs: 5_000 } })
    .check()
    .catch((error) => {
      if (!(error instanceof ObjectStoreError) || !AWAY.test(error.code)) throw error
    })
  return store
}
