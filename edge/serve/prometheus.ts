/** `GET /metrics`: what this process measures of itself, and what its other threads do, for Prometheus. */
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { METRICS_CONTENT_TYPE, mergeMetricTexts } from '../../observability/metrics.ts'
import type { EdgeLogger, MetricSource } from '../ports.ts'

export interface PrometheusDeps {
  /** This process's own registry first, then those of other threads. */
  sources: readonly MetricSource[]
  logger: EdgeLogger
}

const route = createRoute({
  method: 'get',
  path: '/metrics',
  tags: ['Operation'],
  summary: 'Metrics for Prometheus',
  responses: { 200: { description: 'Text format', content: { 'text/plain': { schema: z.string() } } } },
})

export function addPrometheusRoute(api: OpenAPIHono, { sources, logger }: PrometheusDeps): void {
  api.openapi(route, async (c) => {
    const texts = await Promise.allSettled(sources.map((source) => source.text()))
    const known = texts.flatMap((text) => {
      if (text.status === 'fulfilled') return [text.value]
      // A thread that is gone must not take the others' metrics with it.
      logger.warn({ err: text.reason }, 'A metric source did not answer')
      return []
    })
    return c.text(mergeMetricTexts(known), 200, { 'content-type': METRICS_CONTENT_TYPE })
  })
}
