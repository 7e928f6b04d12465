/** What tests of imports agree on: files that are easy to judge, and mappings by what a task can carry. */
import { type Mapping, type MappingSpec, parseMapping } from '../../../streams/sources/mappings/mapping.ts'
import { PRESETS } from '../../../streams/sources/mappings/presets.ts'

/** A preset's name, or what a mapping file says. */
export type Spec = string | MappingSpec

export const mappingOf = (spec: Spec): Mapping =>
  typeof spec === 'string' ? PRESETS[spec]! : parseMapping(spec, 'The mapping')

/** Of {@link ordersFile}. */
export const ORDERS_SPEC: MappingSpec = {
  topic: 'orders',
  currency: 'TRY',
  columns: { order_id: 'id', user_id: 'customer', amount: 'total', event_time: 'at' },
}

/** Every so manyth row is bad. */
export const BAD_EVERY = 7
export const isBad = (n: number): boolean => n % BAD_EVERY === 3

/** Rows 0 to `rows` − 1 over three days, of `o-<n>` for 1.00 more each; those that {@link isBad} have no total. */
export function* ordersFile(rows: number): Generator<string> {
  yield 'id,customer,total,at\n'
  for (let n = 0; n < rows; n++)
    yield `o-${n},user-${n % 5},${isBad(n) ? 'nothing' : `${n}.00`},2026-03-0${1 + (n % 3)} 12:00:00\n`
}
