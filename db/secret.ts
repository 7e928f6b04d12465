/** A value that must not be printed by accident: logs, JSON, templates and inspection all show `[secret]`. */
import { inspect } from 'node:util'

const HIDDEN = '[secret]'

export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself: call it where the value is used, and keep no copy. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return HIDDEN
  }

  toJSON(): string {
    return HIDDEN
  }

  [inspect.custom](): string {
    return HIDDEN
  }
}
