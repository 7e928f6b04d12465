/**
 * The repetition pattern: N matching events of one key within a span, told at once and put right when an out-of-order event arrives.
 *
 * Semantics: a key's candidates in event-time order (ties in log order); whenever N consecutive ones lie within the span, they are a match, and
 * matching goes on after its last event (skip past last). Every arrival re-evaluates what the watermark hasn't settled, so the set of active
 * matches always equals that of the events seen so far, and at the end that of all on-time events in event-time order. A match whose events have
 * changed is superseded by name, never silently replaced.
 */
import type { Schema } from 'avsc'
import { BucketTimers } from '../time/timers.ts'
import { ChangeTracker, type Entry } from './keyed-state.ts'
import type { At, Operator, OperatorFactory, Output, Verdict } from './operator.ts'

/** One candidate, with what the alert will show of it. */
export interface Candidate<D> {
  timeMs: number
  offset: number
  detail: D
}

/** A set of N candidates that form a match. */
export interface Match<D> {
  /** Derived from the candidates: the same set has the same id. */
  id: string
  candidates: readonly Candidate<D>[]
  /** The matches it took the place of, and the one that took its place. */
  supersedes: readonly string[]
  supersededBy: string | null
  state: 'active' | 'superseded'
  /** Event time of the arrival that completed it, the watermark then, and its trace. */
  triggeredMs: number
  watermarkMs: number
  traceId: string | null
  position: number
}

export interface RepetitionSpec<E extends { event_time: number }, D> {
  name: string
  /** How many, and within what: last − first < `withinMs`. */
  count: number
  withinMs: number
  allowedLatenessMs?: number
  key(event: E): string
  where(event: E): boolean
  detail(event: E): D
  /** Avro schema of the detail. */
  detailSchema: Schema
  /** Names the match by its candidates. */
  id(key: string, candidates: readonly Candidate<D>[]): string
  /** Emits a match that is new or has changed. `announce`: not only its finality changed. */
  emit(out: Output, key: string, match: Match<D>, view: { partition: number; final: boolean; announce: boolean }): void
}

interface KeyState<D> extends Entry {
  key: string
  /** Ascending by time, then offset. */
  candidates: Candidate<D>[]
  /** Active matches not yet settled, in order. */
  matches: Match<D>[]
  /** Superseded ones that an event on time could still bring back. */
  superseded: Match<D>[]
  gone: boolean
  /** When the timer that counts is set for: one set earlier for another deadline is ignored when it fires. */
  timerMs: number
}

interface Emission<D> {
  key: string
  match: Match<D>
  final: boolean
  announce: boolean
}

const TIMER_BUCKET_MS = 10_000

export function repetition<E extends { event_time: number }, D>(spec: RepetitionSpec<E, D>): OperatorFactory<E> {
  return (partition) => createRepetition(spec, partition)
}

