/** A table's metadata while the updates of a commit are applied to it, with what they have added so far: -1 in an update means "the one just added". */
import type { TableMetadata } from '../metadata/table-metadata.ts'
import type { Long } from '../types/json.ts'
import { badRequest } from './refused.ts'

export interface Draft {
  readonly metadata: TableMetadata
  readonly added: {
    readonly schema: number | null
    readonly spec: number | null
    readonly sortOrder: number | null
    readonly snapshots: ReadonlySet<Long>
  }
}

/** What is as it was leaves the metadata the very same. */
export function amend(draft: Draft, changes: Partial<TableMetadata>, added: Partial<Draft['added']> = {}): Draft {
  const isSame = Object.entries(changes).every(([key, value]) => draft.metadata[key] === value)
  // Parts of one metadata over another are one.
  const metadata = isSame ? draft.metadata : ({ ...draft.metadata, ...changes } as TableMetadata)
  return { metadata, added: { ...draft.added, ...added } }
}

/** @throws CatalogRefused where -1 names nothing */
export function addedOr(id: number, added: number | null, what: string): number {
  if (id !== -1) return id
  if (added !== null) return added
  throw badRequest(`The id -1 means the ${what} that this commit adds, and it adds none.`)
}

/** Equal for values that differ in nothing but the order of their keys and empty keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'bigint'
      ? `${each}n`
      : typeof each === 'object' && each !== null && !Array.isArray(each)
        ? Object.fromEntries(
            Object.entries(each)
              .filter(([, member]) => member !== null)
              .sort(([a], [b]) => (a < b ? -1 : 1)),
          )
        : each,
  )
}
