/**
 * Which delete files have nothing left to delete once data files are replaced: they leave the table with the same commit. Pure.
 *
 * Invariant: a delete file goes only if no row that stays could be its. What is added now was written with the deletes applied, and no position delete can know its name yet.
 */
import { EQUALITY_DELETES, type LiveEntry, onlyFile } from '../manifest/data-file.ts'
import { specById, type TableMetadata } from '../metadata/table-metadata.ts'
import type { Long } from '../types/json.ts'
import { type Partition, partitionKey } from '../types/partition-spec.ts'

interface Placed {
  specId: number
  partition: Partition
}

/** Data sequence numbers, the lowest of each partition and of all. */
class Oldest {
  private readonly byPartition = new Map<string, Long>()
  private all: Long | undefined

  note({ specId, partition }: Placed, sequence: Long): void {
    const key = partitionKey(specId, partition)
    const known = this.byPartition.get(key)
    if (known === undefined || sequence < known) this.byPartition.set(key, sequence)
    if (this.all === undefined || sequence < this.all) this.all = sequence
  }

  /** undefined: there is no data. */
  of({ specId, partition }: Placed, everywhere: boolean): Long | undefined {
    return everywhere ? this.all : this.byPartition.get(partitionKey(specId, partition))
  }
}

/**
 * @param kept data entries that stay as they are
 * @param added files that come in, and the data sequence number that they get
 */
export function uselessDeletes(
  metadata: TableMetadata,
  deletes: readonly LiveEntry[],
  kept: Iterable<LiveEntry>,
  added: { files: readonly Placed[]; sequence: Long },
): Set<LiveEntry> {
  const named = new Set(deletes.map(({ file }) => (file.content === EQUALITY_DELETES ? null : onlyFile(file))))
  const there = new Set<string>()
  const keptData = new Oldest()
  const data = new Oldest()
  for (const { file, sequenceNumber } of kept) {
    if (named.has(file.path)) there.add(file.path)
    keptData.note(file, sequenceNumber)
    data.note(file, sequenceNumber)
  }
  for (const file of added.files) data.note(file, added.sequence)

  const isUseless = ({ file, sequenceNumber }: LiveEntry): boolean => {
    if (file.content === EQUALITY_DELETES) {
      const oldest = data.of(file, specById(metadata, file.specId).fields.length === 0)
      return oldest === undefined || sequenceNumber <= oldest
    }
    const only = onlyFile(file)
    if (only !== null) return !there.has(only)
    const oldest = keptData.of(file, false)
    return oldest === undefined || sequenceNumber < oldest
  }
  return new Set(deletes.filter(isUseless))
}
