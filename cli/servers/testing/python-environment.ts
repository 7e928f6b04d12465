/**
 * Virtual environments of Python for tests, in the servers' cache: made once of a list of pinned packages; a changed list makes another one.
 * One that can't be had is a visible skip that says why; under CI it is a failure.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../../../db/config.ts'
import { cached, ServerUnavailable } from '../cache.ts'
import { lastLines, run } from '../run.ts'
import { onceOrSkip } from './once-or-skip.ts'

export interface PythonEnvironment {
  /** Of its folder in the cache, and of the list of its packages beside this file: `<kind>-requirements.txt`. */
  kind: string
  /** In sentences. */
  name: string
  /** Making it downloads all of its packages. */
  timeoutMs: number
}

/** Call at the top of a test file (or a describe): it registers the hooks. @returns the interpreter's path, once a test runs */
export function withPythonEnvironment(environment: PythonEnvironment): () => string {
  let interpreter: string | undefined
  onceOrSkip(async () => {
    interpreter = await made(environment)
  }, environment.timeoutMs)
  return () => interpreter!
}

/** @throws ServerUnavailable naming what is missing */
async function made({ kind, name }: PythonEnvironment): Promise<string> {
  const { serversDir } = loadConfig(process.env)
  const requirements = fileURLToPath(new URL(`./${kind}-requirements.txt`, import.meta.url))
  const digest = createHash('sha256')
    .update(await readFile(requirements, 'utf8'))
    .digest('hex')
    .slice(0, 12)
  const folder = await cached({
    serversDir,
    name: `${kind}-${digest}`,
    async build(aside) {
      const venv = await run('python3', ['-m', 'venv', join(aside, 'venv')]).catch((error: Error) => error)
      if (venv instanceof Error || venv.code !== 0) {
        throw new ServerUnavailable(
          `${name} needs Python 3.10 or newer with venv. On Debian and Ubuntu: apt-get install python3 python3-venv. Python said: ${venv instanceof Error ? venv.message : lastLines(venv)}`,
        )
      }
      const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '-r', requirements]
      const installed = await run(join(aside, 'venv', 'bin', 'python'), pip)
      if (installed.code !== 0) {
        throw new ServerUnavailable(
          `pip could not install ${name}: it needs to reach a Python package index, and Python 3.10 or newer. It said:\n${lastLines(installed)}`,
        )
      }
    },
  })
  return join(folder, 'venv', 'bin', 'python')
}
