/**
 * Runs a part of a benchmark in a Node process of its own, so that nothing else counts as its CPU or its memory.
 * The part takes its settings as JSON in its last argument and answers lines of JSON by {@link tell}.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { MemoryLimit } from './memory-limit.ts'

const TYPESCRIPT = new URL('../cli/typescript.mjs', import.meta.url).href

export interface Part<R> {
  readonly pid: number
  /** The next line that the part tells. @throws Error when it ended instead */
  next(): Promise<R>
  /** Asks a part that waits by {@link told}. */
  ask(): Promise<R>
  /** Lets it end, and waits for that. */
  end(): Promise<void>
}

/**
 * @param nodeFlags of this Node, e.g. `--cpu-prof`
 * @param limit the part runs within it from its first instruction, as in a container: Node sizes its heap by what it finds there
 */
export function startPart<R>(
  module: URL,
  settings: object,
  nodeFlags: readonly string[] = [],
  limit?: MemoryLimit,
): Part<R> {
  const command = [process.execPath, ...nodeFlags, '--import', TYPESCRIPT, fileURLToPath(module)]
  return startProgram(
    limit ? ['sh', '-c', 'echo $$ > "$0" && exec "$@"', limit.processesFile, ...command] : command,
    settings,
  )
}

/** A part that is no script of ours on this Node: on another runtime, or somebody else's program that keeps to the same lines. */
export function startProgram<R>(command: readonly string[], settings: object): Part<R> {
  const [program, ...args] = [...command, JSON.stringify(settings)]
  const child = spawn(program as string, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit').then(() => undefined)
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const next = async (): Promise<R> => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${command.join(' ')} ended without an answer.`)
    return JSON.parse(value) as R
  }
  return {
    pid: child.pid!,
    next,
    ask() {
      child.stdin!.write('next\n')
      return next()
    },
    end() {
      child.stdin!.end()
      return ended
    },
  }
}

/** In the part: its settings. */
export const partSettings = <S>(): S => JSON.parse(process.argv.at(-1) ?? '{}') as S

/** In the part: one answer. */
export const tell = (answer: object): void => void process.stdout.write(`${JSON.stringify(answer)}\n`)

/** In the part: waits until whoever started it asks for the next answer, or is gone or has had enough. */
export const told = (): Promise<'next' | 'end'> =>
  new Promise((resolve) => {
    const next = (): void => {
      process.stdin.off('end', end)
      resolve('next')
    }
    const end = (): void => {
      process.stdin.off('data', next)
      resolve('end')
    }
    process.stdin.once('data', next).once('end', end)
  })
