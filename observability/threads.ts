/** How a worker thread is started so that it can run TypeScript like its parent (see cli/typescript.mjs), and is traced like it where it has a role (see preload.ts). */
import { Worker, type WorkerOptions } from 'node:worker_threads'

const TYPESCRIPT = new URL('../cli/typescript.mjs', import.meta.url).href
const PRELOAD = new URL('./preload.ts', import.meta.url).href

/** @param role whose thread it is, e.g. `streams`; null for one that has a part of another's work */
export function startThread(
  entry: URL,
  options: Omit<WorkerOptions, 'argv' | 'execArgv'> = {},
  role: string | null = null,
): Worker {
  const imports = role === null ? [TYPESCRIPT] : [TYPESCRIPT, PRELOAD]
  return new Worker(entry, {
    ...options,
    execArgv: imports.flatMap((url) => ['--import', url]),
    ...(role !== null && { argv: [role] }),
  })
}
