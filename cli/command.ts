/**
 * What a command of `streamforge` is, and what it may touch: everything from outside comes in by `io`, so that a test can be the terminal.
 * Invariant: a command ends with an exit code; wrong arguments are one sentence and 2, an expected failure is one sentence and 1.
 */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { Clock } from '../streams/time/clock.ts'

export interface CommandIo {
  /** To standard output and standard error, as given, without a line end of its own. */
  out(text: string): void
  err(text: string): void
  /** Whether standard error is a terminal: progress is drawn there. */
  isTty: boolean
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  clock: Clock
  /** Aborted when the user wants the command to end (Ctrl-C), or whoever started it as a child is gone. */
  signal: AbortSignal
  /** Standard input, where it is not the process's own. */
  input?: NodeJS.ReadableStream
  /** Where another process of ours started this one: tells it something. */
  tellParent?: (message: object) => void
}

export interface Command {
  name: string
  usage: string
  /** @returns the exit code */
  run(args: readonly string[], io: CommandIo): Promise<number>
}

/** The arguments are wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The command can't do what it was asked; the message says why and what to do. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
}

export const INTERRUPTED = 130

/** A command whose `run` may throw {@link UsageError} and {@link CommandFailed}; `--help` is answered with its usage. */
export function defineCommand(command: Command): Command {
  return {
    ...command,
    async run(args, io) {
      if (args.includes('--help') || args.includes('-h')) {
        io.out(`${command.usage}\n`)
        return 0
      }
      try {
        return await command.run(args, io)
      } catch (error) {
        if (error instanceof UsageError) {
          io.err(`${error.message} See "streamforge ${command.name} --help".\n`)
          return 2
        }
        if (error instanceof CommandFailed) {
          io.err(`${error.message}\n`)
          return 1
        }
        throw error
      }
    },
  }
}

type Options = NonNullable<ParseArgsConfig['options']>

/** `parseArgs` of node:util, strict, whose complaints are {@link UsageError}s. */
export function parseArguments<O extends Options>(args: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    // Node adds advice about its own parser after the first sentence.
    throw new UsageError(`${(error as Error).message.split('. ')[0]!.replace(/\.$/, '')}.`)
  }
}

/** @throws UsageError unless the text is a whole number within the bounds */
export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max)) {
    throw new UsageError(`${name} takes a whole number from ${min} to ${max}, not "${text}".`)
  }
  return value
}
