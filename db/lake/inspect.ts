/**
 * What a table has, in plain data for people and programs to look at: its size, its snapshots, its files with their partitions and bounds.
 *
 * Invariant: a figure that nobody has noted is null, never guessed; ids are texts, since other engines' have more digits than a double holds.
 */
import type { Lake, Table } from './commit/lake.ts'
import { DATA, type DataFile, EQUALITY_DELETES } from './manifest/data-file.ts'
import { partitionedBy } from './manifest/manifest-reader.ts'
import { currentSnapshot, type Snapshot, type TableMetadata } from './metadata/table-metadata.ts'
import { planScan } from './scan/plan.ts'
import type { SnapshotChoice } from './scan/snapshot.ts'
import { readBound } from './types/bounds.ts'
import { partitionPath } from './types/partition-spec.ts'
import { type Field, primitiveOf, type Value } from './types/types.ts'

export interface TableSize {
  /** Of the current snapshot, without those that position deletes have removed. null: not noted, or some are deleted by equality. */
  rows: number | null
  dataFiles: number | null
  deleteFiles: number | null
  bytes: number | null
}

/** From the summary that every commit carries; where a foreign writer left it out, from the manifests. */
export async function sizeOfTable(lake: Lake, { metadata }: Table): Promise<TableSize> {
  const snapshot = currentSnapshot(metadata)
  if (!snapshot) return { rows: 0, dataFiles: 0, deleteFiles: 0, bytes: 0 }
  const noted = sizeOfSnapshot(snapshot)
  if (noted.rows !== null && noted.bytes !== null && noted.dataFiles !== null) return noted
  const { files } = await planScan(lake, metadata)
  const deletes = [...new Map(files.flatMap((file) => file.deletes).map((each) => [each.path, each])).values()]
  const sum = (all: readonly DataFile[], of: (file: DataFile) => number) => all.reduce((n, each) => n + of(each), 0)
  const data = files.map(({ file }) => file)
  const rows = sum(data, (file) => file.recordCount) - sum(deletes, (file) => file.recordCount)
  return {
    rows: deletes.some((file) => file.content === EQUALITY_DELETES) ? null : rows,
    dataFiles: data.length,
    deleteFiles: deletes.length,
    bytes: sum([...data, ...deletes], (file) => file.bytes),
  }
}

function sizeOfSnapshot({ summary }: Snapshot): TableSize {
  const total = (key: string) => count(summary?.[`total-${key}`])
  const [records, positions, equalities] = [total('records'), total('position-deletes'), total('equality-deletes')]
  return {
    rows: records === null || (equalities ?? 0) > 0 ? null : records - (positions ?? 0),
    dataFiles: total('data-files'),
    deleteFiles: total('delete-files'),
    bytes: total('files-size'),
  }
}

const count = (text: string | undefined): number | null =>
  text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null

export interface SnapshotInfo {
  snapshotId: string
  parentId: string | null
  sequenceNumber: string
  committedMs: number
  /** `append`, `replace`, `overwrite`, `delete`; null where its writer noted none. */
  operation: string | null
  addedRows: number | null
  deletedRows: number | null
  addedFiles: number | null
  deletedFiles: number | null
  total: TableSize
  isCurrent: boolean
  /** Branches and tags that point at it. */
  refs: string[]
  schemaId: number | null
  summary: Readonly<Record<string, string>>
}

/** The newest first. */
export function snapshotsOf(metadata: TableMetadata): SnapshotInfo[] {
  const current = metadata['current-snapshot-id']
  const refs = Object.entries(metadata.refs)
  return metadata.snapshots
    .map((snapshot) => {
      const { summary } = snapshot
      const id = snapshot['snapshot-id']
      // A change that a commit does not note did not happen, once it notes anything.
      const change = (key: string) => (summary ? (count(summary[key]) ?? 0) : null)
      return {
        snapshotId: String(id),
        parentId: snapshot['parent-snapshot-id'] == null ? null : String(snapshot['parent-snapshot-id']),
        sequenceNumber: String(snapshot['sequence-number']),
        committedMs: snapshot['timestamp-ms'],
        operation: summary?.operation ?? null,
        addedRows: change('added-records'),
        deletedRows: change('deleted-records'),
        addedFiles: change('added-data-files'),
        deletedFiles: change('deleted-data-files'),
        total: sizeOfSnapshot(snapshot),
        isCurrent: id === current,
        refs: refs.filter(([, ref]) => ref['snapshot-id'] === id).map(([name]) => name),
        schemaId: snapshot['schema-id'] ?? null,
        summary: summary ?? {},
      }
    })
    .sort((a, b) => b.committedMs - a.committedMs || Number(BigInt(b.sequenceNumber) - BigInt(a.sequenceNumber)))
}

export interface FileInfo {
  path: string
  content: 'data' | 'position-deletes' | 'equality-deletes'
  format: string
  /** By the names of the partition fields, as people read them: `event_time_day` → `2026-01-31`; null: the partition of nulls. */
  partition: Record<string, string | null>
  rows: number
  bytes: number
  /** Bounds by the names of columns; those of long texts are shortened. */
  lower: Record<string, string>
  upper: Record<string, string>
  nulls: Record<string, number>
  addedBy: string
  /** How many delete files apply to it. */
  deletes: number
}

export interface FilesInfo {
  snapshotId: string | null
  files: FileInfo[]
  /** Columns that the files are best told apart by: those that partition the table, those that sort it, then the first ones. */
  columns: string[]
}

