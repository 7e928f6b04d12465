/**
 * How far the JavaScript heap may grow with garbage before it is collected.
 *
 * By itself V8 lets a heap of 100 MB grow to three or four times that: collecting seldom is cheap when most of the heap is alive. The streams keep their large
 * state outside of it (`operators/packed-state.ts`), so what is alive is little, and collecting it more often costs little.
 */
import { setFlagsFromString } from 'node:v8'

/** Of what was alive after the last full collection. */
const GROWTH_PERCENT = 40

/** For all of this process, its threads included. */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)
}
