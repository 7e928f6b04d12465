/** Helm for tests, with settings and a home of its own: what the user has configured is neither used nor changed. One that can't be had is a visible skip; under CI it is a failure. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { loadConfig } from '../../../db/config.ts'
import { GO_BUILD_TIMEOUT_MS } from '../go-build.ts'
import { helmProgram } from '../helm.ts'
import { run, type ToolResult } from '../run.ts'
import { onceOrSkip } from './once-or-skip.ts'

export interface Helm {
  /** Runs it to its end. It reaches no cluster. */
  run(args: readonly string[]): Promise<ToolResult>
  /** Made for this file, gone after its last test. */
  readonly folder: string
}

/** Call at the top of a test file (or a describe): it registers the hooks. */
export function withHelm(): Helm {
  let program = ''
  let folder = ''
  onceOrSkip(async () => {
    program = await helmProgram(loadConfig(process.env).serversDir)
    folder = await mkdtemp(join(tmpdir(), 'streamforge-helm-'))
  }, GO_BUILD_TIMEOUT_MS)
  afterAll(async () => {
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  return {
    get folder() {
      return folder
    },
    run(args) {
      const home = join(folder, 'home')
      const env = {
        HOME: home,
        HELM_CACHE_HOME: join(home, 'cache'),
        HELM_CONFIG_HOME: join(home, 'config'),
        HELM_DATA_HOME: join(home, 'data'),
        KUBECONFIG: join(home, 'none'),
      }
      return run(program, args, { env, timeoutMs: 120_000 })
    },
  }
}
