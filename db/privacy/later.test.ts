/** What came after an erasure was asked for is told apart in every table that tells of persons, by columns that it has. */
import { expect, test } from 'vitest'
import * as contract from '../../streams/contract/lake-tables.ts'
import { CLICKSTREAM, ORDERS } from '../../streams/contract/topics.ts'
import { MODELS, NAMESPACE } from '../models/models.ts'
import { PERSONS_IN_LAKE } from './lake-tables.ts'
import { laterIn, placesOf, TOLD_BY } from './later.ts'

const columns = new Map([
  ...Object.values(contract.RAW_TABLES).map((table) => [table.name, table.columns] as const),
  ...[contract.CONVERSIONS_TABLE, contract.DEAD_LETTERS_TABLE].map((table) => [table.name, table.columns] as const),
  ...MODELS.map((model) => [`${NAMESPACE}.${model.name}`, model.columns] as const),
])

test('every table that tells of persons says how', () => {
  const ofPersons = [...PERSONS_IN_LAKE].filter(([, persons]) => typeof persons !== 'string').map(([name]) => name)
  expect([...TOLD_BY.keys()].sort()).toEqual(ofPersons.sort())
  for (const name of ofPersons) {
    const { column, place } = laterIn(name, { requestedMs: 1, toldMs: 2, places: [] })!
    const has = columns.get(name)!.map((each) => each.name)
    const { topic = column, partition = column, offset = column } = place ?? {}
    expect(has, name).toEqual(expect.arrayContaining([column, topic, partition, offset]))
  }
})

test('a partition counts up to the last of the erasure’s records in it, and where there is none up to where it ended then', () => {
  const at = (topic: string, partition: number, offset: number) => ({ topic, partition, offset })
  const from = [at(CLICKSTREAM, 0, 10), at(CLICKSTREAM, 1, 20), at(ORDERS, 0, 30)]
  const records = [at(CLICKSTREAM, 1, 21), at(CLICKSTREAM, 1, 24), at(ORDERS, 0, 33)]
  expect(placesOf(from, records)).toEqual([at(CLICKSTREAM, 0, 10), at(CLICKSTREAM, 1, 24), at(ORDERS, 0, 33)])
})

test('of an erasure that has not told the log yet, and of tables that are not known, everything is meant', () => {
  expect(laterIn(contract.RAW_TABLES[ORDERS].name, null)).toBeUndefined()
  expect(laterIn('analytics.scratch_fact_events', { requestedMs: 1, toldMs: 2, places: [] })).toBeUndefined()
})
