/**
 * A collector for tests and benchmarks: takes spans by OTLP over HTTP, in protobuf, and keeps of each what tells which it is. A real one (`cli/servers/testing/with-jaeger.ts`) is for questions
 * about whole traces; this one starts at once, and can refuse.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceivedSpan {
  service: string
  name: string
  traceId: string
  spanId: string
  /** Empty: none. */
  parentId: string
}

export interface OtlpReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string
  /** In the order of their arrival. */
  readonly spans: readonly ReceivedSpan[]
  /** What requests are answered with from now on; 200 at first. */
  answerWith(status: number): void
  close(): Promise<void>
}

/** @param onSpans takes them instead of their being kept */
export async function startOtlpReceiver(onSpans?: (spans: ReceivedSpan[]) => void): Promise<OtlpReceiver> {
  const kept: ReceivedSpan[] = []
  const take = onSpans ?? ((spans: ReceivedSpan[]) => void kept.push(...spans))
  let status = 200
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const isWanted = request.method === 'POST' && request.url === '/v1/traces'
      if (isWanted && status === 200) take([...spansOf(Buffer.concat(chunks))])
      response.writeHead(isWanted ? status : 404, { 'content-type': 'application/x-protobuf' }).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: kept,
    answerWith(next) {
      status = next
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Of an ExportTraceServiceRequest, by the numbers of its fields: opentelemetry-proto, trace/v1/trace.proto. */
function* spansOf(request: Buffer): Generator<ReceivedSpan> {
  for (const resourceSpans of messages(request, 1)) {
    let service = ''
    for (const resource of messages(resourceSpans, 1)) {
      for (const attribute of messages(resource, 1)) {
        const [key] = messages(attribute, 1)
        const [value] = messages(attribute, 2)
        if (key?.toString() === 'service.name' && value) service = text(value, 1)
      }
    }
    for (const scopeSpans of messages(resourceSpans, 2)) {
      for (const span of messages(scopeSpans, 2)) {
        const [traceId, spanId, parentId] = [1, 2, 4].map(
          (field) => [...messages(span, field)][0]?.toString('hex') ?? '',
        )
        yield { service, name: text(span, 5), traceId: traceId!, spanId: spanId!, parentId: parentId! }
      }
    }
  }
}

const text = (message: Buffer, field: number): string => [...messages(message, field)][0]?.toString() ?? ''

/** Fields of one number that have a length: strings, bytes, messages. */
function* messages(message: Buffer, wanted: number): Generator<Buffer> {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++]!
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    const type = tag & 7
    if (type === 0) varint()
    else if (type === 1) at += 8
    else if (type === 5) at += 4
    else {
      const length = varint()
      if (tag >>> 3 === wanted) yield message.subarray(at, at + length)
      at += length
    }
  }
}
