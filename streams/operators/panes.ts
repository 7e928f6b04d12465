/**
 * Counts and amounts over the last hour and day, as panes of a minute and an hour: a sliding window that any reader can evaluate later.
 *
 * One flat array of small integers per user, since there may be millions: [minutes in the first part, then minute panes, then hour panes],
 * each pane as (start / unit, count, amount). Invariant: panes are ascending, and none is older than its horizon before the newest.
 */
import type { Pane, Panes } from '../contract/features.ts'
import { plus } from './sum.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const MINUTES_KEPT = 60
const HOURS_KEPT = 24
const FIELDS = 3

/** [number of minute panes, …minute panes, …hour panes], 3 integers per pane. */
export type PackedPanes = number[]

/** @returns the panes with this event added: the same array where its panes existed, a new one otherwise. */
export function addToPanes(packed: PackedPanes | null, eventTimeMs: number, amountMinor: number): PackedPanes {
  const minute = Math.floor(eventTimeMs / MINUTE_MS)
  const hour = Math.floor(eventTimeMs / HOUR_MS)
  if (!packed) return [1, minute, 1, amountMinor, hour, 1, amountMinor]
  const minutesEnd = 1 + packed[0]! * FIELDS
  const inMinute = addAt(packed, 1, minutesEnd, minute, amountMinor)
  const inHour = addAt(packed, minutesEnd, packed.length, hour, amountMinor)
  if (inMinute && inHour) return packed
  const minutes = packed.slice(1, minutesEnd)
  const hours = packed.slice(minutesEnd)
  if (!inMinute) insert(minutes, minute, amountMinor, MINUTES_KEPT)
  if (!inHour) insert(hours, hour, amountMinor, HOURS_KEPT)
  // concat makes an array of just the size; a literal with spreads leaves room that a million users would pay for.
  return [minutes.length / FIELDS].concat(minutes, hours)
}

/** Adds to the pane of this unit if it is there; searched from the end, where almost all events fall. */
function addAt(packed: number[], from: number, to: number, unit: number, amountMinor: number): boolean {
  for (let i = to - FIELDS; i >= from; i -= FIELDS) {
    const at = packed[i]!
    if (at === unit) {
      packed[i + 1]!++
      packed[i + 2] = plus(packed[i + 2]!, amountMinor)
      return true
    }
    if (at < unit) return false
  }
  return false
}

/** Puts a new pane in its place and drops what is now beyond the horizon. */
function insert(panes: number[], unit: number, amountMinor: number, kept: number): void {
  const newest = Math.max(unit, panes.at(-FIELDS) ?? unit)
  if (unit <= newest - kept) return
  let i = panes.length
  while (i > 0 && panes[i - FIELDS]! > unit) i -= FIELDS
  panes.splice(i, 0, unit, 1, amountMinor)
  let expired = 0
  while (panes[expired]! <= newest - kept) expired += FIELDS
  panes.splice(0, expired)
}

export function unpackPanes(packed: PackedPanes | null): Panes {
  if (!packed) return { minutes: [], hours: [] }
  const minutesEnd = 1 + packed[0]! * FIELDS
  return {
    minutes: unpack(packed, 1, minutesEnd, MINUTE_MS),
    hours: unpack(packed, minutesEnd, packed.length, HOUR_MS),
  }
}

function unpack(packed: readonly number[], from: number, to: number, unitMs: number): Pane[] {
  const panes: Pane[] = []
  for (let i = from; i < to; i += FIELDS) panes.push([packed[i]! * unitMs, packed[i + 1]!, packed[i + 2]!])
  return panes
}
