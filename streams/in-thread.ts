/**
 * This side of a supervised thread: a role runs in it, and it is told to stop and asked for metrics. The other side is `superviseThread` in `streams-thread.ts`.
 * Messages in: stop, metrics. Messages out: ready, metrics, failed; the thread ends by itself after stop or failed.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { createLogger, type Logger } from '../observability/log.ts'
import { createRegistry, type Registry } from '../observability/metrics.ts'
import type { FromThread, ToThread } from './streams-thread.ts'

interface Running {
  readonly done: Promise<void>
  stop(): Promise<void>
}

/**
 * @param component as which it logs and counts
 * @param failed the sentence for its log when it can't go on
 * @param start gets the thread's `workerData`
 */
export async function runInThread<O extends { logLevel: string }>(
  component: 'streams' | 'lake-writer' | 'cdc',
  failed: string,
  start: (options: O & { logger: Logger; metrics: Registry }) => Promise<Running>,
): Promise<void> {
  const port = parentPort
  if (!port) throw new Error('thread.ts runs as a worker thread only')
  const options = workerData as O
  const send = (message: FromThread): void => port.postMessage(message)
  const metrics = createRegistry({ labels: { component } })
  const logger = createLogger({ level: options.logLevel, component })

  try {
    const running = await start({ ...options, logger, metrics })
    port.on('message', (message: ToThread) => {
      if (message.type === 'stop') void running.stop()
      else void metrics.metrics().then((text) => send({ type: 'metrics', id: message.id, text }))
    })
    send({ type: 'ready' })
    await running.done
  } catch (error) {
    logger.error({ err: error }, failed)
    send({ type: 'failed', message: (error as Error).message })
  }
  port.close()
}
