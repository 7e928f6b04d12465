/**
 * Iceberg's types in the form their JSON has: primitives are strings, nested types are objects.
 *
 * Keeping that form means that what another engine wrote goes back as it came, keys unknown to us included. `primitiveOf` gives the parsed form.
 * Source: https://iceberg.apache.org/spec/#schemas-and-data-types and Appendix C.
 */

/** As in JSON: `long`, `decimal(20, 2)`, `fixed[16]` … */
export type PrimitiveName = string

export interface Field {
  readonly id: number
  readonly name: string
  readonly required: boolean
  readonly type: IcebergType
  readonly doc?: string
  readonly [key: string]: unknown
}

export interface StructType {
  readonly type: 'struct'
  readonly fields: readonly Field[]
}

export interface ListType {
  readonly type: 'list'
  readonly 'element-id': number
  readonly 'element-required': boolean
  readonly element: IcebergType
}

export interface MapType {
  readonly type: 'map'
  readonly 'key-id': number
  readonly key: IcebergType
  readonly 'value-id': number
  readonly 'value-required': boolean
  readonly value: IcebergType
}

export type IcebergType = PrimitiveName | StructType | ListType | MapType

const PLAIN = [
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'string',
  'uuid',
  'binary',
] as const

export type Primitive =
  | { readonly kind: (typeof PLAIN)[number] }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'fixed'; readonly length: number }

/**
 * A value in memory. boolean; int and date (days since 1970) as number; long, time and timestamps (microseconds, since midnight or 1970) as bigint, where safe numbers
 * are accepted too; float and double as number; decimal as its unscaled bigint; string; uuid as text; fixed and binary as bytes.
 */
export type Value = boolean | number | bigint | string | Uint8Array

const parsed = new Map<string, Primitive>(PLAIN.map((kind) => [kind, { kind }]))

/** @throws Error for a nested type, or a name that Iceberg v2 does not have */
export function primitiveOf(type: IcebergType): Primitive {
  if (typeof type !== 'string') throw new Error(`The type ${type.type} is nested; only single values fit here.`)
  const known = parsed.get(type)
  if (known) return known
  const primitive = parseParameterised(type)
  if (parsed.size < 1_000) parsed.set(type, primitive)
  return primitive
}

function parseParameterised(type: string): Primitive {
  const decimal = /^decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)$/.exec(type)
  if (decimal) {
    const [precision, scale] = [Number(decimal[1]), Number(decimal[2])]
    if (precision < 1 || precision > 38 || scale > precision)
      throw new Error(`"${type}" is no Iceberg type: a decimal has 1 to 38 digits, its scale is within them.`)
    return { kind: 'decimal', precision, scale }
  }
  const fixed = /^fixed\[(\d+)\]$/.exec(type)
  if (fixed) return { kind: 'fixed', length: Number(fixed[1]) }
  throw new Error(`"${type}" is not a type of Iceberg v2. There are ${PLAIN.join(', ')}, decimal(P, S) and fixed[L].`)
}

export const isNested = (type: IcebergType): type is StructType | ListType | MapType => typeof type !== 'string'

/** Every id in a type, those of nested fields included. */
export function fieldIds(type: IcebergType): number[] {
  if (typeof type === 'string') return []
  if (type.type === 'struct') return type.fields.flatMap((field) => [field.id, ...fieldIds(field.type)])
  if (type.type === 'list') return [type['element-id'], ...fieldIds(type.element)]
  return [type['key-id'], ...fieldIds(type.key), type['value-id'], ...fieldIds(type.value)]
}

/** @throws Error naming the first part that is not a type of Iceberg v2 */
export function checkType(type: unknown): asserts type is IcebergType {
  if (typeof type === 'string') {
    primitiveOf(type)
    return
  }
  const nested = type as Readonly<Record<string, unknown>> | null
  switch (nested?.type) {
    case 'struct':
      for (const field of nested.fields as readonly Field[]) checkType(field.type)
      return
    case 'list':
      return checkType(nested.element)
    case 'map':
      checkType(nested.key)
      return checkType(nested.value)
    default:
      throw new Error(`${JSON.stringify(type)} is not a type of Iceberg v2.`)
  }
}
