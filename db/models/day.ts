/**
 * A day of all models, in the order of their dependencies, on one view of the raw tables: what a workflow does step by step, in one go.
 *
 * Invariant: staging of all topics reads the raw tables at the snapshots that were pinned at the beginning, and the counts are those of the same snapshots.
 */
import type { Lake } from '../lake/index.ts'
import type { BuildOptions, Built, ModelEngine } from './build.ts'
import { MODELS, type Model } from './models.ts'
import { type PinnedDay, pinDay } from './raw-days.ts'

export interface BuiltDay extends PinnedDay {
  built: Built[]
}

export async function buildDay(
  lake: Lake,
  engine: ModelEngine,
  day: string,
  options: Omit<BuildOptions, 'day' | 'pins'> & { models?: readonly Model[] } = {},
): Promise<BuiltDay> {
  const { models = MODELS, ...rest } = options
  const pinned = await pinDay(lake, day)
  const built: Built[] = []
  for (const model of models) built.push(await engine.build(model, { ...rest, day, pins: pinned.pins }))
  return { ...pinned, built }
}
