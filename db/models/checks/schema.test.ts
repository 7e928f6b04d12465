import { expect, test } from 'vitest'
import { schemaOf } from '../../lake/index.ts'
import { modelNamed } from '../models.ts'
import { schemaDifferences } from './schema.ts'

const model = modelNamed('dim_products')
const changed = (name: string, change: object) =>
  schemaOf(model.columns.map((column) => (column.name === name ? { ...column, ...change } : column)))

test('a table is as its model says, whatever the order of its columns and whatever more it has', () => {
  const more = [{ name: 'colour', type: 'string' }, ...[...model.columns].reverse()]
  expect(schemaDifferences(model, schemaOf(more))).toEqual([])
})

test('a column that is gone, of another type, or may be null where it must not, is told', () => {
  expect(schemaDifferences(model, schemaOf(model.columns.filter(({ name }) => name !== 'category')))).toEqual([
    { column: 'category', expected: 'string', found: null },
  ])
  expect(schemaDifferences(model, changed('first_seen', { type: 'string' }))).toEqual([
    { column: 'first_seen', expected: 'timestamptz', found: 'string' },
  ])
  expect(schemaDifferences(model, changed('product_id', { required: false }))).toEqual([
    { column: 'product_id', expected: 'string, required', found: 'string' },
  ])
  expect(schemaDifferences(model, null)).toHaveLength(model.columns.length)
})
