/** Money as the metrics show it: decimals of the currency's major unit, never without the currency. */
import { z } from '@hono/zod-openapi'
import { toMajor } from '../../streams/contract/money.ts'

export const revenueSchema = z
  .object({
    currency: z.string(),
    revenue: z.number().describe('Of successful orders, major units of the currency; refunds are not taken off'),
    refunded: z.number(),
    net_revenue: z.number(),
  })
  .openapi('Revenue')

export function revenueOf(currency: string, revenueMinor: number, refundedMinor: number) {
  return {
    currency,
    revenue: toMajor(revenueMinor, currency),
    refunded: toMajor(refundedMinor, currency),
    net_revenue: toMajor(revenueMinor - refundedMinor, currency),
  }
}
