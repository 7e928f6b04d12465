/**
 * Session windows: a key's events that are at most a gap apart, merged whatever order they come in.
 *
 * Invariants: sessions of a key never overlap and are more than a gap apart; a session is final once no event on time can reach it
 * (`end + gap + allowed lateness < watermark`); its id comes from the event that created it and survives every merge of which it is the elder,
 * so it doesn't depend on batches. An absorbed session leaves a tombstone that names the survivor.
 */
import { standInOf } from '../contract/erasure.ts'
import { type PersonalTable, type ResultRows, WITHOUT_PERSON } from '../contract/results.ts'
import { BucketTimers } from '../time/timers.ts'
import type { Operator, OperatorFactory, Verdict } from './operator.ts'
import { type Packable, PackedState } from './packed-state.ts'

/**
 * What every session has. A job's session is a subclass with the job's own counts as fields: one flat object per session, since there may be millions.
 */
export class Session implements Packable {
  id = -1
  unpublished = false
  key: string
  startMs: number
  endMs: number
  /** Event time of the event that created the session. */
  createdMs: number
  /** Offset of the event that created it: the elder of two has the lower one. */
  createdAt: number
  position: number
  /** Further open sessions of the same key. */
  next: this | null = null

  constructor(key: string, eventTimeMs: number, offset: number) {
    this.key = key
    this.startMs = eventTimeMs
    this.endMs = eventTimeMs
    this.createdMs = eventTimeMs
    this.createdAt = offset
    this.position = offset
  }
}

export interface SessionWindowSpec<E extends { event_time: number }, S extends Session, T extends PersonalTable> {
  name: string
  gapMs: number
  allowedLatenessMs?: number
  key(event: E): string
  /** The job's session, and its own fields as Avro record fields. */
  session: new (
    key: string,
    eventTimeMs: number,
    offset: number,
  ) => S
  fields: readonly object[]
  /** `session` has its bounds from before this event. */
  add(session: S, event: E): void
  /** Adds `absorbed` to `survivor`; the bounds of both are from before the merge. */
  merge(survivor: S, absorbed: S): void
  table: T
  row(session: S, view: SessionView): ResultRows[T]
}

export interface SessionView {
  id: string
  partition: number
  final: boolean
  mergedInto: string | null
}

const TIMER_BUCKET_MS = 10_000

/** `<key>@<creation time>`: unique, since sessions of a key never overlap and each was created within its own bounds. */
export const sessionId = (session: Session): string => `${session.key}@${session.createdMs.toString(36)}`

export function sessionWindow<E extends { event_time: number }, S extends Session, T extends PersonalTable>(
  spec: SessionWindowSpec<E, S, T>,
): OperatorFactory<E> {
  return (partition, hotMax) => createSessions(spec, partition, hotMax)
}

function createSessions<E extends { event_time: number }, S extends Session, T extends PersonalTable>(
  spec: SessionWindowSpec<E, S, T>,
  partition: number,
  hotMax: number | undefined,
): Operator<E> {
  const { gapMs } = spec
  const lifeMs = gapMs + (spec.allowedLatenessMs ?? 0)
  const open = new PackedState<S>({
    name: spec.name,
    recordName: 'Session',
    fields: [...SAVED_FIELDS, ...spec.fields],
    keyOf: (s) => s.key,
    nameOf: sessionId,
    revive(_name, value) {
      const saved = value as S
      return Object.assign(new spec.session(saved.key, saved.createdMs, saved.createdAt), saved)
    },
    hotMax,
  })
  /** By handle: a timer must not keep a session an object. */
  const timers = new BucketTimers<number>(TIMER_BUCKET_MS)
  let finishedRows: ResultRows[T][] = []

  function setTimer(session: S): void {
    timers.set(open.handle(session), session.endMs + lifeMs)
  }

  function finish(session: S, offset: number): void {
    session.position = offset
    finishedRows.push(spec.row(session, { id: sessionId(session), partition, final: true, mergedInto: null }))
    open.remove(session)
  }

  function absorb(a: S, b: S, offset: number): S {
    const [survivor, absorbed] = a.createdAt <= b.createdAt ? [a, b] : [b, a]
    spec.merge(survivor, absorbed)
    survivor.startMs = Math.min(survivor.startMs, absorbed.startMs)
    survivor.endMs = Math.max(survivor.endMs, absorbed.endMs)
    absorbed.position = offset
    finishedRows.push(
      spec.row(absorbed, { id: sessionId(absorbed), partition, final: true, mergedInto: sessionId(survivor) }),
    )
    open.remove(absorbed)
    return survivor
  }

  /** The open session this event joins, after closing what is over and merging what it bridges; undefined when there is none. */
  function join(head: S, t: number, watermarkMs: number, offset: number): S | undefined {
    let joined: S | undefined
    let next: S | null
    for (let s: S | null = head; s; s = next) {
      next = s.next
      if (s.endMs + lifeMs < watermarkMs) finish(s, offset)
      else if (t >= s.startMs - gapMs && t <= s.endMs + gapMs) joined = joined ? absorb(joined, s, offset) : s
    }
    return joined
  }

  return {
    name: spec.name,
    get nextTimerMs() {
      return timers.nextMs
    },
    process(event, at): Verdict {
      const t = event.event_time
      const key = spec.key(event)
      const head = open.find(key)
      let session = head ? join(head, t, at.watermarkMs, at.offset) : undefined
      if (!session) {
        if (t + lifeMs < at.watermarkMs) return 'late'
        session = new spec.session(key, t, at.offset)
        spec.add(session, event)
        open.add(session)
        setTimer(session)
      } else {
        spec.add(session, event)
        if (t < session.startMs) session.startMs = t
        if (t > session.endMs) session.endMs = t
        session.position = at.offset
      }
      open.touch(session)
      return 'applied'
    },
    advance(at) {
      timers.fire(
        at.watermarkMs,
        (handle) => {
          const session = open.byHandle(handle)
          return session ? session.endMs + lifeMs : Number.NEGATIVE_INFINITY
        },
        (handle) => finish(open.byHandle(handle) as S, at.offset),
      )
    },
    forget(key, at) {
      // Also those of which no row was written so far: what is left of a session must not depend on when flushes were.
      for (let s = open.find(key); s; s = open.find(key)) {
        const row = spec.row(s, { id: sessionId(s), partition, final: true, mergedInto: null })
        finishedRows.push(WITHOUT_PERSON[spec.table](row, standInOf(at), at.offset))
        open.remove(s)
      }
      open.dropRemains()
    },
    drain(out, mode, limit) {
      for (const row of finishedRows) out.row(spec.table, row)
      finishedRows = []
      if (mode === 'final-only') {
        open.forgetRemoved()
        return false
      }
      for (const s of open.takeUnpublished(limit)) {
        out.row(spec.table, spec.row(s, { id: sessionId(s), partition, final: false, mergedInto: null }))
      }
      return open.hasUnpublished
    },
    state: [{ ...open.section, restore: (key, value) => setTimer(open.restore(key, value as object)) }],
  }
}

const SAVED_FIELDS = [
  { name: 'key', type: 'string' },
  ...['startMs', 'endMs', 'createdMs', 'createdAt', 'position'].map((name) => ({ name, type: 'long' })),
]
