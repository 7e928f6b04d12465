/**
 * Schemathesis for tests: a program that reads an OpenAPI document and tries whether the API does what it says, with requests that are valid and with such that are not.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunOptions, run, type ToolResult } from '../run.ts'
import { withPythonEnvironment } from './python-environment.ts'

export interface Schemathesis {
  /** Runs it to its end. @param args as of the command line; it runs in a folder of its own, so paths are absolute */
  run(args: readonly string[], options: Pick<RunOptions, 'env' | 'timeoutMs'>): Promise<ToolResult>
}

/** Its own script names the folder where the environment was made, not the one where it is. */
const MAIN = 'from schemathesis.cli import schemathesis; schemathesis()'

/** Call at the top of a test file (or a describe): it registers the hooks. */
export function withSchemathesis(): Schemathesis {
  const interpreter = withPythonEnvironment({ kind: 'schemathesis', name: 'Schemathesis', timeoutMs: 600_000 })

  return {
    async run(args, options) {
      // It leaves what it found in the folder where it runs, and would go on from there.
      const cwd = await mkdtemp(join(tmpdir(), 'streamforge-schemathesis-'))
      try {
        return await run(interpreter(), ['-I', '-c', MAIN, ...args], { ...options, cwd })
      } finally {
        await rm(cwd, { recursive: true, force: true })
      }
    },
  }
}
