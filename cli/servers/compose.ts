/**
 * Docker Compose itself, without an engine: it reads, checks and resolves compose files. From the PATH, else built once by Go and kept in the cache.
 *
 * Invariant: it gets a minimal environment: no variable of this machine's takes part in what a file says.
 */
import { goProgram } from './go-build.ts'

const PROGRAM = 'docker-compose'
/** Of github.com/docker/compose/v5, as in compose/go.mod. */
const VERSION = 'v5.5.1'

/** @throws ServerUnavailable naming what is missing */
export const composeProgram = (given: { serversDir: string; log?: (message: string) => void }): Promise<string> =>
  goProgram({
    ...given,
    program: PROGRAM,
    name: 'Docker Compose',
    version: VERSION,
    module: new URL('./compose/', import.meta.url),
    package: 'github.com/docker/compose/v5/cmd',
    missing: `Docker Compose ${VERSION} needs "${PROGRAM}", or "go" of at least 1.26.3 to build it, on the PATH: https://go.dev/dl.`,
    needs: 'Go 1.26.3 and a Go module proxy',
  })
