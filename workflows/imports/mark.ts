/**
 * How far an import has come, as the tables of the lake say it: in the summary of each snapshot that it made, and among the table's properties. Pure.
 *
 * The nearest ancestor that names the import is believed. Where the table's history is whole and none does, the import has no rows there (any more: the table was rolled back, or made anew).
 * The properties are for a table whose snapshots of that import have expired.
 */
import { ancestors, CommitRefused, type TableMetadata } from '../../db/lake/index.ts'
import type { Step } from '../../streams/lake-tables/commit-once.ts'
import { FILE_START, type Place } from '../../streams/sources/read-rows.ts'

export interface Mark extends Place {
  /** Index of the next row of the file, from 0. `byte` and `line` are where it begins. */
  next: number
  imported: number
  rejected: number
  /** Rows that say that whom they are about does not agree; missing where there are none. */
  withoutConsent?: number
  /** The file has no more rows. */
  done: boolean
}

export const NOTHING: Readonly<Mark> = { next: 0, imported: 0, rejected: 0, ...FILE_START, done: false }

const SUMMARY = 'streamforge.import'
/** `{"<import>": <mark>}` of every import that the table has rows of. */
const PROPERTY = 'streamforge.imports'

export function markOf(metadata: TableMetadata, id: number): Mark {
  let parent: unknown = null
  for (const snapshot of ancestors(metadata, metadata['current-snapshot-id'])) {
    const text = snapshot.summary?.[SUMMARY]
    const named = text === undefined ? null : (JSON.parse(text) as Mark & { id: number })
    if (named?.id === id) {
      const { id: _, ...mark } = named
      return mark
    }
    parent = snapshot['parent-snapshot-id'] ?? null
  }
  return parent === null ? NOTHING : (all(metadata)[id] ?? NOTHING)
}

const all = (metadata: TableMetadata): Record<string, Mark> =>
  JSON.parse(metadata.properties[PROPERTY] ?? '{}') as Record<string, Mark>

/** @param table its name, for the sentence */
export function stepOf(table: string, id: number, from: Mark, to: Mark): Step {
  const isAt = (metadata: TableMetadata, mark: Mark): boolean => {
    const { next, done } = markOf(metadata, id)
    return next === mark.next && done === mark.done
  }
  return {
    requireBefore(metadata) {
      if (isAt(metadata, from)) return
      throw new CommitRefused(
        `${table} has come to row ${markOf(metadata, id).next} of import ${id}, and these rows begin at ${from.next}: another worker has written meanwhile. Nothing was committed.`,
      )
    },
    isAfter: (metadata) => isAt(metadata, to),
    after: (metadata) => ({
      summary: { [SUMMARY]: JSON.stringify({ id, ...to }) },
      properties: { [PROPERTY]: JSON.stringify({ ...all(metadata), [id]: to }) },
    }),
  }
}
