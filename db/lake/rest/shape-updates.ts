/**
 * Updates of a table's shape: schemas, partition specs, sort orders. Pure. As Iceberg's own catalogs do, ids are given here: what is there already keeps its id, what is new gets the next.
 *
 * Invariant: a field id never changes its meaning: what was written under it before can be read under the new schema.
 */
import type { TableMetadata } from '../metadata/table-metadata.ts'
import { isWider } from '../types/evolution.ts'
import type { PartitionField, PartitionSpec } from '../types/partition-spec.ts'
import { allIds, checkSchema, fieldById, type Schema } from '../types/schema.ts'
import { parseTransform, resultType } from '../types/transforms.ts'
import { type Field, type IcebergType, isNested } from '../types/types.ts'
import { addedOr, amend, canonical, type Draft } from './draft.ts'
import { badRequest } from './refused.ts'
import type { NewSchema, NewSortOrder, NewSpec, UpdateOf } from './requests.ts'

const nextId = (ids: readonly number[], first: number): number => Math.max(first - 1, ...ids) + 1
/** What an error of the library says, as a refusal. */
const refusing = <T>(check: () => T): T => {
  try {
    return check()
  } catch (error) {
    throw badRequest((error as Error).message, error)
  }
}

export function addSchema(draft: Draft, { schema: given, 'last-column-id': last }: UpdateOf<'add-schema'>): Draft {
  const { metadata } = draft
  const same = metadata.schemas.find((each) => contentOf(each) === contentOf(given))
  if (same) return amend(draft, {}, { schema: same['schema-id'] })
  const id = metadata.schemas.length === 0 ? (given['schema-id'] ?? 0) : nextId(metadata.schemas.map(idOf), 0)
  const schema: Schema = { ...given, 'schema-id': id } as Schema // the rest of it was checked with the body
  refusing(() => checkSchema(schema))
  checkHistory(metadata, schema)
  const ids = allIds(schema)
  for (const identifier of schema['identifier-field-ids'] ?? [])
    if (!ids.includes(identifier))
      throw badRequest(`The schema is identified by the field ${identifier}, and lacks it.`)
  return amend(
    draft,
    {
      schemas: [...metadata.schemas, schema],
      'last-column-id': Math.max(metadata['last-column-id'], last ?? 0, ...ids),
    },
    { schema: id },
  )
}

const idOf = (schema: Schema): number => schema['schema-id']
const contentOf = ({ fields, 'identifier-field-ids': identifiers }: NewSchema | Schema): string =>
  canonical([fields, [...(identifiers ?? [])].sort((a, b) => a - b)])

function checkHistory(metadata: TableMetadata, schema: Schema): void {
  const current = metadata.schemas.find((each) => each['schema-id'] === metadata['current-schema-id'])
  // The current schema last: what it says of a field goes before what older ones do.
  const known = new Map<number, Field>()
  for (const each of current ? [...metadata.schemas, current] : metadata.schemas)
    for (const field of fieldsIn(each.fields)) known.set(field.id, field)
  for (const field of fieldsIn(schema.fields)) {
    const before = known.get(field.id)
    if (
      before &&
      !(isSameOrWider(before.type, field.type) || (!has(current, field.id) && isSameOrWider(field.type, before.type)))
    )
      throw badRequest(
        `The field "${field.name}" (id ${field.id}) can't become ${named(field.type)}: it is ${named(before.type)}, and rows of that type are there. Types only widen: int to long, float to double, a decimal to more digits.`,
      )
  }
}

const has = (schema: Schema | undefined, id: number): boolean => schema !== undefined && allIds(schema).includes(id)
const named = (type: IcebergType): string => (typeof type === 'string' ? type : `a ${type.type}`)
const isSameOrWider = (from: IcebergType, to: IcebergType): boolean =>
  isNested(from) || isNested(to)
    ? isNested(from) && isNested(to) && from.type === to.type
    : from.replaceAll(' ', '') === to.replaceAll(' ', '') || isWider(from, to)

/** Every field, elements of lists and maps among them. */
function* fieldsIn(fields: readonly Field[]): Generator<Field> {
  for (const field of fields) {
    yield field
    const { type } = field
    if (!isNested(type)) continue
    if (type.type === 'struct') yield* fieldsIn(type.fields)
    else if (type.type === 'list') yield* fieldsIn([part(type['element-id'], `${field.name}.element`, type.element)])
    else
      yield* fieldsIn([
        part(type['key-id'], `${field.name}.key`, type.key),
        part(type['value-id'], `${field.name}.value`, type.value),
      ])
  }
}
const part = (id: number, name: string, type: IcebergType): Field => ({ id, name, required: false, type })

export function setCurrentSchema(draft: Draft, { 'schema-id': given }: UpdateOf<'set-current-schema'>): Draft {
  const id = addedOr(given, draft.added.schema, 'schema')
  if (!draft.metadata.schemas.some((each) => each['schema-id'] === id)) throw badRequest(`There is no schema ${id}.`)
  return amend(draft, { 'current-schema-id': id })
}

