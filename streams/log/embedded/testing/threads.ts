/**
 * A process of `embedded.system.test.ts`: starts threads that write to one log, then goes in the way it is told:
 * `threads.ts <folder> closed` after they have closed the log, `open` with the log left open, `terminated` with the threads killed while they
 * append, `exit` by process.exit while they append. Prints `fine` just before the end.
 */
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { startThread } from '../../../../observability/threads.ts'
import type { WriterTask } from './writer-task.ts'

const [folder = '', way = 'closed'] = process.argv.slice(2)
const endless = way === 'terminated' || way === 'exit'

const threads = ['a', 'b'].map((name) => {
  const task: WriterTask = { folder, name, end: way === 'open' ? 'leave' : 'close', ...(endless ? {} : { count: 60 }) }
  return startThread(new URL('./writer.ts', import.meta.url), { workerData: task })
})

await Promise.all(
  threads.map(async (thread) => {
    let records = 0
    for (;;) {
      const [line] = (await once(thread, 'message')) as [string]
      if (line === 'done') return once(thread, 'exit')
      if (endless && ++records >= 100) return undefined
    }
  }),
)
if (way === 'terminated') await Promise.all(threads.map((thread) => thread.terminate()))
writeSync(1, 'fine\n')
if (way === 'exit') process.exit(0)
