/** Virtual environments of Python for tests, in the servers' cache: made once of a list of pinned packages; a changed list makes another one. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cached, ServerUnavailable } from '../cache.ts'
import { lastLines, run } from '../run.ts'

export interface PythonEnvironment {
  serversDir: string
  /** Of its folder in the cache. */
  kind: string
  /** In sentences. */
  name: string
  /** The file for `pip install -r`. */
  requirements: string
}

/** @returns the folder of its programs. @throws ServerUnavailable naming what is missing */
export async function pythonEnvironment(environment: PythonEnvironment): Promise<string> {
  const { serversDir, kind, name, requirements } = environment
  const digest = createHash('sha256')
    .update(await readFile(requirements, 'utf8'))
    .digest('hex')
    .slice(0, 12)
  const folder = await cached({
    serversDir,
    name: `${kind}-${digest}`,
    async build(aside) {
      const made = await run('python3', ['-m', 'venv', join(aside, 'venv')]).catch((error: Error) => error)
      if (made instanceof Error || made.code !== 0) {
        throw new ServerUnavailable(
          `${name} needs Python 3.10 or newer with venv. On Debian and Ubuntu: apt-get install python3 python3-venv. Python said: ${made instanceof Error ? made.message : lastLines(made)}`,
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
  return join(folder, 'venv', 'bin')
}
