/**
 * The parts of a table that are copied each for itself: its days, or all of it. Two snapshots have a part in common where its files are the same, since a file of the lake is never written twice.
 */
import { createHash } from 'node:crypto'
import type { ScanPlan } from '../lake/index.ts'
import { dayText } from '../models/render.ts'
import { CannotCopy } from './columns.ts'

/** What a part was made of, by its day (`2026-11-20`), or by {@link WHOLE}. */
export type Parts = Readonly<Record<string, string>>

/** The one part of a table that has no days. */
export const WHOLE = 'whole'

export function partsOf(plan: ScanPlan, scope: 'day' | 'whole'): Parts {
  const files = new Map<string, string[]>()
  if (scope === 'whole') files.set(WHOLE, [])
  for (const { file, deletes } of plan.files) {
    const part = scope === 'day' ? dayOf(file.partition, plan) : WHOLE
    const paths = files.get(part) ?? []
    files.set(part, paths)
    paths.push([file.path, ...deletes.map(({ path }) => path).sort()].join('\n'))
  }
  // A column that is new is empty in rows that were copied without it.
  const schema = String(plan.schema['schema-id'])
  const digest = (paths: readonly string[]) =>
    createHash('sha256')
      .update([schema, ...[...paths].sort()].join('\n\n'))
      .digest('base64url')
  return Object.fromEntries([...files].map(([part, paths]) => [part, digest(paths)]))
}

function dayOf(partition: readonly unknown[], { location }: ScanPlan): string {
  const [day] = partition
  if (partition.length !== 1 || typeof day !== 'number')
    throw new CannotCopy(
      `${location} is no longer partitioned by day alone, so its days can't be copied to the warehouse.`,
    )
  return dayText(day)
}

export interface PartChanges {
  /** Rows of these go, if there are any. */
  remove: string[]
  /** Rows of these come. All of them are among the removed. */
  copy: string[]
  /** What is different, and stays as it is for now. */
  waiting: string[]
  /** What is there afterwards. */
  after: Parts
}

/** @param hold days to be left as they are */
export function changesOf(before: Parts, now: Parts, hold: ReadonlySet<string>): PartChanges {
  const different = [...new Set([...Object.keys(before), ...Object.keys(now)])]
    .filter((part) => before[part] !== now[part])
    .sort()
  const waiting = different.filter((part) => hold.has(part))
  const remove = different.filter((part) => !hold.has(part))
  const stays = Object.entries(before).filter(([part]) => !remove.includes(part))
  const copy = remove.filter((part) => part in now)
  return { remove, copy, waiting, after: Object.fromEntries([...stays, ...copy.map((part) => [part, now[part]!])]) }
}
