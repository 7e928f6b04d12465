/**
 * A process of `embedded.system.test.ts`: starts threads that write to one log, then goes in the way it is told:
 * `threads.ts <folder> closed` after they have closed the log, `open` with the log left open, `terminated` with the threads killed while they
 * append, `exit` by process.exit while they append. Prints `fine` just before the end.
 */
import { writeSync } from 'node:fs'
import { startThread } from '../../../../observability/threads.ts'
import type { WriterTask } from './writer-task.ts'

const [folder = '', way = 'closed'] = process.argv.slice(2)
const endless = way === 'terminated' || way === 'exit'

const threads = ['a', 'b'].map((name) => {
  const task: WriterTask = { folder, name, end: way === 'open' ? 'leave' : 'close', ...(endless ? {} : { count: 60 }) }
  return startThread(new URL('./writer.ts', import.meta.url), { workerData: task })
})

// Listened for from the start: when a thread ends, what it has said last and its end come without a pause between them.
await Promise.all(
  threads.map(
    (thread) =>
      new Promise<void>((resolve, reject) => {
        let records = 0
        let isDone = false
        thread.on('message', (line) => {
          isDone ||= line === 'done'
          if (endless && ++records >= 100) resolve()
        })
        thread.once('exit', (code) => {
          if (isDone) resolve()
          else reject(new Error(`A thread ended with ${code} before it was done.`))
        })
      }),
  ),
)
if (way === 'terminated') await Promise.all(threads.map((thread) => thread.terminate()))
writeSync(1, 'fine\n')
if (way === 'exit') process.exit(0)
