/**
 * Simple conditions on columns, and whether a range of values may hold a row that meets them. Pure.
 *
 * Invariant: "no" is certain. A condition on a column is true of no null and of no NaN, as in Iceberg.
 */
import { compareValues } from '../types/bounds.ts'
import { applyTransform, parseTransform } from '../types/transforms.ts'
import type { IcebergType, Value } from '../types/types.ts'

/** Conditions are joined by AND. */
export type Predicate =
  | { column: string; op: '=' | '<' | '<=' | '>' | '>='; value: Value }
  | { column: string; op: 'in'; values: readonly Value[] }
  | { column: string; op: 'is-null' }
  | { column: string; op: 'not-null' }

/** What is known of some rows' values of one column; undefined bounds are unknown. */
export interface Range {
  lower: Value | undefined
  upper: Value | undefined
  mayHaveNull: boolean
  /** False only if every value is null for certain. */
  mayHaveValue: boolean
}

export function mayMatch(type: IcebergType, range: Range, predicate: Predicate): boolean {
  if (predicate.op === 'is-null') return range.mayHaveNull
  if (!range.mayHaveValue) return false
  if (predicate.op === 'not-null' || typeof type !== 'string') return true
  const atLeast = (value: Value) => range.upper === undefined || compareValues(type, range.upper, value) >= 0
  const atMost = (value: Value) => range.lower === undefined || compareValues(type, range.lower, value) <= 0
  switch (predicate.op) {
    case '=':
      return atLeast(predicate.value) && atMost(predicate.value)
    case 'in':
      return predicate.values.some((value) => atLeast(value) && atMost(value))
    case '<':
    case '<=':
      return atMost(predicate.value)
    case '>':
    case '>=':
      return atLeast(predicate.value)
  }
}

/** The condition that partition values meet wherever a row does; null when nothing can be said. */
export function onPartition(predicate: Predicate, transformText: string, type: IcebergType): Predicate | null {
  const transform = parseTransform(transformText)
  if (transform.kind === 'void' || transform.kind === 'unknown') return null
  if (predicate.op === 'is-null' || predicate.op === 'not-null') return predicate
  const apply = (value: Value): Value => applyTransform(transform, type, value)!
  if (predicate.op === 'in') return { ...predicate, values: predicate.values.map(apply) }
  if (predicate.op === '=') return { ...predicate, value: apply(predicate.value) }
  if (transform.kind === 'bucket') return null
  return { ...predicate, op: predicate.op.startsWith('<') ? '<=' : '>=', value: apply(predicate.value) }
}
