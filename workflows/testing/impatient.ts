/** An interceptor for tests, which runs with the definitions: an activity whose worker is dead or frozen is given up after two seconds instead of half a minute. Everything else is as it is. */
import type { WorkflowInterceptorsFactory } from '@temporalio/workflow'

export const interceptors: WorkflowInterceptorsFactory = () => ({
  outbound: [
    {
      scheduleActivity: (input, next) => next({ ...input, options: { ...input.options, heartbeatTimeout: 2_000 } }),
    },
  ],
})
