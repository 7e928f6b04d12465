/**
 * The streams, or the lake-writer, as a thread of this process: started, asked for metrics, stopped, and started again after a failure, with a growing pause.
 *
 * Invariant: only one such thread runs at a time. A failure of it is no failure of the edge: what that accepts meanwhile waits in the log.
 */
import type { Worker } from 'node:worker_threads'
import type { Logger } from '../observability/log.ts'
import { startThread } from '../observability/threads.ts'
import type { StoreSettings } from './stores.ts'
import type { Clock } from './time/clock.ts'

export interface ThreadOptions {
  stores: StoreSettings
  databaseUrl: string
  currency: string
  owner: string
  logLevel: string
}

export type ToThread = { type: 'stop' } | { type: 'metrics'; id: number }
export type FromThread =
  | { type: 'ready' }
  | { type: 'metrics'; id: number; text: string }
  | { type: 'failed'; message: string }

export interface SupervisedThread {
  /** Prometheus text; empty while the thread is down. */
  text(): Promise<string>
  /** Why it last failed, while it has not been running again since. */
  readonly failure: string | null
  stop(): Promise<void>
}

const FIRST_PAUSE_MS = 500
const PAUSE_MAX_MS = 30_000
const METRICS_TIMEOUT_MS = 2_000

interface ThreadDeps {
  logger: Logger
  clock: Clock
}

export const startStreamsThread = (options: ThreadOptions, deps: ThreadDeps): Promise<SupervisedThread> =>
  superviseThread({ entry: new URL('./thread.ts', import.meta.url), name: 'streams' }, options, deps)

/** A thread that speaks {@link FromThread} and {@link ToThread}. @param name its role @param options its `workerData`: plain data */
export async function superviseThread(
  { entry, name }: { entry: URL; name: string },
  options: object,
  { logger, clock }: ThreadDeps,
): Promise<SupervisedThread> {
  const stopping = new AbortController()
  const waiting = new Map<number, (text: string) => void>()
  let worker: Worker | undefined
  let failure: string | null = null
  let nextId = 0
  let firstReady: () => void = () => {}
  const ready = new Promise<void>((resolve) => {
    firstReady = resolve
  })

  /** One life of the thread: resolves when it has ended, with how long it was ready. */
  function live(): Promise<void> {
    return new Promise((resolve) => {
      const thread = startThread(entry, { workerData: options }, name)
      worker = thread
      thread.on('message', (message: FromThread) => {
        if (message.type === 'ready') {
          failure = null
          firstReady()
        } else if (message.type === 'failed') failure = message.message
        else {
          waiting.get(message.id)?.(message.text)
          waiting.delete(message.id)
        }
      })
      thread.on('error', (error) => {
        failure = error.message
        logger.error({ err: error }, `The thread of the ${name} broke`)
      })
      thread.on('exit', () => {
        worker = undefined
        for (const answer of waiting.values()) answer('')
        waiting.clear()
        resolve()
      })
    })
  }

  async function supervise(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS
    while (!stopping.signal.aborted) {
      const startedMs = clock.now()
      await live()
      firstReady()
      if (stopping.signal.aborted) return
      if (clock.now() - startedMs > PAUSE_MAX_MS) pauseMs = FIRST_PAUSE_MS
      failure ??= `The ${name} ended unexpectedly`
      logger.error({ failure, pause_ms: pauseMs }, `The ${name} thread is down and is started again`)
      await clock.sleep(pauseMs, stopping.signal)
      pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)
    }
  }

  const supervised = supervise()
  await ready
  return {
    get failure() {
      return failure
    },
    async text() {
      const thread = worker
      if (!thread) return ''
      const id = nextId++
      const answer = new Promise<string>((resolve) => waiting.set(id, resolve))
      thread.postMessage({ type: 'metrics', id } satisfies ToThread)
      const late = new AbortController()
      const text = await Promise.race([answer, clock.sleep(METRICS_TIMEOUT_MS, late.signal).then(() => '')])
      late.abort()
      waiting.delete(id)
      return text
    },
    async stop() {
      stopping.abort()
      worker?.postMessage({ type: 'stop' } satisfies ToThread)
      await supervised
    },
  }
}
