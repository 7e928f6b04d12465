/**
 * `publishWarehouse`: the star schema as the lake has it now, copied into the warehouse that WAREHOUSE_URL names. The daily aggregation starts it when it has built its days; anybody else may at any time.
 *
 * Invariant: what is there already is left alone, so a run that was broken off, or a second one beside it, does no more than what is still to be done.
 */
import { proxyActivities } from '@temporalio/workflow'
import { z } from 'zod'
import type { WarehouseActivities } from '../activities/warehouse.ts'
import { parseInput } from '../input.ts'
import { LONG } from '../policy.ts'

const { publishStarSchema } = proxyActivities<WarehouseActivities>(LONG)

const publishInput = z.strictObject({})
export type PublishInput = z.input<typeof publishInput>

export async function publishWarehouse(given?: PublishInput): ReturnType<typeof publishStarSchema> {
  parseInput(publishInput, given, {})
  return publishStarSchema()
}
