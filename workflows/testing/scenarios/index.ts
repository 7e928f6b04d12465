/** Everything that is recorded. A new workflow adds a file here; its histories are committed with it. */
import { aggregation, imports, quality, reconciliation } from './batch.ts'
import { erasures } from './erasures.ts'
import { upkeepCancelled, upkeepOfAll, upkeepOfOne } from './maintenance.ts'
import { registrations } from './registrations.ts'
import type { Scenario } from './scenario.ts'
import { warehouse } from './warehouse.ts'

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  upkeepOfOne,
  upkeepOfAll,
  upkeepCancelled,
  aggregation,
  quality,
  imports,
  reconciliation,
  erasures,
  warehouse,
  registrations,
}
