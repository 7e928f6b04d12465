/** What a command has started, and how it is stopped again: in reverse, each part once, the rest also when one fails. */
import type { Logger } from '../observability/log.ts'

export class Started {
  readonly #logger: Logger
  #undo: (() => unknown)[] = []

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** @returns the part, so that starting and noting it is one line */
  add<P>(part: P, stop: (part: P) => unknown): P {
    this.#undo.push(() => stop(part))
    return part
  }

  async stop(): Promise<void> {
    for (let undo = this.#undo.pop(); undo; undo = this.#undo.pop()) {
      try {
        await undo()
      } catch (error) {
        this.#logger.error({ err: error }, 'A part did not stop cleanly')
      }
    }
  }
}
