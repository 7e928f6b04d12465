/**
 * The lake-writer in a thread of the embedded platform: converting rows takes its turn of the event loop for milliseconds at a time, which must be neither the streams' nor the
 * edge's. The other side is `superviseThread` in `streams-thread.ts`, with the same messages.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { createLogger } from '../../observability/log.ts'
import { createRegistry } from '../../observability/metrics.ts'
import type { FromThread, ThreadOptions, ToThread } from '../streams-thread.ts'
import type { LakeSettings } from './settings.ts'
import { startLakeWriter } from './start.ts'

const port = parentPort
if (!port) throw new Error('thread.ts runs as a worker thread only')
const options = workerData as Omit<ThreadOptions, 'owner'> & { lake: LakeSettings }
const send = (message: FromThread): void => port.postMessage(message)
const metrics = createRegistry()
const logger = createLogger({ level: options.logLevel, service: 'lake-writer' })

try {
  const running = await startLakeWriter({ ...options, logger, metrics })
  port.on('message', (message: ToThread) => {
    if (message.type === 'stop') void running.stop()
    else void metrics.metrics().then((text) => send({ type: 'metrics', id: message.id, text }))
  })
  send({ type: 'ready' })
  await running.done
} catch (error) {
  logger.error({ err: error }, 'The lake-writer has failed')
  send({ type: 'failed', message: (error as Error).message })
}
port.close()
