/**
 * Builds programs by Go, each from a module of ours, a folder with `go.mod` and `go.sum` that pins the checksum of everything that goes into it.
 *
 * Invariant: what is built is what the module names; nothing is written beside it.
 */
import { copyFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached, ServerUnavailable } from './cache.ts'
import { lastLines, run, works } from './run.ts'

/** For `cached`: minutes on two cores, more on a busy machine, and whoever else wants it waits. */
export const GO_BUILD_TIMEOUT_MS = 20 * 60_000

export interface GoBuild {
  /** For messages: "Temporal v1.5.1". */
  name: string
  /** Of the module. */
  module: URL
  /** With `package main`. */
  package: string
  /** The file to make. */
  output: string
  /** What the message of a failure begins with. */
  failed: string
  log?: ((message: string) => void) | undefined
  /** Breaks it off. */
  signal?: AbortSignal | undefined
}

/** @throws ServerUnavailable with what Go said */
export async function buildWithGo({
  name,
  module,
  package: main,
  output,
  failed,
  log,
  signal,
}: GoBuild): Promise<void> {
  log?.(`Building ${name} with Go, once (some minutes) …`)
  // Go may write beside its module, so it gets a copy.
  const source = `${output}.module`
  await mkdir(source)
  for (const file of ['go.mod', 'go.sum']) await copyFile(fileURLToPath(new URL(file, module)), join(source, file))
  const result = await run('go', ['build', '-trimpath', '-ldflags=-s -w', '-o', output, main], {
    cwd: source,
    env: { GOFLAGS: '' },
    signal,
  })
  signal?.throwIfAborted()
  if (result.code !== 0) throw new ServerUnavailable(`${failed} Go said:\n${lastLines(result)}`)
  await rm(source, { recursive: true })
}

export interface GoProgram {
  serversDir: string
  /** As it is looked for on the PATH, asked for its version by the argument `version`, and called in the cache. */
  program: string
  /** In sentences, without the version. */
  name: string
  version: string
  /** Of the module. */
  module: URL
  /** With `package main`. */
  package: string
  /** What to say where there is neither the program nor Go: who wants it, and where to get it. */
  missing: string
  /** What the build needs. */
  needs: string
  log?: ((message: string) => void) | undefined
}

/**
 * A program of the PATH, else one built once by Go and kept in the cache: the first time on a machine takes minutes.
 * @returns its path. @throws ServerUnavailable naming what is missing
 */
export async function goProgram(wanted: GoProgram): Promise<string> {
  const { serversDir, program, version, module, log, missing, needs } = wanted
  if (await works(program, ['version'])) return program
  const name = `${wanted.name} ${version}`
  const folder = await cached({
    serversDir,
    name: `${program}-${version}`,
    async build(aside) {
      if (!(await works('go', ['version']))) throw new ServerUnavailable(missing)
      await buildWithGo({
        name,
        module,
        package: wanted.package,
        output: join(aside, program),
        failed: `${name} could not be built: that needs ${needs}.`,
        log,
      })
    },
    timeoutMs: GO_BUILD_TIMEOUT_MS,
  })
  return join(folder, program)
}
