/** `streamforge lake describe TABLE`: what the table is: columns with their ids, partitions, properties, and where it stands. */
import {
  currentSchema,
  defaultSpec,
  type Schema,
  sizeOfTable,
  snapshotsOf,
  sqlName,
  stringifyJson,
  type Table,
  type TableMetadata,
  type TableSize,
} from '../../../db/lake/index.ts'
import type { CommandIo } from '../../command.ts'
import { ago, counted, humanBytes, humanTime } from '../../human.ts'
import { withLake } from '../../lake.ts'
import { printable, textTable } from '../../text-table.ts'
import { type AskedTable, findTable, iso } from './table.ts'

export const describe = ({ json, data, table: name }: AskedTable, io: CommandIo): Promise<number> =>
  withLake({ data }, io, async ({ lake }) => {
    const table = await findTable(lake, name)
    const size = await sizeOfTable(lake, table)
    io.out(json ? `${stringifyJson(forPrograms(table, size))}\n` : forPeople(table, size, io.clock.now()))
    return 0
  })

type FieldType = Schema['fields'][number]['type']

/** As it is written in a CREATE TABLE of Spark: `list<string>`, `struct<x: int, y: double>`. */
function typeText(type: FieldType): string {
  if (typeof type === 'string') return type
  if (type.type === 'list') return `list<${typeText(type.element)}>`
  if (type.type === 'map') return `map<${typeText(type.key)}, ${typeText(type.value)}>`
  return `struct<${type.fields.map((field) => `${field.name}: ${typeText(field.type)}`).join(', ')}>`
}

/** Fields of a spec or an order, by the names of their columns: `day(event_time)`. */
const transformed = (metadata: TableMetadata, fields: readonly { 'source-id': number; transform: string }[]) =>
  fields.map(({ 'source-id': id, transform }) => {
    const column =
      metadata.schemas.flatMap((schema) => schema.fields).find((field) => field.id === id)?.name ?? `#${id}`
    return transform === 'identity' ? column : `${transform}(${column})`
  })

type OrderField = { 'source-id': number; transform: string; direction: string }

function sorted(metadata: TableMetadata): string[] {
  const order = metadata['sort-orders'].find((each) => each['order-id'] === metadata['default-sort-order-id'])
  const fields = (order?.fields ?? []) as readonly OrderField[]
  return transformed(metadata, fields).map((text, i) => (fields[i]!.direction === 'desc' ? `${text} desc` : text))
}

function forPeople({ name, metadata, metadataLocation }: Table, size: TableSize, nowMs: number): string {
  const schema = currentSchema(metadata)
  const [current] = snapshotsOf(metadata).filter((each) => each.isCurrent)
  const rowCount = size.rows === null ? 'an unknown number of rows' : counted(size.rows, 'row')
  const facts: [string, string][] = [
    ['Location', metadata.location],
    ['Metadata', metadataLocation],
    ['Format', `Iceberg v${metadata['format-version']}, table ${metadata['table-uuid']}`],
    ['Partitions', transformed(metadata, defaultSpec(metadata).fields).join(', ') || 'none'],
    ['Sorted by', sorted(metadata).join(', ') || 'nothing'],
    [
      'Content',
      `${rowCount} in ${counted(size.dataFiles ?? 0, 'file')}, ${humanBytes(size.bytes ?? 0)}${size.deleteFiles ? `, with ${counted(size.deleteFiles, 'delete file')}` : ''}`,
    ],
    [
      'Snapshot',
      current
        ? `${current.snapshotId} (${current.operation ?? '?'}), ${humanTime(current.committedMs)}, ${ago(current.committedMs, nowMs)}; ${counted(metadata.snapshots.length, 'snapshot')} in all`
        : 'none: the table has never been written',
    ],
    ...Object.entries(metadata.refs)
      .filter(([ref]) => ref !== 'main')
      .map(([ref, { type, 'snapshot-id': id }]): [string, string] => [
        type === 'tag' ? 'Tag' : 'Branch',
        `${ref} at ${id}`,
      ]),
  ]
  const docs = schema.fields.some((field) => field.doc !== undefined)
  const columns = schema.fields.map((field) => [
    String(field.id),
    field.name,
    typeText(field.type),
    field.required ? 'required' : '',
    ...(docs ? [field.doc ?? ''] : []),
  ])
  const properties = Object.entries(metadata.properties).sort(([a], [b]) => (a < b ? -1 : 1))
  const width = Math.max(...facts.map(([fact]) => fact.length))
  return [
    `${sqlName(name)}\n\n`,
    ...facts.map(([fact, value]) => `  ${fact.padEnd(width)}  ${printable(value)}\n`),
    '\n',
    textTable(['ID', 'COLUMN', 'TYPE', '', ...(docs ? ['MEANING'] : [])], columns, [0]),
    ...(properties.length > 0 ? ['\n', textTable(['PROPERTY', 'VALUE'], properties)] : []),
  ].join('')
}

function forPrograms({ name, metadata, metadataLocation }: Table, size: TableSize) {
  const [current] = snapshotsOf(metadata).filter((each) => each.isCurrent)
  return {
    ...name,
    table_uuid: metadata['table-uuid'],
    format_version: metadata['format-version'],
    location: metadata.location,
    metadata_location: metadataLocation,
    schema: currentSchema(metadata),
    partition_spec: defaultSpec(metadata),
    partitioned_by: transformed(metadata, defaultSpec(metadata).fields),
    sorted_by: sorted(metadata),
    properties: metadata.properties,
    rows: size.rows,
    data_files: size.dataFiles,
    delete_files: size.deleteFiles,
    bytes: size.bytes,
    snapshots: metadata.snapshots.length,
    current_snapshot: current
      ? { snapshot_id: current.snapshotId, committed_at: iso(current.committedMs), operation: current.operation }
      : null,
    refs: Object.fromEntries(
      Object.entries(metadata.refs).map(([ref, { type, 'snapshot-id': id }]) => [
        ref,
        { type, snapshot_id: String(id) },
      ]),
    ),
  }
}
