/**
 * The workflow definitions as one piece of code, as the SDK runs them in its sandbox: bundled from TypeScript by the SDK itself, once per state of the sources, and kept in a folder.
 *
 * Bundling takes seconds and some 200 MB that a process does not give back: it happens in a thread that ends with it, and only where the sources (or the libraries among them) have changed.
 * Invariant: a bundle that is there is whole, and that of the sources its name was computed from.
 */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WorkflowBundlePath } from '@temporalio/worker'
import type { Logger } from '../observability/log.ts'
import { startThread } from '../observability/threads.ts'

/** What the thread is told, and what it says. */
export interface BundleOrder {
  definitions: string
  /** Modules of further interceptors. */
  interceptors: readonly string[]
  /** Of the file to write. */
  path: string
}
export interface BundleWarning {
  level: 'warn' | 'error'
  message: string
}

const DEFINITIONS = fileURLToPath(new URL('./definitions/index.ts', import.meta.url))
const ROOT = fileURLToPath(new URL('..', import.meta.url))
/** With further interceptors it is another bundle, which does not take the place of the usual one. */
const prefixOf = (further: readonly string[]): string => (further.length === 0 ? 'bundle-' : 'intercepted-')

/**
 * @param folder where bundles are kept; made if missing
 * @param interceptors modules of further ones, that run with the definitions
 */
export async function bundleDefinitions(
  folder: string,
  logger: Logger,
  interceptors: readonly string[] = [],
): Promise<WorkflowBundlePath> {
  const prefix = prefixOf(interceptors)
  const name = `${prefix}${await digestOfSources(interceptors)}.cjs`
  const codePath = join(folder, name)
  await mkdir(folder, { recursive: true })
  const present = await readdir(folder)
  if (!present.includes(name)) {
    await bundleInThread({ definitions: DEFINITIONS, interceptors, path: codePath }, logger)
    for (const old of present.filter((entry) => entry.startsWith(prefix))) await rm(join(folder, old), { force: true })
  }
  return { codePath }
}

/** Of all that may come into the bundle: what definitions may import is a rule of the house, and the libraries are those of the lock file. */
async function digestOfSources(further: readonly string[]): Promise<string> {
  const workflows = join(ROOT, 'workflows')
  const own = (await readdir(workflows, { recursive: true }))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !/^(testing|activities)\b/.test(path))
    .sort()
    .map((path) => join(workflows, path))
  const hash = createHash('sha256')
  // Its place too: stack traces name it.
  for (const path of [...own, ...further, join(ROOT, 'package-lock.json')])
    hash
      .update(`${path}\n`)
      .update(await readFile(path))
      .update('\n')
  return hash.digest('hex').slice(0, 16)
}

function bundleInThread(order: BundleOrder, logger: Logger): Promise<void> {
  return new Promise((resolve, reject) => {
    const thread = startThread(new URL('./bundle-thread.ts', import.meta.url), { workerData: order })
    thread.on('message', ({ level, message }: BundleWarning) => logger[level]({ part: 'bundle' }, message))
    thread.once('error', reject)
    thread.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`The workflows could not be bundled: the thread ended with ${code}.`)),
    )
  })
}
