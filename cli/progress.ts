/** How far something is, while a command does it: a line that is drawn over itself on a terminal, a line a second elsewhere. */
import type { CommandIo } from './command.ts'

const LINE_EVERY_MS = 1_000
const BAR_CELLS = 24

export interface ProgressPrinter {
  line(text: string): void
  /** Nothing of a line that is drawn over is left. */
  end(): void
}

export function progressPrinter(io: Pick<CommandIo, 'err' | 'isTty' | 'clock'>): ProgressPrinter {
  let last = Number.NEGATIVE_INFINITY
  return {
    line(text) {
      if (io.isTty) return io.err(`\r\x1b[K${text}`)
      if (io.clock.now() - last < LINE_EVERY_MS) return
      last = io.clock.now()
      io.err(`${text}\n`)
    },
    end() {
      if (io.isTty) io.err('\r\x1b[K')
    },
  }
}

/** @param share 0 to 1 */
export function bar(share: number): string {
  const cells = Math.round(share * BAR_CELLS)
  return `${'█'.repeat(cells)}${'░'.repeat(BAR_CELLS - cells)} ${String(Math.floor(share * 100)).padStart(3)} %`
}
