/** What a plan's manifests say about the values of one column, without a file being read. */
import { compareValues, readBound } from '../types/bounds.ts'
import { fieldNamed } from '../types/schema.ts'
import type { Value } from '../types/types.ts'
import type { ScanPlan } from './plan.ts'

/**
 * No row of the plan has a value below or above them; undefined where a file does not say.
 * @throws Error when there is no such column
 */
export function knownBounds(
  { files, schema }: Pick<ScanPlan, 'files' | 'schema'>,
  column: string,
): { lower: Value | undefined; upper: Value | undefined } {
  const { id, type } = fieldNamed(schema, column)
  if (typeof type !== 'string' || files.length === 0) return { lower: undefined, upper: undefined }
  const outermost = (bounds: (Value | undefined)[], sign: 1 | -1): Value | undefined =>
    bounds.reduce((a, b) =>
      a === undefined || b === undefined ? undefined : compareValues(type, a, b) * sign <= 0 ? a : b,
    )
  return {
    lower: outermost(
      files.map(({ file }) => readBound(type, file.lowerBounds.get(id))),
      1,
    ),
    upper: outermost(
      files.map(({ file }) => readBound(type, file.upperBounds.get(id))),
      -1,
    ),
  }
}
