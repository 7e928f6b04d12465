/**
 * Runs one operator as a task does, with everything that happens to it in production in between: drains of any kind, checkpoints (base, delta, merged),
 * and crashes that go back to the last checkpoint and read the same records again.
 *
 * Invariants it holds every operator to by itself: a replay gives the same verdicts, and two results of one key and position are equal.
 */
import fc, { type Arbitrary } from 'fast-check'
import type { FeatureWrite } from '../contract/features.ts'
import { type AlertRow, RESULT_KEYS, type ResultRows, type ResultTable } from '../contract/results.ts'
import type { DrainMode, Operator, OperatorFactory, Output, Verdict } from '../operators/operator.ts'
import { encodeState, mergeFiles, restoreState } from '../runtime/checkpoint-file.ts'

/** What may happen between two records. */
export const DISTURBANCES = [
  'nothing',
  'drain',
  'drain a little',
  'catch up',
  'delta',
  'delta while catching up',
  'base',
  'merge',
  'crash',
  'republish',
] as const
export type Disturbance = (typeof DISTURBANCES)[number]

/** A record that carries no event for the operator, but moves time on as a duplicate does. */
export const TICK = Symbol('tick')
interface Timed {
  event_time: number
}
type AnyRow = ResultRows[ResultTable] & { final?: boolean }

export class OperatorRun<E extends Timed> {
  operator: Operator<E>
  readonly verdicts: Verdict[] = []
  /** The newest row of each key, as a store keeps them. */
  readonly rows = new Map<string, AnyRow>()
  readonly features = new Map<string, FeatureWrite>()
  /** Announced alerts by `id@position`: announcing again changes nothing. */
  readonly alerts = new Map<string, AlertRow>()
  /** Everything ever handed over, by key, position and finality. */
  readonly history = new Map<string, string>()
  readonly #factory: OperatorFactory<E>
  readonly #delayMs: number
  readonly #records: { timeMs: number; event: E | null }[] = []
  #files: Buffer[] = []
  #savedNext = 0
  #next = 0
  #streamTimeMs = Number.NEGATIVE_INFINITY

  constructor(factory: OperatorFactory<E>, delayMs = 0) {
    this.#factory = factory
    this.#delayMs = delayMs
    this.operator = factory(0)
  }

  get watermarkMs(): number {
    return this.#streamTimeMs - this.#delayMs
  }

  feed(event: E): Verdict {
    this.#records.push({ timeMs: event.event_time, event })
    this.#work()
    return this.verdicts.at(-1) as Verdict
  }

  /** Time moves on; the operator gets no event. */
  tick(timeMs: number): void {
    this.#records.push({ timeMs, event: null })
    this.#work()
  }

