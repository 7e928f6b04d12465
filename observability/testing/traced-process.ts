/** A process of a traced role with a thread of another: both record one span when they are asked to stop, and end. */
import { once } from 'node:events'
import { isMainThread, parentPort } from 'node:worker_threads'
import { stopTracing } from '../preload.ts'
import { beginSpan } from '../spans.ts'
import { startThread } from '../threads.ts'

const record = (name: string): void => beginSpan(name, { parent: null }).end()

if (isMainThread) {
  const thread = startThread(new URL(import.meta.url), {}, 'lake-writer')
  await once(thread, 'message')
  const stopped = once(process, 'SIGTERM')
  // A signal's listener alone keeps nothing alive; the thread does.
  process.stdout.write('begun\n')
  await stopped
  const ended = once(thread, 'exit')
  thread.postMessage('stop')
  await ended
  record('last of the process')
  await stopTracing()
  process.exit()
} else {
  const port = parentPort!
  port.postMessage('ready')
  await once(port, 'message')
  record('last of the thread')
  port.close()
}
