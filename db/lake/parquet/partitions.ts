/**
 * Which partition each row of a batch belongs to, as the number of a partition seen so far.
 *
 * Most rows share the partition of the row before, so the transform is not computed for each: of a time only its hour is looked at, which lies in one hour, day, month and year.
 */
import type { Partition, PartitionSpec } from '../types/partition-spec.ts'
import { partitionKey, partitionOf } from '../types/partition-spec.ts'
import type { Schema } from '../types/schema.ts'
import type { Value } from '../types/types.ts'
import type { Values } from './staging.ts'

export interface Partitions {
  /** @param columns of the schema, in its order */
  numbersOf(columns: readonly Values[], from: number, count: number): number[]
  /** By number. */
  readonly seen: readonly Partition[]
  clear(): void
}

const HOUR_MICROS = 3_600_000_000

/** @throws Error when the spec names a column that the schema lacks */
export function trackPartitions(spec: PartitionSpec, schema: Schema): Partitions {
  const positions = new Map(schema.fields.map((field, i) => [field.id, i]))
  const sources = spec.fields.map((field) => positions.get(field['source-id']) ?? -1)
  if (sources.includes(-1)) throw new Error('The table is partitioned by a column that its schema lacks.')
  const [source] = sources
  const onlySource = sources.length === 1 ? source! : null
  const byHour =
    onlySource !== null &&
    /^(hour|day|month|year)$/.test(spec.fields[0]!.transform) &&
    schema.fields[onlySource]!.type !== 'date'

  const numbers = new Map<string, number>()
  const seen: Partition[] = []
  const numberOf = (columns: readonly Values[], row: number): number => {
    const values = partitionOf(spec, schema, (id) => columns[positions.get(id)!]?.[row] ?? null)
    const key = partitionKey(0, values)
    const known = numbers.get(key)
    if (known !== undefined) return known
    numbers.set(key, seen.length)
    return seen.push(values) - 1
  }
  /** Equal only for values of one partition. */
  const memoKey = (value: Value | null): Value | null => {
    if (!byHour || value === null) return value
    const micros = Number(value)
    return Number.isSafeInteger(micros) ? Math.floor(micros / HOUR_MICROS) : value
  }

  return {
    seen,
    clear() {
      numbers.clear()
      seen.length = 0
    },
    numbersOf(columns, from, count) {
      if (count === 0) return []
      const result = new Array<number>(count)
      if (sources.length === 0) return result.fill(numberOf(columns, from))
      const memo = new Map<Value | null, number>()
      let [lastKey, last] = [undefined as Value | null | undefined, -1]
      for (let i = 0; i < count; i++) {
        if (onlySource !== null) {
          const key = memoKey(columns[onlySource]?.[from + i] ?? null)
          if (key !== lastKey) {
            last = memo.get(key) ?? numberOf(columns, from + i)
            memo.set(key, last)
            lastKey = key
          }
        } else last = numberOf(columns, from + i)
        result[i] = last
      }
      return result
    },
  }
}
