/** Everything that is recorded. A new workflow adds a file here; its histories are committed with it. */
import { aggregation, imports, quality, reconciliation } from './batch.ts'
import { upkeepCancelled, upkeepOfAll, upkeepOfOne } from './maintenance.ts'
import type { Scenario } from './scenario.ts'

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  upkeepOfOne,
  upkeepOfAll,
  upkeepCancelled,
  aggregation,
  quality,
  imports,
  reconciliation,
}
