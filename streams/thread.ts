/**
 * The streams in a thread of the embedded platform: the other side is `SupervisedThread` in `streams-thread.ts`.
 * Messages in: stop, metrics. Messages out: ready, metrics, failed; the thread ends by itself after stop or failed.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { createLogger } from '../observability/log.ts'
import { createRegistry } from '../observability/metrics.ts'
import { startStreams } from './main.ts'
import type { FromThread, ThreadOptions, ToThread } from './streams-thread.ts'

const port = parentPort
if (!port) throw new Error('thread.ts runs as a worker thread only')
const options = workerData as ThreadOptions
const send = (message: FromThread): void => port.postMessage(message)
const metrics = createRegistry()
const logger = createLogger({ level: options.logLevel, service: 'streams' })

try {
  const streams = await startStreams({ ...options, logger, metrics })
  port.on('message', (message: ToThread) => {
    if (message.type === 'stop') void streams.stop()
    else void metrics.metrics().then((text) => send({ type: 'metrics', id: message.id, text }))
  })
  send({ type: 'ready' })
  await streams.done
} catch (error) {
  logger.error({ err: error }, 'The streams have failed')
  send({ type: 'failed', message: (error as Error).message })
}
port.close()
