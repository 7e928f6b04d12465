/**
 * The thread that bundles the workflow definitions and ends: `bundle.ts` says why it is one.
 *
 * The interceptors of OpenTelemetry are always in the bundle, whether or not traces go anywhere: what they add to a history must be the same in every process that replays it.
 */
import { randomUUID } from 'node:crypto'
import { rename, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import { bundleWorkflowCode } from '@temporalio/worker'
import type { BundleOrder, BundleWarning } from './bundle.ts'

const INTERCEPTORS = createRequire(import.meta.url).resolve(
  '@temporalio/interceptors-opentelemetry-v2/lib/workflow-interceptors.js',
)

const { definitions, interceptors, path } = workerData as BundleOrder
const tell = (warning: BundleWarning): void => parentPort?.postMessage(warning)
const quiet = () => {}
const { code } = await bundleWorkflowCode({
  workflowsPath: definitions,
  workflowInterceptorModules: [INTERCEPTORS, ...interceptors],
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
