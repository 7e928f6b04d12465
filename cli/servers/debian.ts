/**
 * A program of the PATH, else of its Debian package: as root on Debian it is installed, which asks for nothing and keeps services from starting; elsewhere the error names the remedy.
 *
 * Invariant: of several processes that want packages, one at a time installs.
 */
import { madeOnce, ServerUnavailable } from './cache.ts'
import { lastLines, run, works } from './run.ts'

/** Root's own folder, on Debian always there. */
const LOCK = '/run/streamforge-apt.lock'
const ENV = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }

export interface DebianProgram {
  /** Asked for its `--version`. */
  program: string
  package: string
  /** What is missing, and what else would do, in sentences. */
  remedy: string
  /** For one-line messages about what takes time. */
  log?: ((message: string) => void) | undefined
}

/** @throws ServerUnavailable when the program is not there and can't be installed */
export async function haveProgram({ program, package: name, remedy, log }: DebianProgram): Promise<void> {
  const isThere = () => works(program, ['--version'])
  if (await isThere()) return
  if (process.getuid?.() !== 0 || !(await works('apt-get', ['--version']))) throw new ServerUnavailable(remedy)
  await madeOnce({
    what: `the Debian package ${name}`,
    lock: LOCK,
    isThere,
    async make() {
      log?.(`Installing the Debian package ${name}, once …`)
      const install = () => run('apt-get', ['install', '-y', '-q', '--no-install-recommends', name], { env: ENV })
      let installed = await install()
      if (installed.code !== 0) {
        // The lists may be old or missing: they are fetched only then.
        await run('apt-get', ['update', '-q'], { env: ENV })
        installed = await install()
      }
      if (installed.code !== 0) throw new ServerUnavailable(`${remedy} Installing it failed:\n${lastLines(installed)}`)
      if (!(await isThere())) throw new ServerUnavailable(remedy)
    },
  })
}