export function addSpec(draft: Draft, { spec: given }: UpdateOf<'add-spec'>): Draft {
  const { metadata } = draft
  const schema = shapeNow(draft)
  const known = metadata['partition-specs'].flatMap((spec) => spec.fields)
  let last = metadata['last-partition-id']
  const fields = given.fields.map((field): PartitionField => {
    checkTransform(schema, field['source-id'], field.transform, 'partitioned')
    // The same transform of the same column has one id in all specs: that is how readers know it again.
    const same = known.find((each) => each['source-id'] === field['source-id'] && each.transform === field.transform)
    const id = field['field-id'] ?? same?.['field-id'] ?? last + 1
    const other = known.find((each) => each['field-id'] === id)
    if (other && (other['source-id'] !== field['source-id'] || other.transform !== field.transform))
      throw badRequest(
        `The partition field id ${id} means ${other.transform} of the field ${other['source-id']} already.`,
      )
    last = Math.max(last, id)
    return { ...field, 'field-id': id }
  })
  for (const key of ['name', 'field-id'] as const)
    if (new Set(fields.map((field) => field[key])).size !== fields.length)
      throw badRequest(`Two partition fields have the same ${key}.`)
  const same = metadata['partition-specs'].find((spec) => canonical(spec.fields) === canonical(fields))
  if (same) return amend(draft, {}, { spec: same['spec-id'] })
  const specs = metadata['partition-specs']
  const id =
    specs.length === 0
      ? (given['spec-id'] ?? 0)
      : nextId(
          specs.map((spec) => spec['spec-id']),
          0,
        )
  const spec: PartitionSpec = { ...given, 'spec-id': id, fields }
  return amend(draft, { 'partition-specs': [...specs, spec], 'last-partition-id': last }, { spec: id })
}

/** What is partitioned and sorted is the schema that the commit adds, or the current one. */
function shapeNow({ metadata, added }: Draft): Schema {
  const id = added.schema ?? metadata['current-schema-id']
  const schema = metadata.schemas.find((each) => each['schema-id'] === id)
  if (!schema) throw badRequest('The table has no schema yet. Add it before what is made of its columns.')
  return schema
}

function checkTransform(schema: Schema, sourceId: number, transform: string, what: string): void {
  const parsed = parseTransform(transform)
  if (parsed.kind === 'unknown')
    throw badRequest(
      `"${transform}" is not a transform. There are identity, bucket[N], truncate[W], year, month, day, hour and void.`,
    )
  if (parsed.kind === 'void') return
  const source = fieldById(schema, sourceId)
  if (!source)
    throw badRequest(`The table can't be ${what} by the field ${sourceId}: its schema has no such column at the top.`)
  if (isNested(source.type)) throw badRequest(`The table can't be ${what} by "${source.name}": it is nested.`)
  refusing(() => resultType(parsed, source.type))
}

export function setDefaultSpec(draft: Draft, { 'spec-id': given }: UpdateOf<'set-default-spec'>): Draft {
  const id = addedOr(given, draft.added.spec, 'partition spec')
  if (!draft.metadata['partition-specs'].some((each) => each['spec-id'] === id))
    throw badRequest(`There is no partition spec ${id}.`)
  return amend(draft, { 'default-spec-id': id })
}

export function addSortOrder(draft: Draft, { 'sort-order': given }: UpdateOf<'add-sort-order'>): Draft {
  const orders = draft.metadata['sort-orders']
  for (const field of given.fields) checkTransform(shapeNow(draft), field['source-id'], field.transform, 'sorted')
  const same = orders.find((each) => canonical(each.fields) === canonical(given.fields))
  if (same) return amend(draft, {}, { sortOrder: same['order-id'] })
  // 0 is the order of what is not sorted.
  const id =
    given.fields.length === 0
      ? 0
      : nextId(
          orders.map((each) => each['order-id']),
          1,
        )
  return amend(draft, { 'sort-orders': [...orders, { ...given, 'order-id': id }] }, { sortOrder: id })
}

export function setDefaultSortOrder(draft: Draft, update: UpdateOf<'set-default-sort-order'>): Draft {
  const id = addedOr(update['sort-order-id'], draft.added.sortOrder, 'sort order')
  if (!draft.metadata['sort-orders'].some((each) => each['order-id'] === id))
    throw badRequest(`There is no sort order ${id}.`)
  return amend(draft, { 'default-sort-order-id': id })
}

/** A new table's shape with field ids from 1 on, level by level, as Iceberg's own catalogs give them: some engines count from 0. */
export function withFreshIds(
  schema: NewSchema,
  spec: NewSpec | null,
  order: NewSortOrder | null,
): { schema: NewSchema; spec: NewSpec; order: NewSortOrder } {
  const ids = new Map<number, number>()
  let last = 0
  const fresh = (id: number): number => {
    if (ids.has(id)) throw badRequest(`The schema uses the field id ${id} twice.`)
    ids.set(id, ++last)
    return last
  }
  const typed = (type: IcebergType): IcebergType => {
    if (!isNested(type)) return type
    if (type.type === 'struct') return { ...type, fields: listed(type.fields) }
    if (type.type === 'list') {
      const element = fresh(type['element-id'])
      return { ...type, 'element-id': element, element: typed(type.element) }
    }
    const [key, value] = [fresh(type['key-id']), fresh(type['value-id'])]
    return { ...type, 'key-id': key, 'value-id': value, key: typed(type.key), value: typed(type.value) }
  }
  const listed = (fields: readonly Field[]): Field[] =>
    fields.map((field) => ({ ...field, id: fresh(field.id) })).map((field) => ({ ...field, type: typed(field.type) }))
  const fields = listed(schema.fields)
  const known = (id: number): number => {
    const found = ids.get(id)
    if (found === undefined) throw badRequest(`There is no field ${id} in the schema.`)
    return found
  }
  const sources = <T extends { readonly 'source-id': number }>(list: readonly T[]): T[] =>
    list.map((each) => ({ ...each, 'source-id': known(each['source-id']) }))
  const identifiers = schema['identifier-field-ids']
  return {
    schema: {
      ...schema,
      fields,
      'schema-id': 0,
      ...(identifiers && { 'identifier-field-ids': identifiers.map(known) }),
    },
    spec: { ...spec, fields: sources(spec?.fields ?? []), 'spec-id': 0 },
    order: { ...order, fields: sources(order?.fields ?? []), 'order-id': order?.fields.length ? 1 : 0 },
  }
}
