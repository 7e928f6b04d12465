/** What maintenance decides, without files: which snapshots expire, which files are compacted together. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DataFile } from '../manifest/data-file.ts'
import { removeSnapshots } from '../metadata/changes.ts'
import { createMetadata } from '../metadata/create.ts'
import type { Snapshot, TableMetadata } from '../metadata/table-metadata.ts'
import type { ScanFile } from '../scan/plan.ts'
import { schemaOf } from '../types/schema.ts'
import { planCompaction } from './compaction-plan.ts'
import { snapshotsToExpire } from './expire.ts'

const empty = createMetadata(
  { schema: schemaOf([{ name: 'id', type: 'long' }]) },
  { location: 'file:///t', uuid: 'u', nowMs: 0 },
)
const snapshot = (id: number): Snapshot => ({
  'snapshot-id': id,
  ...(id > 1 ? { 'parent-snapshot-id': id - 1 } : {}),
  'sequence-number': id,
  'timestamp-ms': id * 100,
  'manifest-list': `list-${id}`,
  summary: { operation: 'append' },
})
/** Snapshots 1 to 6, one every 100 ms, in a line. */
const table = (refs: TableMetadata['refs'] = {}): TableMetadata => ({
  ...empty,
  snapshots: [1, 2, 3, 4, 5, 6].map(snapshot),
  'current-snapshot-id': 6,
  'snapshot-log': [1, 2, 3, 4, 5, 6].map((id) => ({ 'snapshot-id': id, 'timestamp-ms': id * 100 })),
  refs: { main: { 'snapshot-id': 6, type: 'branch' }, ...refs },
  statistics: [2, 5].map((id) => ({ 'snapshot-id': id, 'statistics-path': `stats-${id}` })),
})
const expired = (metadata: TableMetadata, olderThanMs: number, retainLast?: number) =>
  [...snapshotsToExpire(metadata, { olderThanMs, ...(retainLast === undefined ? {} : { retainLast }) }, 700)].map(
    Number,
  )

describe('snapshots expire', () => {
  test('by age, but never the current one nor the newest that are to be kept', () => {
    expect(expired(table(), 400)).toEqual([1, 2, 3])
    expect(expired(table(), 10_000)).toEqual([1, 2, 3, 4, 5])
    expect(expired(table(), 10_000, 4)).toEqual([1, 2])
    expect(expired(empty, 10_000)).toEqual([])
  })

  test('but not what tags and branches hold, with what they ask for themselves', () => {
    expect(expired(table({ release: { 'snapshot-id': 2, type: 'tag' } }), 10_000)).toEqual([1, 3, 4, 5])
    const main = { 'snapshot-id': 6, type: 'branch' as const }
    expect(expired(table({ main: { ...main, 'min-snapshots-to-keep': 3 } }), 10_000)).toEqual([1, 2, 3])
    expect(expired(table({ main: { ...main, 'max-snapshot-age-ms': 250 } }), 10_000)).toEqual([1, 2, 3, 4])
  })

  test('and leave the log without a gap, statistics with their snapshots', () => {
    const after = removeSnapshots(table(), new Set([1, 2, 4]), 800)
    expect(after.snapshots.map((each) => each['snapshot-id'])).toEqual([3, 5, 6])
    expect(after['snapshot-log'].map((each) => each['snapshot-id'])).toEqual([5, 6])
    expect(after.statistics?.map((each) => each['statistics-path'])).toEqual(['stats-5'])
    expect(after['last-updated-ms']).toBe(800)
  })
})

describe('a compaction plan', () => {
  const MB = 1024 * 1024
  const file = (path: string, bytes: number, partition = 0, specId = 0): ScanFile => ({
    file: { path, bytes, partition: [partition], specId } as unknown as DataFile, // what the plan looks at
    sequenceNumber: 1,
    snapshotId: 1,
    deletes: [],
  })

  test('takes small files of one partition together, and leaves alone what is as it should be', () => {
    const files = [
      ...Array.from({ length: 6 }, (_, i) => file(`a${i}`, MB, 1)),
      ...Array.from({ length: 4 }, (_, i) => file(`few${i}`, MB, 2)),
      file('good', 128 * MB, 1),
      ...Array.from({ length: 9 }, (_, i) => file(`old${i}`, MB, 1, 7)),
    ]
    const plan = planCompaction(files, 0)
    expect(plan.map((group) => group.files.map(({ file }) => file.path))).toEqual([
      ['a0', 'a1', 'a2', 'a3', 'a4', 'a5'],
    ])
  })

  test('rewrites a file with deleted rows, and one far too large, even alone', () => {
    const deleted = { ...file('deleted', 128 * MB), deletes: [file('d', 1).file] } as unknown as ScanFile // as above
    expect(planCompaction([deleted, file('large', 600 * MB, 3)], 0)).toHaveLength(2)
  })

  test('keeps groups within their bound, files within one group, whatever their sizes', () => {
    const sizes = fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 0, max: 2 })), { maxLength: 60 })
    fc.assert(
      fc.property(sizes, (all) => {
        const files = all.map(([mb, partition], i) => file(`f${i}`, mb * MB, partition))
        const groups = planCompaction(files, 0, { targetBytes: 100 * MB, groupBytes: 200 * MB, minFiles: 2 })
        const paths = groups.flatMap((group) => group.files.map(({ file }) => file.path))
        expect(new Set(paths).size).toBe(paths.length)
        for (const group of groups) {
          expect(group.bytes).toBeLessThanOrEqual(200 * MB)
          expect(new Set(group.files.map(({ file }) => file.partition[0])).size).toBe(1)
        }
      }),
    )
  })
})