function createRepetition<E extends { event_time: number }, D>(
  spec: RepetitionSpec<E, D>,
  partition: number,
): Operator<E> {
  const latenessMs = spec.allowedLatenessMs ?? 0
  const keys = new Map<string, KeyState<D>>()
  const tracker = new ChangeTracker<KeyState<D>>()
  const timers = new BucketTimers<KeyState<D>>(TIMER_BUCKET_MS)
  let emissions: Emission<D>[] = []

  /** Nothing earlier than this can still arrive. */
  const horizon = (at: At): number => at.watermarkMs - latenessMs

  /** When a key's state has to be looked at again: a match becomes final, or the last candidate leaves the span. */
  function dueMs(state: KeyState<D>): number {
    const lastOfMatch = state.matches[0]?.candidates.at(-1)
    if (lastOfMatch) return lastOfMatch.timeMs + latenessMs
    return (state.candidates.at(-1)?.timeMs ?? 0) + spec.withinMs + latenessMs
  }

  function schedule(state: KeyState<D>): void {
    const due = dueMs(state)
    if (due >= state.timerMs) return
    state.timerMs = due
    timers.set(state, due)
  }

  function emit(state: KeyState<D>, match: Match<D>, flags: { final: boolean; announce: boolean }): void {
    emissions.push({ key: state.key, match, ...flags })
  }

  /** Makes final what no event at or after `settledMs` can change any more, and drops candidates that can't be in a match any more. */
  function settle(state: KeyState<D>, settledMs: number, offset: number): void {
    let changed = false
    for (let match = state.matches[0]; match; match = state.matches[0]) {
      const last = match.candidates.at(-1) as Candidate<D>
      if (last.timeMs > settledMs) break
      state.matches.shift()
      state.candidates = state.candidates.filter((c) => isAfter(c, last))
      emit(state, { ...match, position: offset }, { final: true, announce: false })
      changed = true
    }
    if (state.superseded.length > 0) {
      const isOpen = (m: Match<D>): boolean => (m.candidates.at(-1) as Candidate<D>).timeMs > settledMs
      for (const match of state.superseded)
        if (!isOpen(match)) emit(state, { ...match, position: offset }, { final: true, announce: false })
      state.superseded = state.superseded.filter(isOpen)
      changed = true
    }
    const expiredMs = settledMs - spec.withinMs
    const [oldest] = state.candidates
    if (oldest && oldest.timeMs <= expiredMs) {
      state.candidates = state.candidates.filter((c) => c.timeMs > expiredMs)
      changed = true
    }
    if (state.candidates.length === 0) {
      state.gone = true
      keys.delete(state.key)
      tracker.remove(state, state.key)
    } else if (changed) tracker.touch(state)
  }

  /** The matches among these candidates, by skip past last. */
  function findMatches(candidates: readonly Candidate<D>[]): Candidate<D>[][] {
    const found: Candidate<D>[][] = []
    let recent: Candidate<D>[] = []
    for (const c of candidates) {
      recent = recent.filter((r) => c.timeMs - r.timeMs < spec.withinMs)
      recent.push(c)
      if (recent.length === spec.count) {
        found.push(recent)
        recent = []
      }
    }
    return found
  }

  function newMatch(
    state: KeyState<D>,
    candidates: readonly Candidate<D>[],
    id: string,
    supersedes: string[],
    at: At,
    triggeredMs: number,
  ): Match<D> {
    const match: Match<D> = {
      id,
      candidates,
      supersedes,
      supersededBy: null,
      state: 'active',
      triggeredMs,
      watermarkMs: at.watermarkMs,
      traceId: at.traceId,
      position: at.offset,
    }
    emit(state, match, { final: false, announce: true })
    return match
  }

  /** The usual case: the newest candidate is the last, so the matches there are stay, and only what comes after them can become one. */
  function evaluateTail(state: KeyState<D>, at: At, triggeredMs: number): void {
    const lastUsed = state.matches.at(-1)?.candidates.at(-1)
    let from = state.candidates.length
    while (from > 0 && (!lastUsed || isAfter(state.candidates[from - 1] as Candidate<D>, lastUsed))) from--
    for (const candidates of findMatches(state.candidates.slice(from))) {
      state.matches.push(newMatch(state, candidates, spec.id(state.key, candidates), [], at, triggeredMs))
    }
  }

  function evaluateAll(state: KeyState<D>, at: At, triggeredMs: number): void {
    const before = new Map(state.matches.map((m) => [m.id, m]))
    const now = findMatches(state.candidates).map((candidates) => ({ id: spec.id(state.key, candidates), candidates }))
    const nowIds = new Set(now.map((m) => m.id))
    const gone = state.matches.filter((m) => !nowIds.has(m.id))
    state.matches = now.map(({ id, candidates }) => {
      const replaced = gone.filter((m) => overlaps(m.candidates, candidates)).map((m) => m.id)
      return before.get(id) ?? newMatch(state, candidates, id, replaced, at, triggeredMs)
    })
    state.superseded = state.superseded.filter((m) => !nowIds.has(m.id))
    for (const m of gone) {
      const heir = state.matches.find((n) => overlaps(m.candidates, n.candidates))
      const superseded: Match<D> = { ...m, state: 'superseded', supersededBy: heir?.id ?? null, position: at.offset }
      state.superseded.push(superseded)
      emit(state, superseded, { final: false, announce: true })
    }
  }

  return {
    name: spec.name,
    get nextTimerMs() {
      return timers.nextMs
    },
    process(event, at): Verdict {
      if (!spec.where(event)) return 'skipped'
      if (event.event_time < horizon(at)) return 'late'
      const key = spec.key(event)
      let state = keys.get(key)
      if (state) settle(state, horizon(at), at.offset)
      if (!state || state.gone) {
        state = {
          key,
          candidates: [],
          matches: [],
          superseded: [],
          gone: false,
          timerMs: Number.POSITIVE_INFINITY,
          unsaved: false,
          unpublished: false,
        }
        keys.set(key, state)
      }
      const candidate = { timeMs: event.event_time, offset: at.offset, detail: spec.detail(event) }
      insert(state.candidates, candidate)
      if (state.candidates.at(-1) === candidate) evaluateTail(state, at, event.event_time)
      else evaluateAll(state, at, event.event_time)
      schedule(state)
      tracker.touch(state)
      return 'applied'
    },
    advance(at) {
      // Only up to the bucket's end: so a match becomes final with the bucket of its own deadline, whatever else of its key is due.
      const endedMs = Math.floor(at.watermarkMs / TIMER_BUCKET_MS) * TIMER_BUCKET_MS
      timers.fire(
        at.watermarkMs,
        (state) => {
          if (state.gone || state.timerMs >= endedMs) return Number.NEGATIVE_INFINITY
          state.timerMs = dueMs(state)
          return state.timerMs
        },
        (state) => {
          settle(state, endedMs - latenessMs, at.offset)
          if (state.gone) return
          state.timerMs = Number.POSITIVE_INFINITY
          schedule(state)
        },
      )
    },
    forget(key) {
      const state = keys.get(key)
      if (!state) return
      state.gone = true
      keys.delete(key)
      tracker.remove(state, key)
    },
    drain(out) {
      // All of them, also while catching up: what was once announced is never skipped, so the history of alerts doesn't depend on flushes.
      for (const { key, match, final, announce } of emissions)
        spec.emit(out, key, match, { partition, final, announce })
      emissions = []
      tracker.takeUnpublished(Number.MAX_SAFE_INTEGER)
      return false
    },
    state: [
      tracker.section({
        name: spec.name,
        schema: savedSchema(spec.detailSchema),
        keyOf: (state) => state.key,
        toValue: (state) => ({ candidates: state.candidates, matches: state.matches, superseded: state.superseded }),
        restore(key, value) {
          const saved = value as Pick<KeyState<D>, 'candidates' | 'matches' | 'superseded'>
          const state: KeyState<D> = {
            key,
            candidates: [...saved.candidates],
            matches: [...saved.matches],
            superseded: [...saved.superseded],
            gone: false,
            timerMs: Number.POSITIVE_INFINITY,
            unsaved: false,
            unpublished: false,
          }
          keys.set(key, state)
          schedule(state)
        },
        all: () => keys.values(),
      }),
    ],
  }
}

