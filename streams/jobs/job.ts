/**
 * A job: what the business asks, as operators per input topic. `topology.ts` lists the jobs; the runtime opens them per partition.
 */
import type { EventOf } from '../contract/events.ts'
import type { OperatorFactory } from '../operators/operator.ts'

export interface Job {
  readonly name: string
  /** One sentence, for the docs and the dashboard. */
  readonly about: string
  /**
   * The fields that its operators look at, by topic; all of them when missing. What no job reads is not decoded and stands as null (0 for a number, '' for a text that
   * must be there), so type the operators by a `Pick` of these fields: then the compiler holds them to it.
   */
  readonly reads?: { readonly [T in keyof EventOf]?: readonly (keyof EventOf[T])[] }
  readonly on: { readonly [T in keyof EventOf]?: readonly OperatorFactory<EventOf[T]>[] }
}

export const seconds = (n: number): number => n * 1000
export const minutes = (n: number): number => n * 60_000
export const hours = (n: number): number => n * 3_600_000
export const days = (n: number): number => n * 86_400_000
