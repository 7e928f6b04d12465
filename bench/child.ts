/**
 * Runs a part of a benchmark in a Node process of its own, so that nothing else counts as its CPU or its memory.
 * The part takes its settings as JSON in its last argument and answers lines of JSON by {@link tell}.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const TYPESCRIPT = new URL('../cli/typescript.mjs', import.meta.url).href

export interface Part<R> {
  readonly child: ChildProcess
  /** The next line that the part tells. @throws Error when it ended instead */
  next(): Promise<R>
  ended: Promise<void>
}

/** @param nodeFlags of this Node, e.g. `--cpu-prof` */
export function startPart<R>(module: URL, settings: object, nodeFlags: readonly string[] = []): Part<R> {
  const child = spawn(
    process.execPath,
    [...nodeFlags, '--import', TYPESCRIPT, fileURLToPath(module), JSON.stringify(settings)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const ended = once(child, 'exit').then(() => undefined)
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  return {
    child,
    ended,
    async next() {
      const { value, done } = await lines.next()
      if (done) throw new Error(`${fileURLToPath(module)} ended without an answer.`)
      return JSON.parse(value) as R
    },
  }
}

/** In the part: its settings. */
export const partSettings = <S>(): S => JSON.parse(process.argv.at(-1) ?? '{}') as S

/** In the part: one answer. */
export const tell = (answer: object): void => void process.stdout.write(`${JSON.stringify(answer)}\n`)

/** In the part: resolves when whoever started it writes a line, or is gone. */
export const told = (): Promise<unknown> => Promise.race([once(process.stdin, 'data'), once(process.stdin, 'end')])
