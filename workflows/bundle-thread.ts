/** The thread that bundles the workflow definitions and ends: `bundle.ts` says why it is one. */
import { randomUUID } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { bundleWorkflowCode } from '@temporalio/worker'
import type { BundleOrder, BundleWarning } from './bundle.ts'

const SPANS = fileURLToPath(new URL('./tracing/definitions.ts', import.meta.url))

const { definitions, interceptors, path } = workerData as BundleOrder
const tell = (warning: BundleWarning): void => parentPort?.postMessage(warning)
const quiet = () => {}
const { code } = await bundleWorkflowCode({
  workflowsPath: definitions,
  workflowInterceptorModules: [SPANS, ...interceptors],
  logger: {
    log: quiet,
    trace: quiet,
    debug: quiet,
    info: quiet,
    warn: (message) => tell({ level: 'warn', message }),
    error: (message) => tell({ level: 'error', message }),
  },
})
const aside = `${path}.${randomUUID()}.tmp`
await writeFile(aside, code)
await rename(aside, path)
