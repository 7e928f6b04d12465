/** How a worker thread is started so that it can run TypeScript like its parent: see cli/typescript.mjs. */
import { Worker, type WorkerOptions } from 'node:worker_threads'

const loader = new URL('../cli/typescript.mjs', import.meta.url).href

export function startThread(entry: URL, options: WorkerOptions = {}): Worker {
  return new Worker(entry, { ...options, execArgv: ['--import', loader] })
}
