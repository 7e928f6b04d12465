import { expect, it } from 'vitest'
import { MODELS } from '../../db/models/models.ts'
import { STAGES } from './daily-aggregation.ts'
import { QUALITY_STAGES } from './validate-quality.ts'

it('builds every model, in the order of their dependencies, and has a gate behind every stage', () => {
  expect(STAGES.flatMap(({ models }) => models)).toEqual(MODELS.map(({ name }) => name))
  expect(STAGES.map(({ stage }) => stage)).toEqual(QUALITY_STAGES)
})
