/**
 * `registerTables`: BigQuery is told which metadata file is the current one of each table of the star schema. Workers start it when a table was committed to (start-registrations.ts); anybody else may at any time.
 *
 * Invariant: what BigQuery reads already is left alone, and it is never set back, so a run that was broken off, or a second one beside it, does no harm.
 */
import { proxyActivities } from '@temporalio/workflow'
import { z } from 'zod'
import type { WarehouseActivities } from '../activities/warehouse.ts'
import { parseInput } from '../input.ts'
import { LONG } from '../policy.ts'

const { registerStarSchema } = proxyActivities<WarehouseActivities>(LONG)

const registerInput = z.strictObject({})
export type RegisterInput = z.input<typeof registerInput>

export async function registerTables(given?: RegisterInput): ReturnType<typeof registerStarSchema> {
  parseInput(registerInput, given, {})
  return registerStarSchema()
}
