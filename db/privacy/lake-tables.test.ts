/** Nobody is forgotten to be forgotten: every table that the platform fills in the lake has been thought about, and every column of those that tell of persons. */
import { expect, test } from 'vitest'
import type { LakeTable } from '../../streams/contract/lake-tables.ts'
import * as contract from '../../streams/contract/lake-tables.ts'
import { type PersonalColumns, schemaOf } from '../lake/index.ts'
import { MODELS, NAMESPACE } from '../models/models.ts'
import { IMPERSONAL, NAMING, PERSONS_IN_LAKE, personsIn, TELLING } from './lake-tables.ts'

const isTable = (value: unknown): value is LakeTable =>
  typeof value === 'object' && value !== null && 'columns' in value && 'name' in value
const TABLES = [
  ...Object.values(contract)
    .flatMap((each) => (isTable(each) ? [each] : Object.values(each as object)))
    .filter(isTable),
  ...MODELS.map(({ name, columns }) => ({ name: `${NAMESPACE}.${name}`, columns })),
]
const namesOf = ({ columns }: Pick<LakeTable, 'columns'> | (typeof TABLES)[number]) => columns.map(({ name }) => name)
const columnsOf = (persons: PersonalColumns) => [...persons.ids, ...persons.telling, ...(persons.searched ?? [])]

test('every table of the lake is registered, and no other is', () => {
  expect(TABLES.map(({ name }) => name)).toContain('raw.dead_letters')
  expect([...PERSONS_IN_LAKE.keys()].sort()).toEqual(TABLES.map(({ name }) => name).sort())
})

test('a table without persons has no column that names or tells of one, and says why', () => {
  for (const table of TABLES) {
    const persons = personsIn(table.name)
    if (typeof persons !== 'string') continue
    expect(persons).not.toBe('')
    expect(namesOf(table).filter((name) => NAMING.includes(name) || TELLING.includes(name))).toEqual([])
  }
})

test('every column of the others is on exactly one of the lists', () => {
  expect([...NAMING, ...TELLING].filter((name) => IMPERSONAL.includes(name))).toEqual([])
  expect(NAMING.filter((name) => TELLING.includes(name))).toEqual([])
  for (const table of TABLES) {
    const persons = personsIn(table.name) as PersonalColumns | string
    if (typeof persons === 'string' || table.name === contract.DEAD_LETTERS_TABLE.name) continue
    const listed = [...NAMING, ...TELLING, ...IMPERSONAL]
    expect(
      namesOf(table).filter((name) => !listed.includes(name)),
      table.name,
    ).toEqual([])
  }
})

test('of a table with persons, something names them; and what is emptied may be empty', () => {
  for (const table of TABLES) {
    const persons = personsIn(table.name) as PersonalColumns | string
    if (typeof persons === 'string') continue
    expect(
      namesOf(table).some((name) => [...persons.ids, ...(persons.searched ?? [])].includes(name)),
      table.name,
    ).toBe(true)
    const { fields } = schemaOf(table.columns)
    for (const { name, type } of fields.filter((field) => columnsOf(persons).includes(field.name)))
      expect(type, `${table.name}.${name}`).toMatch(/^(string|binary)$/)
  }
})

test('a table that a build left behind is one of persons, and what others made is not known', () => {
  expect(personsIn('analytics.scratch_fact_events')).toMatchObject({ ids: NAMING })
  expect(personsIn('analysis.something')).toBeUndefined()
})
