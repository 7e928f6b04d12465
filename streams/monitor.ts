/**
 * What a streams or lake-writer process serves: `GET /health` with its tasks or tables, `GET /metrics` for Prometheus. Web-standard fetch; the composition root listens.
 * It shows counts and offsets, nothing of the data, so it needs no account; it listens on loopback unless told otherwise.
 */
import { METRICS_CONTENT_TYPE, type Registry } from '../observability/metrics.ts'

export interface MonitorDeps {
  tasks: { report(): { status: string } }
  metrics: Pick<Registry, 'metrics'>
}

export function createMonitor({ tasks, metrics }: MonitorDeps): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname } = new URL(request.url)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return json({ detail: `${pathname} takes GET, not ${request.method}.` }, 405, { allow: 'GET' })
    }
    switch (pathname) {
      case '/health': {
        const health = tasks.report()
        return json({ data: health }, health.status === 'stuck' ? 503 : 200)
      }
      case '/metrics':
        return new Response(await metrics.metrics(), { headers: { 'content-type': METRICS_CONTENT_TYPE } })
      default:
        return json({ detail: 'There is no such path. There are /health and /metrics.' }, 404)
    }
  }
}

function json(body: unknown, status: number, headers: Record<string, string> = {}): Response {
  const type = status < 400 || status === 503 ? 'application/json' : 'application/problem+json'
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': type, ...headers } })
}