/** Data files by partition, then the delete files. @throws Error when there is no such snapshot */
export async function filesOfTable(
  lake: Lake,
  metadata: TableMetadata,
  choice: SnapshotChoice = {},
): Promise<FilesInfo> {
  const { snapshot, schema, files } = await planScan(lake, metadata, choice)
  const fields = schema.fields.filter((field) => typeof field.type === 'string')
  const infoOf = (file: DataFile, addedBy: string, deletes: number) =>
    describeFile(metadata, fields, file, { addedBy, deletes })
  const data = files.map(({ file, snapshotId, deletes }) => infoOf(file, String(snapshotId), deletes.length))
  const removed = new Map(files.flatMap((file) => file.deletes.map((each) => [each.path, each] as const)))
  const inOrder = (a: FileInfo, b: FileInfo) => (orderKey(a) < orderKey(b) ? -1 : 1)
  return {
    snapshotId: snapshot === null ? null : String(snapshot['snapshot-id']),
    files: [...data.sort(inOrder), ...[...removed.values()].map((file) => infoOf(file, '', 0)).sort(inOrder)],
    columns: telling(metadata, fields),
  }
}

const orderKey = ({ partition, path }: FileInfo): string => `${Object.values(partition).join('\u0000')}\u0001${path}`

const CONTENTS = ['data', 'position-deletes', 'equality-deletes'] as const

function describeFile(
  metadata: TableMetadata,
  fields: readonly Field[],
  file: DataFile,
  { addedBy, deletes }: { addedBy: string; deletes: number },
): FileInfo {
  const { spec, types } = partitionedBy(metadata, file.specId)
  const path = partitionPath(spec, types, file.partition).split('/')
  const partition = spec.fields.map(({ name, transform }, i) => {
    const value = file.partition[i] ?? null
    // These are numbers of years, months or hours since 1970, which the path tells as people do.
    const counted = /^(year|month|hour)$/.test(transform)
    return [
      name,
      value === null ? null : counted ? path[i]!.slice(path[i]!.indexOf('=') + 1) : valueText(types[i]!, value),
    ] as const
  })
  const bounds = (of: ReadonlyMap<number, Uint8Array>): Record<string, string> =>
    Object.fromEntries(
      fields.flatMap(({ id, name, type }) => {
        const value = readBound(type as string, of.get(id))
        return value === undefined ? [] : [[name, valueText(type as string, value)]]
      }),
    )
  const nulls = fields.flatMap(({ id, name }) => {
    const known = file.nullCounts.get(id)
    return known === undefined ? [] : [[name, Number(known)] as const]
  })
  const isData = file.content === DATA
  return {
    path: file.path,
    content: CONTENTS[file.content],
    format: file.format,
    partition: Object.fromEntries(partition),
    rows: file.recordCount,
    bytes: file.bytes,
    // Delete files have bounds of paths and places, which are no columns of the table.
    lower: isData ? bounds(file.lowerBounds) : {},
    upper: isData ? bounds(file.upperBounds) : {},
    nulls: isData ? Object.fromEntries(nulls) : {},
    addedBy,
    deletes,
  }
}

function telling(metadata: TableMetadata, fields: readonly Field[]): string[] {
  const ids = [
    ...metadata['partition-specs'].flatMap((spec) => spec.fields.map((field) => field['source-id'])),
    ...metadata['sort-orders'].flatMap((order) =>
      (order.fields as { 'source-id': number }[]).map((f) => f['source-id']),
    ),
    ...fields.map((field) => field.id),
  ]
  const known = new Map(fields.map((field) => [field.id, field.name]))
  return [...new Set(ids)].flatMap((id) => known.get(id) ?? [])
}

/** As people read it: `12.34`, `2026-01-31`, `2026-01-31T12:00:00.123456Z`, `\xff00`. */
export function valueText(type: string, value: Value): string {
  const primitive = primitiveOf(type)
  switch (primitive.kind) {
    case 'decimal': {
      const unscaled = BigInt(value as bigint)
      const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(primitive.scale + 1, '0')
      const whole = digits.slice(0, digits.length - primitive.scale)
      const fraction = primitive.scale > 0 ? `.${digits.slice(-primitive.scale)}` : ''
      return `${unscaled < 0n ? '-' : ''}${whole}${fraction}`
    }
    case 'date':
      return momentText(BigInt(value as number) * 86_400_000_000n).split('T')[0]!
    case 'time':
      return momentText(BigInt(value as bigint)).slice('1970-01-01T'.length)
    case 'timestamp':
      return momentText(BigInt(value as bigint))
    case 'timestamptz':
      return `${momentText(BigInt(value as bigint))}Z`
    case 'fixed':
    case 'binary':
      return `\\x${Buffer.from(value as Uint8Array).toString('hex')}`
    default:
      return Object.is(value, -0) ? '-0' : String(value)
  }
}

/** Microseconds since 1970, with as many places behind the second as there are; the bare number where a Date holds no such time. */
function momentText(micros: bigint): string {
  const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const ms = Number((micros - rest) / 1_000n)
  if (Math.abs(ms) > DATE_MAX_MS) return String(micros)
  const seconds = new Date(ms).toISOString().slice(0, -'.000Z'.length)
  if (rest === 0n) return seconds
  return `${seconds}.${String(rest).padStart(6, '0').replace(/000$/, '')}`
}

const DATE_MAX_MS = 8.64e15
