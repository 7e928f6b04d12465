/**
 * Helm, which renders and checks the chart in `deploy/helm`: from the PATH, else built once by Go and kept in the cache. For tests; the platform itself needs none.
 */
import { goProgram } from './go-build.ts'

const PROGRAM = 'helm'
/** Of helm.sh/helm, as in helm/go.mod. */
const VERSION = 'v3.22.0'

/** @throws ServerUnavailable naming what is missing */
export const helmProgram = (serversDir: string): Promise<string> =>
  goProgram({
    serversDir,
    program: PROGRAM,
    name: 'Helm',
    version: VERSION,
    module: new URL('./helm/', import.meta.url),
    package: 'helm.sh/helm/v3/cmd/helm',
    missing: `The chart's tests need "${PROGRAM}" (https://helm.sh/docs/intro/install), or "go" to build it (https://go.dev/dl), on the PATH.`,
    needs: 'a Go module proxy',
  })
