/** Runs a command within a test, as `main.ts` would: without a terminal, and with what it writes kept. */
import { systemClock } from '../../streams/time/clock.ts'
import type { Command, CommandIo } from '../command.ts'

export interface CommandRun {
  code: number
  out: string
  err: string
}

/** @param more in place of what commands get otherwise: no environment, and `/` as the folder they are called in */
export async function runCommand(command: Command, args: string[], more: Partial<CommandIo> = {}): Promise<CommandRun> {
  const said = { out: '', err: '' }
  const code = await command.run(args, {
    out: (text) => {
      said.out += text
    },
    err: (text) => {
      said.err += text
    },
    isTty: false,
    env: {},
    cwd: '/',
    clock: systemClock,
    signal: new AbortController().signal,
    ...more,
  })
  return { code, ...said }
}
