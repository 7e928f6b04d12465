/**
 * What a commit requires of the table: it was made from a table that looked so, and is refused on one that does not. Pure.
 * Invariant: a requirement that holds on the metadata that is then swapped out has held at the very moment of the commit.
 */
import { type TableName, tableText } from '../catalog/catalog.ts'
import type { TableMetadata } from '../metadata/table-metadata.ts'
import { CatalogRefused } from './refused.ts'
import type { Requirement } from './requests.ts'

/**
 * @param metadata null: there is no such table
 * @throws CatalogRefused `table_exists` for one that was to be made, `no_such_table` for one that was not, else `commit_failed`
 */
export function checkRequirements(
  name: TableName,
  metadata: TableMetadata | null,
  requirements: readonly Requirement[],
): void {
  const creates = requirements.some(({ type }) => type === 'assert-create')
  if (metadata === null) {
    if (creates) return
    throw new CatalogRefused('no_such_table', `There is no table ${tableText(name)} in the catalog.`)
  }
  if (creates) throw new CatalogRefused('table_exists', `The table ${tableText(name)} exists already.`)
  for (const requirement of requirements) {
    const why = unmet(metadata, requirement)
    if (why !== null)
      throw new CatalogRefused(
        'commit_failed',
        `The table ${tableText(name)} has changed: ${why}. Read it again and repeat the change on what it is now.`,
      )
  }
}

/** null: the requirement holds. */
function unmet(metadata: TableMetadata, requirement: Requirement): string | null {
  const same = (what: string, wanted: unknown, is: unknown): string | null =>
    wanted === is ? null : `${what} was to be ${wanted} and is ${is}`
  switch (requirement.type) {
    case 'assert-create':
      return 'it exists'
    case 'assert-table-uuid':
      return same('its UUID', requirement.uuid.toLowerCase(), metadata['table-uuid'].toLowerCase())
    case 'assert-ref-snapshot-id': {
      const is = metadata.refs[requirement.ref]?.['snapshot-id'] ?? 'none'
      return same(`the snapshot of "${requirement.ref}"`, requirement['snapshot-id'] ?? 'none', is)
    }
    case 'assert-last-assigned-field-id':
      return same('its last field id', requirement['last-assigned-field-id'], metadata['last-column-id'])
    case 'assert-current-schema-id':
      return same('its current schema', requirement['current-schema-id'], metadata['current-schema-id'])
    case 'assert-last-assigned-partition-id':
      return same(
        'its last partition field id',
        requirement['last-assigned-partition-id'],
        metadata['last-partition-id'],
      )
    case 'assert-default-spec-id':
      return same('its default partition spec', requirement['default-spec-id'], metadata['default-spec-id'])
    case 'assert-default-sort-order-id':
      return same('its default sort order', requirement['default-sort-order-id'], metadata['default-sort-order-id'])
  }
}
