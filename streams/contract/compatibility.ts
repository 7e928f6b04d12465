/**
 * Whether schemas get along: pure, over avsc's resolvers, which decide also when values are read. What is added here is the reason, with the field's name.
 * Source of the levels: Confluent Schema Registry, "Schema Evolution and Compatibility".
 */
import avro, { type Schema, type Type, type types } from 'avsc'
import { type CompatibilityLevel, InvalidSchema } from './schema-registry.ts'

export interface NumberedSchema {
  version: number
  schema: Schema
}

/** Reasons are told up to this many; the first few fields are enough to start with. */
const REASONS_MAX = 5
/** Deeper ones are no one's data model, and the walk over a schema is recursive. */
const DEPTH_MAX = 200

/**
 * @param versions of the subject, ascending
 * @returns why the schema does not keep the level: sentences without a full stop; empty when it does
 * @throws InvalidSchema when `next` is no Avro schema
 */
export function compatibilityProblems(
  level: CompatibilityLevel,
  next: Schema,
  versions: readonly NumberedSchema[],
): string[] {
  const nextType = typeOf(next)
  if (level === 'NONE') return []
  const compared = level.endsWith('_TRANSITIVE') ? [...versions].reverse() : versions.slice(-1)
  const problems: string[] = []
  for (const { version, schema } of compared) {
    const other = { name: `version ${version}`, type: typeOf(schema) }
    const mine = { name: 'the new schema', type: nextType }
    if (!level.startsWith('FORWARD')) problems.push(...unreadable(mine, other))
    if (!level.startsWith('BACKWARD')) problems.push(...unreadable(other, mine))
  }
  return problems.slice(0, REASONS_MAX)
}

/** An Avro schema from its JSON text. @throws InvalidSchema */
export function parseSchema(text: string): Schema {
  if (depthOf(text) > DEPTH_MAX) throw new InvalidSchema(`The schema is nested deeper than ${DEPTH_MAX} levels`)
  let schema: Schema
  try {
    schema = JSON.parse(text) as Schema
  } catch (error) {
    throw new InvalidSchema(`The schema is not JSON: ${(error as Error).message}`)
  }
  typeOf(schema)
  return schema
}

/** Brackets at most open at once; those in strings count too, which only errs on the safe side. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (const char of text) {
    if (char === '{' || char === '[') deepest = Math.max(deepest, ++depth)
    else if (char === '}' || char === ']') depth--
  }
  return deepest
}

function typeOf(schema: Schema): Type {
  try {
    return avro.Type.forSchema(schema, { logicalTypes: {} })
  } catch (error) {
    throw new InvalidSchema(`Not an Avro schema: ${(error as Error).message}`)
  }
}

interface Side {
  name: string
  type: Type
}

/** Why the reader can't read what the writer writes; empty when it can. */
function unreadable(reader: Side, writer: Side): string[] {
  if (canRead(reader.type, writer.type)) return []
  const walk = new Walk(reader.name, writer.name)
  walk.compare(reader.type, writer.type, '')
  return walk.problems.length > 0 ? walk.problems : [`${reader.name} can't read what ${writer.name} writes`]
}

function canRead(reader: Type, writer: Type): boolean {
  try {
    reader.createResolver(writer)
    return true
  } catch {
    return false
  }
}

/** Goes down to where two types that don't get along differ. */
class Walk {
  readonly problems: string[] = []
  readonly #reader: string
  readonly #writer: string
  /** Types may contain themselves. */
  readonly #seen = new Set<string>()

  constructor(reader: string, writer: string) {
    this.#reader = reader
    this.#writer = writer
  }

  compare(reader: Type, writer: Type, path: string): void {
    if (canRead(reader, writer)) return
    if (is(reader, avro.types.RecordType) && is(writer, avro.types.RecordType)) this.#records(reader, writer, path)
    else if (is(reader, avro.types.ArrayType) && is(writer, avro.types.ArrayType))
      this.compare(reader.itemsType, writer.itemsType, `${path}[]`)
    else if (is(reader, avro.types.MapType) && is(writer, avro.types.MapType))
      this.compare(reader.valuesType, writer.valuesType, `${path}{}`)
    else if (is(reader, avro.types.EnumType) && is(writer, avro.types.EnumType) && reader.name === writer.name) {
      const unknown = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol))
      this.#add(
        `${at(path)}${this.#writer} has the symbols ${unknown.join(', ')}, which ${this.#reader} lacks, without a default`,
      )
    } else if (isUnion(writer)) for (const branch of writer.types) this.compare(reader, branch, path)
    else if (isUnion(reader)) {
      const same = reader.types.find((branch) => branch.typeName === writer.typeName && branch.name === writer.name)
      if (same) this.compare(same, writer, path)
      else this.#differ(reader, writer, path)
    } else this.#differ(reader, writer, path)
  }

  #records(reader: types.RecordType, writer: types.RecordType, path: string): void {
    const pair = `${reader.name} ${writer.name}`
    if (this.#seen.has(pair)) return
    this.#seen.add(pair)
    const before = this.problems.length
    for (const field of reader.fields) {
      const name = path === '' ? field.name : `${path}.${field.name}`
      const written = writer.fields.find((f) => f.name === field.name || field.aliases.includes(f.name))
      if (written) this.compare(field.type, written.type, name)
      else if (field.defaultValue() === undefined)
        this.#add(`field "${name}" has no default in ${this.#reader}, and ${this.#writer} does not have it`)
    }
    // Its fields get along, so it is the name.
    if (this.problems.length === before) this.#differ(reader, writer, path)
  }

  #differ(reader: Type, writer: Type, path: string): void {
    this.#add(
      `${at(path)}${describe(writer)} of ${this.#writer} can't be read as ${describe(reader)} by ${this.#reader}`,
    )
  }

  #add(problem: string): void {
    this.problems.push(problem)
  }
}

const at = (path: string): string => (path === '' ? '' : `field "${path}": `)
// The class object of a kind of type; `instanceof` narrows as avsc's own declarations have it.
const is = <T extends Type>(type: Type, kind: abstract new (...args: never[]) => T): type is T => type instanceof kind
const isUnion = (type: Type): type is types.UnwrappedUnionType | types.WrappedUnionType =>
  is(type, avro.types.UnwrappedUnionType) || is(type, avro.types.WrappedUnionType)

function describe(type: Type): string {
  if (isUnion(type)) return `[${type.types.map(describe).join(', ')}]`
  if (is(type, avro.types.FixedType)) return `fixed "${type.name}" of ${type.size} bytes`
  return type.name ? `${type.typeName} "${type.name}"` : type.typeName
}
