/**
 * Which files a compaction rewrites together: small ones and those with deleted rows, per partition, in groups of bounded size. Pure.
 *
 * Invariant: a group's rows lie in one partition of the current spec; a table that has been compacted gives an empty plan.
 */
import type { ScanFile } from '../scan/plan.ts'
import { groupBy } from '../types/group-by.ts'
import { type Partition, partitionKey } from '../types/partition-spec.ts'

export interface CompactionOptions {
  /** Of the files that come out. Default: 128 MB. */
  targetBytes?: number
  /** Rewritten and sorted together; files are sorted within a group. Default: 4 times the target. */
  groupBytes?: number
  /** Fewer small files in a partition are left as they are. Default: 5. */
  minFiles?: number
}

export interface CompactionGroup {
  partition: Partition
  specId: number
  files: ScanFile[]
  bytes: number
}

export const DEFAULT_TARGET_BYTES = 128 * 1024 * 1024
const SMALL = 0.75
const LARGE = 1.8

export function planCompaction(
  files: readonly ScanFile[],
  specId: number,
  { targetBytes = DEFAULT_TARGET_BYTES, groupBytes = 4 * targetBytes, minFiles = 5 }: CompactionOptions = {},
): CompactionGroup[] {
  const candidates = files.filter(
    ({ file, deletes }) =>
      file.specId === specId &&
      (file.bytes < SMALL * targetBytes || file.bytes > LARGE * targetBytes || deletes.length > 0),
  )
  const groups: CompactionGroup[] = []
  for (const partition of groupBy(candidates, ({ file }) => partitionKey(file.specId, file.partition)).values())
    for (const bin of binsOf(partition, groupBytes)) {
      const bytes = bin.reduce((sum, { file }) => sum + file.bytes, 0)
      const needed = bin.some(({ file, deletes }) => deletes.length > 0 || file.bytes > LARGE * targetBytes)
      const filled = bin.length > 1 && bytes >= targetBytes
      if (needed || filled || bin.length >= Math.max(2, minFiles))
        groups.push({ partition: bin[0]!.file.partition, specId, files: bin, bytes })
    }
  return groups
}

/** First fit, largest first: few groups, none above the bound unless a single file is. */
function binsOf(files: readonly ScanFile[], bound: number): ScanFile[][] {
  const bins: { files: ScanFile[]; bytes: number }[] = []
  for (const each of [...files].sort((a, b) => b.file.bytes - a.file.bytes)) {
    const bin = bins.find(({ bytes }) => bytes + each.file.bytes <= bound)
    if (bin) {
      bin.files.push(each)
      bin.bytes += each.file.bytes
    } else bins.push({ files: [each], bytes: each.file.bytes })
  }
  return bins.map((bin) => bin.files)
}
