/**
 * The feature store in a folder: the port `feature-store.ts` on LMDB. One writer thread and any number of readers, in this process or another,
 * each with the folder open once.
 *
 * Invariant: a write is applied only over a lower position, and the comparison happens inside the write transaction. The position is kept
 * as lmdb's entry version, so comparing decodes nothing. Values are msgpack: measured against JSON it encodes 1.7 times faster, decodes
 * alike and is a quarter smaller. Commits are flushed, because streams that recover from a checkpoint do not write what lies before it again.
 */
import { createHash } from 'node:crypto'
import { type Database, getLastVersion } from 'lmdb'
import type { FeaturePart, FeatureParts, FeatureWrite } from '../../streams/contract/features.ts'
import { commitFailure, openLmdb } from '../lmdb.ts'
import type { FeatureStore, StoredFeatures } from './feature-store.ts'

/** Writes per transaction: the thread is free for other work in between. */
const WRITES_PER_COMMIT = 2_000
/** LMDB takes keys up to 1978 bytes; longer user ids are stored under their hash. */
const MAX_KEY_BYTES = 1_900

const PARTS: readonly FeaturePart[] = ['clicks', 'orders']

type Stored<P extends FeaturePart> = { value: FeatureParts[P]; partition: number; position: number }
type Part = Database<Stored<FeaturePart>, Uint8Array>
/** The position at which a user was forgotten, under a hash of the id and the part: what keeps lower positions out says nothing of who it was. */
type Forgotten = Database<number, Uint8Array>

/** @throws Error when the folder can't be opened. */
export async function openEmbeddedFeatures(folder: string): Promise<FeatureStore> {
  const environment = await openLmdb(folder)
  const { root } = environment
  const { parts, forgotten, meta } = await environment.write(() => ({
    parts: new Map(
      PARTS.map((part): [FeaturePart, Part] => [
        part,
        root.openDB<Stored<FeaturePart>, Uint8Array>(part, {
          encoding: 'msgpack',
          keyEncoding: 'binary',
          useVersions: true,
        }),
      ]),
    ),
    forgotten: root.openDB<number, Uint8Array>('forgotten', { encoding: 'msgpack', keyEncoding: 'binary' }),
    meta: root.openDB<string, string>('meta', { encoding: 'string' }),
  }))
  let closing: Promise<void> | null = null

  const commit = async (change: () => void): Promise<void> => {
    try {
      await environment.write(change)
    } catch (error) {
      throw new Error(
        `The features in ${folder} could not be written: ${await commitFailure(error)}. If the disk is full, make room.`,
        { cause: error },
      )
    }
  }

  return {
    async read(userId) {
      environment.refresh() // the newest state, whichever thread wrote it
      const key = keyOf(userId)
      const clicks = parts.get('clicks')!.get(key) as Stored<'clicks'> | undefined
      const orders = parts.get('orders')!.get(key) as Stored<'orders'> | undefined
      if (!clicks && !orders) return null
      return { ...(clicks && { clicks }), ...(orders && { orders }) } satisfies StoredFeatures
    },
    async write(writes) {
      // In the order of the keys, neighbours share pages: a page is then written once, not once per user in it.
      const sorted = writes.length > 1 ? [...writes].sort(byUser) : writes
      for (let start = 0; start < sorted.length; start += WRITES_PER_COMMIT) {
        const some = sorted.slice(start, start + WRITES_PER_COMMIT)
        await commit(() => {
          // Looked up only where anybody is among them: most users who are new here were never forgotten.
          const gone = { db: forgotten, isEmpty: forgotten.getKeysCount({ limit: 1 }) === 0 }
          for (const write of some) apply(parts.get(write.part)!, gone, write)
        })
      }
    },
    async generation() {
      environment.refresh()
      return meta.get('generation') ?? null
    },
    setGeneration: (generation) => commit(() => void meta.putSync('generation', generation)),
    close: () => (closing ??= environment.close()),
  }
}

const byUser = (a: FeatureWrite, b: FeatureWrite): number => (a.userId < b.userId ? -1 : a.userId > b.userId ? 1 : 0)

function apply(
  features: Part,
  gone: { db: Forgotten; isEmpty: boolean },
  { userId, part, partition, position, value }: FeatureWrite,
): void {
  const key = keyOf(userId)
  if (features.getBinaryFast(key) !== undefined) {
    if (getLastVersion() >= position) return
  } else if (!gone.isEmpty && (gone.db.get(forgottenKey(userId, part)) ?? -1) >= position) return
  if (value === null) {
    features.removeSync(key)
    gone.db.putSync(forgottenKey(userId, part), position)
    gone.isEmpty = false
  } else features.putSync(key, { value, partition, position }, position)
}

const forgottenKey = (userId: string, part: FeaturePart): Uint8Array =>
  createHash('sha256').update(`${part}/${userId}`).digest()

/** The prefix keeps the two kinds of keys apart, and the empty id from being an empty key. */
function keyOf(userId: string): Uint8Array {
  const key = Buffer.from(`u${userId}`)
  if (key.length <= MAX_KEY_BYTES) return key
  return Buffer.concat([Buffer.from('h'), createHash('sha256').update(userId).digest()])
}
