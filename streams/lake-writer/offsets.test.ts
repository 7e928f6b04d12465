/** Where a table's offsets are looked for, and what a commit may follow on. */
import { expect, it } from 'vitest'
import { CommitRefused, partitionBy, schemaOf, type TableMetadata } from '../../db/lake/index.ts'
import { createMetadata } from '../../db/lake/metadata/create.ts'
import { afterCommit, nextOffsets, OtherLog, placeOf, type Ranges, requireBefore } from './offsets.ts'

const schema = schemaOf([{ name: 'at', type: 'timestamptz' }])
const empty = createMetadata(
  { schema, spec: partitionBy(schema, [{ column: 'at', transform: 'day' }]) },
  { location: 'file:///lake/t', uuid: 'u', nowMs: 0 },
)
const ranges = (from: number | null, to: number, start = from ?? 0): Ranges => new Map([['t-0', { from, start, to }]])

/** As a commit leaves it. @param summary of another engine: without offsets */
function withSnapshot(metadata: TableMetadata, id: number, summary: Record<string, string>): TableMetadata {
  const snapshot = {
    'snapshot-id': id,
    'parent-snapshot-id': metadata['current-snapshot-id'] ?? null,
    'sequence-number': id,
    'timestamp-ms': id,
    'manifest-list': '',
    summary: { ...summary, operation: 'append' },
  }
  return { ...metadata, snapshots: [...metadata.snapshots, snapshot], 'current-snapshot-id': id }
}
function committed(metadata: TableMetadata, id: number, batch: Ranges): TableMetadata {
  const { summary, properties } = afterCommit(metadata, 't', 'log', batch)
  const next = withSnapshot(metadata, id, summary)
  return { ...next, properties: { ...next.properties, ...properties } }
}
const first = committed(empty, 1, ranges(null, 5))
const second = committed(first, 2, ranges(5, 9))

it('a new table has none, and each commit adds to what is there', () => {
  expect(nextOffsets(empty, 't', 'log')).toEqual({})
  const other = committed(second, 3, new Map([['t-1', { from: null, start: 2, to: 4 }]]))
  expect(nextOffsets(other, 't', 'log')).toEqual({ 't-0': 9, 't-1': 4 })
})

it('snapshots of other engines are passed over, back to the last of ours', () => {
  expect(nextOffsets(withSnapshot(second, 3, { 'engine-name': 'trino' }), 't', 'log')).toEqual({ 't-0': 9 })
})

it('where ours have expired, the properties say it', () => {
  const replaced = withSnapshot(second, 3, {})
  const expired = { ...replaced, snapshots: replaced.snapshots.slice(-1) }
  expect(nextOffsets(expired, 't', 'log')).toEqual({ 't-0': 9 })
})

it('a table that was rolled back is where it then was, so that its rows come again', () => {
  expect(nextOffsets({ ...second, 'current-snapshot-id': 1 }, 't', 'log')).toEqual({ 't-0': 5 })
})

it('a batch follows on its own beginning alone', () => {
  expect(placeOf(first, 't', 'log', ranges(5, 9))).toBe('before')
  expect(placeOf(second, 't', 'log', ranges(5, 9))).toBe('after')
  expect(placeOf(second, 't', 'log', ranges(5, 8))).toBe('elsewhere')
  requireBefore(first, 't', 'log', ranges(5, 9))
  for (const batch of [ranges(5, 9), ranges(null, 9), ranges(8, 10)])
    expect(() => requireBefore(second, 't', 'log', batch)).toThrow(CommitRefused)
})

it('another log is an error that says what to do', () => {
  expect(() => nextOffsets(first, 't', 'another')).toThrow(OtherLog)
  expect(() => nextOffsets(first, 't', 'another')).toThrow(/rename or drop the table/)
})

it('what retention has removed is noted, but not before the table has ever had anything', () => {
  expect(afterCommit(first, 't', 'log', ranges(5, 20, 12)).summary['streamforge.lost']).toBe('{"t-0":[5,12]}')
  expect(afterCommit(empty, 't', 'log', ranges(null, 20, 12)).summary).not.toHaveProperty(['streamforge.lost'])
})
