/**
 * The manifests of checkpoints in PostgreSQL, and the epochs that fence tasks.
 *
 * Invariant: whoever begins an epoch owns the partition; from then on nothing with a lower one is written. Both sides lock the partition's row in
 * `tasks`, so there is no moment between the check and the write.
 */
import type { TopicPartition } from '../../streams/log/event-log.ts'
import type { Manifest, ManifestStore } from '../../streams/runtime/ports.ts'
import type { Sql, Transaction } from './connect.ts'
import { fencedAt, MANIFESTS_KEPT, releasedFiles } from './manifest-rules.ts'

export function createManifestStore(sql: Sql): ManifestStore {
  return {
    async beginEpoch(at, owner) {
      const [task] = await sql<{ epoch: number }[]>`
        INSERT INTO tasks AS t (topic, partition, epoch, owner) VALUES (${at.topic}, ${at.partition}, 1, ${owner})
        ON CONFLICT (topic, partition) DO UPDATE SET epoch = t.epoch + 1, owner = excluded.owner, live = false, updated_at = now()
        RETURNING epoch`
      return task!.epoch
    },

    manifests: (at) => readManifests(sql, at),

    async save(at, epoch, manifest, kept = MANIFESTS_KEPT) {
      return sql.begin(async (tx) => {
        const [task] = await tx<{ epoch: number }[]>`
          SELECT epoch FROM tasks WHERE topic = ${at.topic} AND partition = ${at.partition} FOR UPDATE`
        if (!task || task.epoch > epoch) throw fencedAt(at, epoch, task?.epoch ?? null)
        await tx`
          INSERT INTO checkpoints (topic, partition, epoch, next_offset, files)
          VALUES (${at.topic}, ${at.partition}, ${epoch}, ${manifest.nextOffset}, ${JSON.stringify(manifest.files)}::text::jsonb)`
        const forgotten = await tx<Manifest[]>`
          DELETE FROM checkpoints WHERE id IN (
            SELECT id FROM checkpoints WHERE topic = ${at.topic} AND partition = ${at.partition} ORDER BY id DESC OFFSET ${kept}
          ) RETURNING next_offset AS "nextOffset", files`
        return releasedFiles(await readManifests(tx, at), forgotten)
      })
    },
  }
}

/** Newest first: the one saved last, whatever its offset, since a task that fell back to an older manifest saves lower offsets than before. */
async function readManifests(sql: Sql | Transaction, at: TopicPartition): Promise<Manifest[]> {
  const rows = await sql<Manifest[]>`
    SELECT next_offset AS "nextOffset", files FROM checkpoints
    WHERE topic = ${at.topic} AND partition = ${at.partition} ORDER BY id DESC LIMIT ${MANIFESTS_KEPT}`
  return rows.map(({ nextOffset, files }) => ({ nextOffset, files }))
}
