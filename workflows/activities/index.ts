/** All activities of the platform, over the given stores: what the worker registers. One file per family; their names are unique over all of them. */
import type { ActivityDeps } from './deps.ts'
import { erasureActivities } from './erasure.ts'
import { tellingFailures } from './failures.ts'
import { importActivities } from './imports.ts'
import { maintenanceActivities } from './maintenance.ts'
import { modelActivities } from './models.ts'
import { qualityActivities } from './quality.ts'
import { reconciliationActivities } from './reconciliation.ts'
import { replayActivities } from './replay.ts'
import { warehouseActivities } from './warehouse.ts'

export type Activities = ReturnType<typeof createActivities>

export const createActivities = (deps: ActivityDeps) =>
  tellingFailures({
    ...erasureActivities(deps),
    ...importActivities(deps),
    ...maintenanceActivities(deps),
    ...modelActivities(deps),
    ...qualityActivities(deps),
    ...reconciliationActivities(deps),
    ...replayActivities(deps),
    ...warehouseActivities(deps),
  })
