/**
 * Which rows of a table tell of a person, and what they become: conditions and expressions for DuckDB. Pure.
 *
 * A row is about whom its id columns name: the first of them that is not null. Where that is the person, what else tells of them is emptied. An id of theirs gives way to its pseudonym wherever it
 * stands, also in a row about somebody else (two people, one device). Rows that came later than what is erased are left alone. Invariant: a row that has been rewritten is not found again.
 */
import type { DataFile } from '../manifest/data-file.ts'
import type { TableMetadata } from '../metadata/table-metadata.ts'
import { currentSchema } from '../metadata/table-metadata.ts'
import { identifier, quote } from '../parquet/duck.ts'
import { boundsMayMatch } from '../scan/plan.ts'
import { readBound } from '../types/bounds.ts'
import type { Field } from '../types/types.ts'

/** What of a table tells of persons. Columns that the table does not have are left out. */
export interface PersonalColumns {
  /** Texts that name a person, the one that decides first. */
  ids: readonly string[]
  /** What else tells of whom the row is about. Emptied: null, or `erased` where a text is required. */
  telling: readonly string[]
  /** Texts and bytes of any form that are looked through for ids; a row that has one in them is the person's. No file can be left out by its bounds then. */
  searched?: readonly string[]
}

/**
 * How a row is known to have come later than what is erased: then it is left alone. Its time is at least this one, and where places are given it lies in the log from the place of its partition on.
 * A row that can't be told (a null, a column that the table does not have, a partition without a place) did not come later.
 */
export interface Later {
  /** A time or a date. */
  column: string
  /** Epoch milliseconds. */
  fromMs: number
  place?: {
    /** The column of a table with rows of several topics; left out: they are of the places' topic. */
    topic?: string
    partition: string
    offset: string
    from: readonly { topic: string; partition: number; offset: number }[]
  }
}

/** A person's ids, each with what stands in its place from now on. */
export type Pseudonyms = ReadonlyMap<string, string>

export interface Person {
  pseudonyms: Pseudonyms
  ids: readonly Field[]
  telling: readonly Field[]
  searched: readonly Field[]
  /** Null: no row came later. */
  later: { columns: readonly Field[]; condition: (of: string) => string } | null
}

/** DuckDB's table of ids and pseudonyms. */
const ERASED = 'erased_ids'

/** @throws Error in a sentence where the table can't be rewritten so */
export function personIn(
  metadata: TableMetadata,
  columns: PersonalColumns,
  pseudonyms: Pseudonyms,
  later?: Later,
): Person {
  const { fields } = currentSchema(metadata)
  const named = (names: readonly string[] = []) =>
    names.flatMap((name) => fields.find((each) => each.name === name) ?? [])
  const person = {
    pseudonyms,
    ids: named(columns.ids),
    telling: named(columns.telling),
    searched: named(columns.searched),
    later: later === undefined ? null : laterIn(fields, later),
  }
  const refuse = (name: string, why: string) => {
    throw new Error(`A person can't be erased from the table at ${metadata.location}: its column "${name}" ${why}.`)
  }
  for (const { name, type } of person.ids) if (type !== 'string') refuse(name, `is ${JSON.stringify(type)}, no text`)
  for (const { name, type } of person.searched)
    if (type !== 'string' && type !== 'binary') refuse(name, `is ${JSON.stringify(type)}, neither text nor bytes`)
  for (const { name, type, required } of person.telling)
    if (required && type !== 'string') refuse(name, 'is required, and no text that could say so')
  const changed = new Map([...person.ids, ...person.telling].map(({ id, name }) => [id, name]))
  for (const spec of metadata['partition-specs'])
    for (const field of spec.fields)
      if (changed.has(field['source-id']) && field.transform !== 'void')
        refuse(changed.get(field['source-id'])!, 'is one that the table is partitioned by')
  for (const [id, pseudonym] of pseudonyms)
    if (id === '' || pseudonyms.has(pseudonym)) throw new Error('An id is empty, or its pseudonym is an id itself.')
  return person
}

function laterIn(fields: readonly Field[], { column, fromMs, place }: Later): Person['later'] {
  const names = [column, ...(place ? [place.partition, place.offset, ...(place.topic ? [place.topic] : [])] : [])]
  const columns = names.flatMap((name) => fields.find((each) => each.name === name) ?? [])
  if (columns.length < names.length) return null
  const condition = (of: string) => {
    const has = (name: string, is: string) => `${of}${identifier(name)} ${is}`
    const behind = place?.from.map(({ topic, partition, offset }) =>
      [
        ...(place.topic ? [has(place.topic, `= ${quote(topic)}`)] : []),
        has(place.partition, `= ${partition}`),
        has(place.offset, `>= ${offset}`),
      ].join(' AND '),
    )
    const isLater = [
      `epoch_ms(${of}${identifier(column)}) >= ${fromMs}`,
      ...(behind ? [behind.map((each) => `(${each})`).join(' OR ') || 'false'] : []),
    ]
    return `coalesce(${isLater.map((each) => `(${each})`).join(' AND ')}, false)`
  }
  return { columns, condition }
}

