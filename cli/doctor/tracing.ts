/** Tracing: where it is on for this environment, whether somebody takes the spans. Sends an export without a span in it. */
import { collectorUrl } from '../../observability/preload-settings.ts'
import { ask } from './ask.ts'
import { Broken, type Family, ok, unseenFamily } from './check.ts'
import type { Place } from './place.ts'

export function tracingFamily(place: Pick<Place, 'env' | 'answerMs'>): Family {
  const { env } = place
  const url = collectorUrl(env)
  if (url === null)
    return unseenFamily('tracing', 'off in this environment (OTEL_EXPORTER_OTLP_ENDPOINT); processes may have another')
  return {
    part: 'tracing',
    checks: [
      {
        name: `a collector takes traces at ${url}`,
        matters: 'Spans are dropped; nothing else changes.',
        remedy: 'Is it running, and does it take OTLP over HTTP (port 4318)? OTEL_SDK_DISABLED=true turns tracing off.',
        async run() {
          // An ExportTraceServiceRequest without spans is no bytes at all.
          const response = await ask(url, place, {
            at: '',
            method: 'POST',
            headers: { 'content-type': 'application/x-protobuf', ...headersOf(env) },
            body: new Uint8Array(0),
          })
          if (!response.ok) throw new Broken(`It answered ${response.status}.`)
          return ok()
        },
      },
    ],
  }
}

/** `key=value,key=value`, with values as in URLs. */
function headersOf(env: Place['env']): Record<string, string> {
  const text = env.OTEL_EXPORTER_OTLP_TRACES_HEADERS ?? env.OTEL_EXPORTER_OTLP_HEADERS ?? ''
  const pairs = text.split(',').flatMap((pair): [string, string][] => {
    const at = pair.indexOf('=')
    return at < 1 ? [] : [[pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())]]
  })
  return Object.fromEntries(pairs)
}