  #work(): void {
    for (; this.#next < this.#records.length; this.#next++) {
      const { timeMs, event } = this.#records[this.#next]!
      this.#streamTimeMs = Math.max(this.#streamTimeMs, timeMs)
      const at = { topic: 'test', partition: 0, offset: this.#next, watermarkMs: this.watermarkMs, traceId: null }
      if (this.operator.nextTimerMs <= at.watermarkMs) this.operator.advance(at)
      const verdict = event ? this.operator.process(event, at) : 'skipped'
      const before = this.verdicts[this.#next]
      if (before !== undefined && before !== verdict)
        throw new Error(`record ${this.#next} was ${before}, and ${verdict} when read again`)
      this.verdicts[this.#next] = verdict
    }
  }

  drain(mode: DrainMode = 'everything', limit = Number.MAX_SAFE_INTEGER): boolean {
    const { rows, alerts, features } = this
    const keep = (key: string, position: number, final: boolean | undefined, value: object): void => {
      const at = `${key} at ${position}${final ? ', final' : ''}`
      const text = JSON.stringify(value)
      const before = this.history.get(at)
      if (before !== undefined && before !== text) throw new Error(`${at} was ${before} and is ${text}`)
      this.history.set(at, text)
    }
    const output: Output = {
      row<T extends ResultTable>(table: T, row: ResultRows[T]) {
        const columns = RESULT_KEYS[table] as readonly (keyof ResultRows[T])[]
        const key = `${table} ${JSON.stringify(columns.map((c) => row[c]))}`
        const next = structuredClone(row) as AnyRow
        keep(key, next.position, next.final, next)
        const known = rows.get(key)
        if (
          known &&
          known.position === next.position &&
          known.final === next.final &&
          JSON.stringify(known) !== JSON.stringify(next)
        )
          throw new Error(`two contents of ${key} at position ${next.position}`)
        if (!known || next.position > known.position || (next.position === known.position && next.final))
          rows.set(key, next)
      },
      feature(write) {
        const next = structuredClone(write)
        keep(write.userId, write.position, undefined, next)
        const known = features.get(write.userId)
        if (!known || next.position >= known.position) features.set(write.userId, next)
      },
      alert(row) {
        alerts.set(`${row.alert_id}@${row.position}`, structuredClone(row))
      },
    }
    return this.operator.drain(output, mode, limit)
  }

  /** As the runtime does it: a flush, and the cut of the same moment. */
  checkpoint(kind: 'base' | 'delta', mode: DrainMode = 'everything', limit = Number.MAX_SAFE_INTEGER): void {
    this.drain(mode, limit)
    const isBase = kind === 'base' || this.#files.length === 0
    const file = encodeState(this.operator.state, isBase)
    this.#files = isBase ? [file] : [...this.#files, file]
    this.#savedNext = this.#next
  }

  merge(): void {
    const steps = mergeFiles(this.#files)
    let step = steps.next()
    while (!step.done) step = steps.next()
    this.#files = [step.value]
  }

  /** What was not drained is lost; a fresh operator goes on from the last checkpoint and reads again what came after it. */
  crash(): void {
    this.operator = this.#factory(0)
    restoreState(this.operator.state, this.#files)
    this.#next = this.#savedNext
    this.#streamTimeMs = Math.max(Number.NEGATIVE_INFINITY, ...this.#records.slice(0, this.#next).map((r) => r.timeMs))
    this.#work()
  }

  disturb(what: Disturbance): void {
    if (what === 'drain') this.drain()
    else if (what === 'drain a little') this.drain('everything', 1)
    else if (what === 'catch up') this.drain('final-only', 1)
    else if (what === 'delta') this.checkpoint('delta', 'everything', 2)
    else if (what === 'delta while catching up') this.checkpoint('delta', 'final-only', 2)
    else if (what === 'base') this.checkpoint('base')
    else if (what === 'merge' && this.#files.length > 0) this.merge()
    else if (what === 'crash') this.crash()
    else if (what === 'republish') this.operator.republish?.()
  }

  /** How many entries a checkpoint of everything would hold. */
  stateSize(): number {
    return this.operator.state.reduce((sum, section) => sum + [...section.changes(true).upserts].length, 0)
  }

  /** The newest rows of a table, by key. */
  table<T extends ResultTable>(table: T): ResultRows[T][] {
    return [...this.rows].filter(([key]) => key.startsWith(`${table} `)).map(([, row]) => row as ResultRows[T])
  }
}

export interface ScriptStep<E> {
  event: E | typeof TICK
  timeMs: number
  after: Disturbance
}

/** How far event time moves before a record: mostly a little, now and then a lot, sometimes by years. */
const stepMs = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
  { weight: 4, arbitrary: fc.constantFrom(0, 1, 10_000, 60_000) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 3_600_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(400 * 86_400_000, 30 * 365 * 86_400_000) },
)
/** How far behind (or, by a clock from the future, ahead of) it the event itself lies. */
const skewMs = fc.oneof(
  { weight: 10, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.integer({ min: -30_000, max: 0 }) },
  { weight: 2, arbitrary: fc.integer({ min: -4_000_000, max: 0 }) },
  { weight: 1, arbitrary: fc.constantFrom(-40 * 365 * 86_400_000, 7_200_000) },
)

/**
 * Random lives of an operator: events in disorder, with what happens to it between them.
 * @param detail what an event has beside its time
 */
export function scripts<D extends object>(detail: Arbitrary<D>, maxLength = 60): Arbitrary<ScriptStep<D & Timed>[]> {
  const step = fc.record({
    stepMs,
    skewMs,
    detail,
    isTick: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    after: fc.oneof(
      { weight: 3, arbitrary: fc.constant<Disturbance>('nothing') },
      { weight: 2, arbitrary: fc.constantFrom(...DISTURBANCES) },
    ),
  })
  return fc
    .tuple(fc.constantFrom(0, 1_768_478_400_000, -86_400_000, 59_999), fc.array(step, { minLength: 1, maxLength }))
    .map(([start, steps]) => {
      let now = start
      return steps.map(({ stepMs, skewMs, detail, isTick, after }) => {
        now += stepMs
        const timeMs = now + skewMs
        return { timeMs, after, event: isTick ? TICK : { ...detail, event_time: timeMs } }
      })
    })
}

/** Plays a script as it is, drained after every record: what every disturbed run must agree with. */
export function play<E extends Timed>(
  factory: OperatorFactory<E>,
  script: readonly ScriptStep<E>[],
  delayMs: number,
): OperatorRun<E> {
  const run = new OperatorRun(factory, delayMs)
  for (const { event, timeMs } of script) {
    if (event === TICK) run.tick(timeMs)
    else run.feed(event as E)
    run.drain()
  }
  return run
}

/** Plays it with its disturbances, packing all but the last few keys; at the end everything is drained. */
export function playDisturbed<E extends Timed>(
  factory: OperatorFactory<E>,
  script: readonly ScriptStep<E>[],
  delayMs: number,
): OperatorRun<E> {
  const run = new OperatorRun((partition) => factory(partition, 1), delayMs)
  for (const { event, timeMs, after } of script) {
    if (event === TICK) run.tick(timeMs)
    else run.feed(event as E)
    run.disturb(after)
  }
  while (run.drain('everything', 3));
  return run
}

const byKey = (map: ReadonlyMap<string, unknown>): [string, unknown][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

/**
 * The disturbed run has ended with the same rows, features, announcements and verdicts, and never handed over anything that the quiet run did not
 * hand over for the same key and position. @returns what differs, or null
 */
export function difference<E extends Timed>(quiet: OperatorRun<E>, disturbed: OperatorRun<E>): string | null {
  for (const what of ['verdicts', 'rows', 'features', 'alerts'] as const) {
    const [a, b] = [quiet[what], disturbed[what]].map((x) => JSON.stringify(x instanceof Map ? byKey(x) : x))
    if (a !== b) return `${what}: ${a} and disturbed ${b}`
  }
  for (const [at, text] of disturbed.history) {
    if (quiet.history.get(at) !== text) return `${at}: ${quiet.history.get(at)} and disturbed ${text}`
  }
  return null
}