const isAfter = <D>(a: Candidate<D>, b: Candidate<D>): boolean =>
  a.timeMs > b.timeMs || (a.timeMs === b.timeMs && a.offset > b.offset)

function insert<D>(candidates: Candidate<D>[], c: Candidate<D>): void {
  let i = candidates.length
  while (i > 0 && isAfter(candidates[i - 1] as Candidate<D>, c)) i--
  candidates.splice(i, 0, c)
}

function overlaps<D>(a: readonly Candidate<D>[], b: readonly Candidate<D>[]): boolean {
  const offsets = new Set(a.map((c) => c.offset))
  return b.some((c) => offsets.has(c.offset))
}

function savedSchema(detail: Schema): Schema {
  const candidate = {
    type: 'record',
    name: 'Candidate',
    fields: [
      { name: 'timeMs', type: 'long' },
      { name: 'offset', type: 'long' },
      { name: 'detail', type: detail },
    ],
  }
  const match = {
    type: 'record',
    name: 'Match',
    fields: [
      { name: 'id', type: 'string' },
      { name: 'candidates', type: { type: 'array', items: 'Candidate' } },
      { name: 'supersedes', type: { type: 'array', items: 'string' } },
      { name: 'supersededBy', type: ['null', 'string'] },
      { name: 'state', type: { type: 'enum', name: 'State', symbols: ['active', 'superseded'] } },
      { name: 'triggeredMs', type: 'long' },
      { name: 'watermarkMs', type: 'double' },
      { name: 'traceId', type: ['null', 'string'] },
      { name: 'position', type: 'long' },
    ],
  }
  return {
    type: 'record',
    name: 'KeyState',
    fields: [
      { name: 'candidates', type: { type: 'array', items: candidate } },
      { name: 'matches', type: { type: 'array', items: match } },
      { name: 'superseded', type: { type: 'array', items: 'Match' }, default: [] },
    ],
  } as unknown as Schema
}
