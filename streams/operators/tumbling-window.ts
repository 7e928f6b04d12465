/**
 * Tumbling windows: one accumulator per window and group, published as it grows and once more when the watermark has passed.
 *
 * Invariant: an event is applied to its window exactly while `end + allowed lateness > watermark`; after that it is late, and the row is final.
 */
import type { Schema } from 'avsc'
import { standInOf } from '../contract/erasure.ts'
import type { ResultRows, ResultTable } from '../contract/results.ts'
import { ChangeTracker, type Entry } from './keyed-state.ts'
import type { At, Operator, OperatorFactory, Verdict } from './operator.ts'

export interface WindowView<A> {
  readonly startMs: number
  readonly group: string
  readonly acc: A
  readonly partition: number
  readonly position: number
  readonly final: boolean
}

export interface TumblingWindowSpec<E extends { event_time: number }, A, T extends ResultTable> {
  name: string
  sizeMs: number
  /** How long after the watermark has passed a window still takes events. Default 0. */
  allowedLatenessMs?: number
  /** Which row of the window the event counts for; null when it doesn't count. */
  group(event: E): string | null
  accumulator: {
    /** Avro fields of the accumulator's saved form. */
    schema: Schema
    create(): A
    add(acc: A, event: E): void
    /** Needed where it knows people by their ids: has `standIn` in the place of this one. @returns whether it knew the id */
    forget?(acc: A, subjectId: string, standIn: string): boolean
    /** Where the saved form differs from the live one. */
    save?(acc: A): unknown
    load?(value: unknown): A
  }
  table: T
  row(window: WindowView<A>): ResultRows[T]
}

interface Window<A> extends Entry {
  startMs: number
  group: string
  position: number
  acc: A
}

interface SavedWindow {
  unpublished: boolean
  position: number
  acc: unknown
}

export function tumblingWindow<E extends { event_time: number }, A, T extends ResultTable>(
  spec: TumblingWindowSpec<E, A, T>,
): OperatorFactory<E> {
  return (partition) => createWindows(spec, partition)
}

function createWindows<E extends { event_time: number }, A, T extends ResultTable>(
  spec: TumblingWindowSpec<E, A, T>,
  partition: number,
): Operator<E> {
  const { sizeMs, accumulator } = spec
  const lifeMs = sizeMs + (spec.allowedLatenessMs ?? 0)
  const windows = new Map<number, Map<string, Window<A>>>()
  const tracker = new ChangeTracker<Window<A>>()
  let finalRows: ResultRows[T][] = []
  let nextTimerMs = Number.POSITIVE_INFINITY
  // Most events fall into the same window as the one before.
  let lastStart = Number.NaN
  let lastGroups: Map<string, Window<A>> | undefined

  const keyOf = (w: Window<A>): string => `${w.startMs}/${w.group}`
  const view = (w: Window<A>, final: boolean): ResultRows[T] =>
    spec.row({ startMs: w.startMs, group: w.group, acc: w.acc, partition, position: w.position, final })

  function groupsOf(startMs: number): Map<string, Window<A>> {
    if (startMs === lastStart && lastGroups) return lastGroups
    let groups = windows.get(startMs)
    if (!groups) {
      groups = new Map()
      windows.set(startMs, groups)
      if (startMs + lifeMs < nextTimerMs) nextTimerMs = startMs + lifeMs
    }
    lastStart = startMs
    lastGroups = groups
    return groups
  }

  function close(startMs: number, groups: Map<string, Window<A>>, at: At): void {
    for (const w of groups.values()) {
      w.position = at.offset
      finalRows.push(view(w, true))
      tracker.remove(w, keyOf(w))
    }
    windows.delete(startMs)
    if (startMs === lastStart) lastStart = Number.NaN
  }

  return {
    name: spec.name,
    get nextTimerMs() {
      return nextTimerMs
    },
    process(event, at): Verdict {
      const group = spec.group(event)
      if (group === null) return 'skipped'
      const startMs = Math.floor(event.event_time / sizeMs) * sizeMs
      if (startMs + lifeMs <= at.watermarkMs) return 'late'
      const groups = groupsOf(startMs)
      let w = groups.get(group)
      if (!w) {
        w = { startMs, group, position: at.offset, acc: accumulator.create(), unsaved: false, unpublished: false }
        groups.set(group, w)
      }
      accumulator.add(w.acc, event)
      w.position = at.offset
      tracker.touch(w)
      return 'applied'
    },
    advance(at) {
      nextTimerMs = Number.POSITIVE_INFINITY
      for (const [startMs, groups] of windows) {
        if (startMs + lifeMs <= at.watermarkMs) close(startMs, groups, at)
        else nextTimerMs = Math.min(nextTimerMs, startMs + lifeMs)
      }
    },
    forget(subjectId, at) {
      if (!accumulator.forget) return
      const standIn = standInOf(at)
      for (const groups of windows.values()) {
        for (const w of groups.values()) if (accumulator.forget(w.acc, subjectId, standIn)) tracker.touch(w)
      }
    },
    drain(out, mode, limit) {
      for (const row of finalRows) out.row(spec.table, row)
      finalRows = []
      if (mode === 'final-only') {
        tracker.forgetRemoved()
        return false
      }
      for (const w of tracker.takeUnpublished(limit)) out.row(spec.table, view(w, false))
      return tracker.hasUnpublished
    },
    state: [
      tracker.section({
        name: spec.name,
        schema: {
          type: 'record',
          name: 'Window',
          fields: [
            { name: 'unpublished', type: 'boolean' },
            { name: 'position', type: 'long' },
            { name: 'acc', type: accumulator.schema },
          ],
        },
        keyOf,
        toValue: (w) => ({
          unpublished: w.unpublished,
          position: w.position,
          acc: accumulator.save ? accumulator.save(w.acc) : w.acc,
        }),
        restore(key, value) {
          const slash = key.indexOf('/')
          const startMs = Number(key.slice(0, slash))
          const group = key.slice(slash + 1)
          const saved = value as SavedWindow
          const acc = accumulator.load
            ? accumulator.load(saved.acc)
            : (Object.assign(accumulator.create() as object, saved.acc) as A)
          const w: Window<A> = { startMs, group, position: saved.position, acc, unsaved: false, unpublished: false }
          groupsOf(startMs).set(group, w)
          if (saved.unpublished) tracker.touchForPublish(w)
        },
        *all() {
          for (const groups of windows.values()) yield* groups.values()
        },
      }),
    ],
  }
}
