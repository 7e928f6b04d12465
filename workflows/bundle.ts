/**
 * The workflow definitions as one piece of code, as the SDK runs them in its sandbox: bundled from TypeScript by the SDK itself, once per state of the sources.
 *
 * The interceptors of OpenTelemetry are always in it, whether or not traces go anywhere: what they add to a history must be the same in every process that replays it.
 */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode, type WorkflowBundleWithSourceMap } from '@temporalio/worker'
import type { Logger } from '../observability/log.ts'

const DEFINITIONS = fileURLToPath(new URL('./definitions/index.ts', import.meta.url))
const INTERCEPTORS = createRequire(import.meta.url).resolve(
  '@temporalio/interceptors-opentelemetry-v2/lib/workflow-interceptors.js',
)

export function bundleDefinitions(logger: Logger): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath: DEFINITIONS,
    workflowInterceptorModules: [INTERCEPTORS],
    logger: {
      log: () => {},
      trace: () => {},
      debug: () => {},
      info: () => {},
      warn: (message) => logger.warn({ part: 'bundle' }, message),
      error: (message) => logger.error({ part: 'bundle' }, message),
    },
  })
}
