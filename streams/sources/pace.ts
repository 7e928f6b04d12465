/**
 * When a row of a file is due, by its event time and the speed; and the time it gets when the replay is rebased to now.
 *
 * Rebased means: an event happens when it is sent. So it is never late and never in the future, whatever the speed, and lives with other traffic;
 * at speed X the gaps between events shrink by X (speed 1 or kept times have the true gaps).
 * A jump of more than a day, forward or back, is an outlier or a pause of the file: it takes no time.
 */
const JUMP_MS = 24 * 60 * 60 * 1000

export interface Due {
  /** Epoch ms of the wall clock; −Infinity at full speed. */
  dueMs: number
  rebasedMs: number
}

export class Pace {
  readonly #startMs: number
  readonly #speed: number | 'max'
  /** Of event time, without jumps. */
  #elapsedMs = 0
  #latest: number | undefined

  constructor(startMs: number, speed: number | 'max') {
    this.#startMs = startMs
    this.#speed = speed
  }

  /** @param nowMs the wall clock */
  next(eventMs: number, nowMs: number): Due {
    const step = eventMs - (this.#latest ?? eventMs)
    const jump = Math.abs(step) > JUMP_MS
    if (step > 0 && !jump) this.#elapsedMs += step
    if (this.#latest === undefined || step > 0 || jump) this.#latest = eventMs
    if (this.#speed === 'max') return { dueMs: Number.NEGATIVE_INFINITY, rebasedMs: nowMs }
    const behind = step < 0 && !jump ? step : 0
    return {
      dueMs: this.#startMs + this.#elapsedMs / this.#speed,
      rebasedMs: Math.round(this.#startMs + (this.#elapsedMs + behind) / this.#speed),
    }
  }
}
