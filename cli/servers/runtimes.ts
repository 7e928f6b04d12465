/**
 * Bun and Deno, on which the edge runs as well as on Node: at the versions that it is tested on, from their npm packages (runtimes/package-lock.json), kept in the cache. Only tests and
 * benchmarks use them; who runs the edge on one brings their own.
 */
import { createHash } from 'node:crypto'
import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached, ServerUnavailable } from './cache.ts'
import { lastLines, run, works } from './run.ts'

export const RUNTIMES = ['node', 'bun', 'deno'] as const
export type Runtime = (typeof RUNTIMES)[number]

/** A program and what it needs before a script's path to run the project's TypeScript. */
export interface RuntimeCommand {
  program: string
  args: readonly string[]
}

const file = (name: string): string => fileURLToPath(new URL(`./runtimes/${name}`, import.meta.url))

/** @throws ServerUnavailable naming what is missing */
export async function runtimeCommand(
  runtime: Runtime,
  options: { serversDir: string; log?: (message: string) => void },
): Promise<RuntimeCommand> {
  if (runtime === 'node') {
    return { program: process.execPath, args: ['--import', new URL('../typescript.mjs', import.meta.url).href] }
  }
  const program = join(await fetchedRuntimes(options), 'node_modules', '.bin', runtime)
  if (!(await works(program, ['--version']))) {
    throw new ServerUnavailable(`${runtime} was fetched to ${program}, but does not run on this machine.`)
  }
  return { program, args: runtime === 'deno' ? ['run', '--allow-all', '--no-lock'] : [] }
}

/** The folder in which they are installed; 200 MB. */
async function fetchedRuntimes({ serversDir, log }: Parameters<typeof runtimeCommand>[1]): Promise<string> {
  const lock = await readFile(file('package-lock.json'))
  return cached({
    serversDir,
    name: `runtimes-${createHash('sha256').update(lock).digest('hex').slice(0, 12)}`,
    async build(aside) {
      log?.('Fetching Bun and Deno by npm, once …')
      for (const name of ['package.json', 'package-lock.json']) await copyFile(file(name), join(aside, name))
      const result = await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: aside })
      if (result.code !== 0) {
        throw new ServerUnavailable(
          `npm could not fetch Bun and Deno: it needs to reach an npm registry. It said:\n${lastLines(result)}`,
        )
      }
    },
  })
}
