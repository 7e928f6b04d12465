/**
 * A row of somebody's file or topic as an event of ours, or why it is none: mapping, then the validation that the edge has.
 * Pure. Invariant: the event is a function of the row, its id and the moment it counts as received.
 */
import type { AnyEvent } from '../../contract/events.ts'
import { parseEvent } from '../../contract/input.ts'
import type { Row } from '../read-rows.ts'
import type { Mapping } from './mapping.ts'

/** `withoutConsent`: the row says that whom it is about does not agree; it is let go, and counted. */
export type MadeEvent =
  | { event: AnyEvent }
  | { withoutConsent: true }
  | { reason: 'bad_row' | 'invalid_event'; message: string }

/** Of a dead letter, which somebody wants to bring back. */
export const REFUSED_LETTER = {
  reason: 'invalid_event',
  message: 'The row says that whom it is about does not agree',
} as const

export interface Reception {
  /** Epoch ms. */
  receivedAt: number
  /** Of amounts where neither the row nor the mapping says it. */
  currency: string
  /** For a row without an id of its own. */
  rowId: () => string
}

export function toEvent(mapping: Mapping, row: Row, { receivedAt, currency, rowId }: Reception): MadeEvent {
  const mapped = mapping.map(row, rowId)
  if ('withoutConsent' in mapped) return mapped
  if ('bad' in mapped) return { reason: 'bad_row', message: mapped.bad }
  const parsed = parseEvent(mapping.topic, mapped.event, { receivedAt, currency, newId: rowId })
  return parsed.ok ? { event: parsed.event } : { reason: 'invalid_event', message: parsed.problem.message }
}
