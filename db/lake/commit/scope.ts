/**
 * A table's rows replaced by others, all of them or those of one partition, in one commit.
 *
 * Invariant: the commit happens only on the very files that the plan found there. Whoever has written into the scope meanwhile, another run of the same work included, makes it be refused: of two
 * that work on one scope at once, none can double it, and none can put older rows over newer ones.
 */
import { type TableName, tableText } from '../catalog/catalog.ts'
import type { DataFile } from '../manifest/data-file.ts'
import { currentSchema, currentSnapshot, defaultSpec, type TableMetadata } from '../metadata/table-metadata.ts'
import { planScan } from '../scan/plan.ts'
import type { Predicate } from '../scan/predicate.ts'
import { type Partition, partitionKey } from '../types/partition-spec.ts'
import { fieldById } from '../types/schema.ts'
import { CommitRefused } from './commit.ts'
import { type Lake, loadTable, type Table } from './lake.ts'
import { replaceFiles } from './replace.ts'

/** What is replaced: the partition, whose table is partitioned by values as they are (`identity`), or null for everything. */
export type Scope = Partition | null

export interface ScopePlan {
  scope: Scope
  metadata: TableMetadata
  /** Data files of the scope. */
  files: readonly DataFile[]
}

/** @throws Error in a sentence where a file holds rows of the scope beside others */
export async function planScope(
  lake: Lake,
  { name, metadata }: Pick<Table, 'name' | 'metadata'>,
  scope: Scope,
): Promise<ScopePlan> {
  const spec = defaultSpec(metadata)
  if (scope === null) {
    if (spec.fields.length > 0)
      throw new Error(`The table ${tableText(name)} is partitioned, and is replaced by partition.`)
    return { scope, metadata, files: (await planScan(lake, metadata)).files.map(({ file }) => file) }
  }
  const schema = currentSchema(metadata)
  if (spec.fields.length !== scope.length || spec.fields.some(({ transform }) => transform !== 'identity'))
    throw new Error(
      `The table ${tableText(name)} is not partitioned as its rows are replaced: by ${spec.fields.map((each) => `${each.transform}(${fieldById(schema, each['source-id'])?.name})`).join(', ') || 'nothing'}. Drop it, so that it is made anew.`,
    )
  const where = spec.fields.map((field, i): Predicate => {
    const column = fieldById(schema, field['source-id'])!.name
    const value = scope[i] ?? null
    return value === null ? { column, op: 'is-null' } : { column, op: '=', value }
  })
  const wanted = partitionKey(spec['spec-id'], scope)
  const files = (await planScan(lake, metadata, { where })).files.map(({ file }) => file)
  const mixed = files.find((file) => partitionKey(file.specId, file.partition) !== wanted)
  if (mixed)
    throw new Error(
      `The file ${mixed.path} of ${tableText(name)} was written with another partitioning and may hold rows of several partitions. Have the engine that wrote it rewrite it.`,
    )
  return { scope, metadata, files }
}

export interface ScopeReplacement {
  /** Of the table's schema and default spec, all of them of the scope. */
  added: readonly DataFile[]
  /** Keys of the caller's own in the snapshot's summary. */
  summary?: Readonly<Record<string, string>>
}

/** @throws CommitRefused when the scope is no longer what was planned: plan again; CommitConflict, UnknownOutcome */
export async function replaceScope(
  lake: Lake,
  name: TableName,
  plan: ScopePlan,
  { added, summary = {} }: ScopeReplacement,
): Promise<Table> {
  const spec = defaultSpec(plan.metadata)
  const wanted = partitionKey(spec['spec-id'], plan.scope ?? [])
  const stray = added.find((file) => partitionKey(file.specId, file.partition) !== wanted)
  if (stray) throw new Error(`The file ${stray.path} is not of the partition that is to be replaced.`)
  const paths = new Set(plan.files.map((file) => file.path))
  if (paths.size === 0 && added.length === 0) return loadTable(lake, name)
  return replaceFiles(lake, name, {
    operation: 'overwrite',
    removed: plan.files,
    added,
    plannedAt: plan.metadata['last-sequence-number'],
    summary,
    async check(metadata) {
      if (metadata['table-uuid'] !== plan.metadata['table-uuid'])
        throw new CommitRefused(`${tableText(name)} was dropped, and made anew. Nothing was committed; plan again.`)
      if (
        metadata['current-schema-id'] !== plan.metadata['current-schema-id'] ||
        metadata['default-spec-id'] !== plan.metadata['default-spec-id']
      )
        throw new CommitRefused(
          `The schema of ${tableText(name)} was changed meanwhile. Nothing was committed; plan again.`,
        )
      if (currentSnapshot(metadata)?.['snapshot-id'] === currentSnapshot(plan.metadata)?.['snapshot-id']) return
      const now = await planScope(lake, { name, metadata }, plan.scope)
      if (now.files.length !== paths.size || now.files.some((file) => !paths.has(file.path)))
        throw new CommitRefused(
          `Others have written the rows of ${tableText(name)} that were to be replaced meanwhile. Nothing was committed; plan again.`,
        )
    },
  })
}