/** Whether a file's figures let it have a row with one of the ids. */
export function mayTellOf({ pseudonyms, ids, searched }: Person, file: DataFile): boolean {
  if (searched.length > 0) return true
  const values = [...pseudonyms.keys()]
  return ids.some((field) => boundsMayMatch(file, [{ field, predicate: { column: field.name, op: 'in', values } }]))
}

/** Whether a bound that a manifest keeps of a file is one of the ids. */
export const isNamedByBounds = ({ pseudonyms, ids }: Person, file: DataFile): boolean =>
  ids.some(({ id }) =>
    [file.lowerBounds, file.upperBounds].some((bounds) =>
      pseudonyms.has(String(readBound('string', bounds.get(id)) ?? '')),
    ),
  )

/** Makes the table that {@link erased} joins. */
export const createErased = (pseudonyms: Pseudonyms): string =>
  `CREATE OR REPLACE TEMP TABLE ${ERASED} AS SELECT * FROM (VALUES ${[...pseudonyms]
    .map((pair) => `(${pair.map(quote).join(', ')})`)
    .join(', ')}) AS pairs(id, pseudonym)`

/** The condition on a row that an id stands in, and that did not come later. @param columns those of the person's that are there */
export function findsIn({ pseudonyms, searched, later }: Person, columns: readonly Field[]): string {
  const list = [...pseudonyms.keys()].map(quote).join(', ')
  const isSearched = new Set(searched.map(({ id }) => id))
  const found = columns
    .map((field) =>
      isSearched.has(field.id)
        ? mentions(pseudonyms, field)
        : `coalesce(${identifier(field.name)} IN (${list}), false)`,
    )
    .join(' OR ')
  return later ? `(${found}) AND NOT ${later.condition('')}` : found
}

/** @param relation gives the schema's columns @returns a query that gives them as they are without the person */
export function erased(
  { pseudonyms, ids, telling, searched, later }: Person,
  relation: string,
  schema: readonly Field[],
): string {
  const by = new Map(ids.map(({ id }, i) => [id, `by_${i}`]))
  const unlessLater = later ? ` AND NOT ${later.condition('source.')}` : ''
  const joins = ids.map(
    ({ id, name }) =>
      `LEFT JOIN ${ERASED} AS ${by.get(id)} ON ${by.get(id)}.id = source.${identifier(name)}${unlessLater}`,
  )
  const owner = ids.map(
    ({ id, name }) => `WHEN source.${identifier(name)} IS NOT NULL THEN ${by.get(id)}.id IS NOT NULL`,
  )
  const isTheirs = [
    ...(owner.length > 0 ? [`CASE ${owner.join(' ')} ELSE false END`] : []),
    ...searched.map((field) => `(${mentions(pseudonyms, field, 'source.')}${unlessLater})`),
  ].join(' OR ')
  const emptied = new Set(telling.map(({ id }) => id))
  const select = schema.map(({ id, name, required }) => {
    const column = `source.${identifier(name)}`
    const empty = required ? quote('erased') : 'NULL'
    const rest = emptied.has(id) ? `CASE WHEN ${isTheirs} THEN ${empty} ELSE ${column} END` : column
    const pseudonym = by.get(id)
    const value = pseudonym ? `coalesce(${pseudonym}.pseudonym, ${rest})` : rest
    return `${value} AS ${identifier(name)}`
  })
  return `SELECT ${select.join(', ')} FROM (${relation}) AS source ${joins.join(' ')}`
}

/** An id that is at least so long is found wherever it stands; a shorter one ("1", "ada") only as a value of its own, or others would be emptied with it. */
const LONG_BYTES = 6

/** Whether an id is mentioned in text or bytes: as a JSON value, as Avro writes a text, or at all where it is long. Null mentions nobody. */
function mentions(pseudonyms: Pseudonyms, { name, type }: Field, of = ''): string {
  const column = `${of}${identifier(name)}`
  // Bytes as DuckDB spells them in text: so bytes of any form can be searched, and no text is taken apart.
  const text = type === 'binary' ? `${column}::VARCHAR` : `encode(${column})::VARCHAR`
  const forms = [...pseudonyms.keys()].flatMap(formsOf)
  const found = forms.map((form) => `contains(${text}, unhex(${quote(form.toString('hex'))})::VARCHAR)`)
  return `(${column} IS NOT NULL AND (${found.join(' OR ')}))`
}

function formsOf(id: string): Buffer[] {
  const bytes = Buffer.from(id)
  const inJson = Buffer.from(JSON.stringify(id))
  if (bytes.length >= LONG_BYTES) {
    const escaped = inJson.subarray(1, -1)
    return escaped.equals(bytes) ? [bytes] : [bytes, escaped]
  }
  // Avro has a text's length before it, in zigzag: shorter than 64 bytes it is one byte.
  const inAvro = Buffer.concat([Buffer.of(bytes.length * 2), bytes])
  const asNumber = /^\d+$/.test(id)
    ? [`:${id},`, `:${id}}`, `: ${id},`, `: ${id}}`].map((form) => Buffer.from(form))
    : []
  return [inJson, inAvro, ...asNumber]
}
