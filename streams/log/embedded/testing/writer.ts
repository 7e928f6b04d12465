/**
 * What `embedded.system.test.ts` runs as a process or as a thread: appends to a log and tells each record it has been promised.
 *
 * As a process: `writer.ts <folder> <name> [count per caller]`; one line `<value> <partition> <offset>` per acknowledged record, `error <message>`
 * for a refused append, after which it stops. As a thread the same comes from `workerData`, and messages instead of lines.
 */
import { writeSync } from 'node:fs'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { openEmbeddedLog } from '../../embedded.ts'
import { TEST_TOPICS, type WriterTask } from './writer-task.ts'

async function run(task: WriterTask, tell: (line: string) => void): Promise<void> {
  const { folder, name, count = Number.POSITIVE_INFINITY, callers = 4, valueBytes = 60, end = 'close' } = task
  const log = await openEmbeddedLog({ folder, topics: TEST_TOPICS })
  const caller = async (number: number): Promise<void> => {
    const key = `${name}/${number}`
    for (let i = 0; i < count; ) {
      const size = Math.min(3, count - i)
      const batch = Array.from({ length: size }, (_, k) => ({
        topic: 'four',
        key,
        value: Buffer.from(`${key}/${i + k}`.padEnd(valueBytes, ' ')),
      }))
      const positions = await log.append(batch)
      for (const [k, { partition, offset }] of positions.entries()) tell(`${key}/${i + k} ${partition} ${offset}`)
      i += size
    }
  }
  try {
    await Promise.all(Array.from({ length: callers }, (_, number) => caller(number)))
  } catch (error) {
    tell(`error ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`)
  }
  if (end === 'close') await log.close()
  tell('done')
}

if (isMainThread) {
  const [folder = '', name = '', count, valueBytes] = process.argv.slice(2)
  await run(
    {
      folder,
      name,
      ...(count ? { count: Number(count) } : {}),
      ...(valueBytes ? { valueBytes: Number(valueBytes) } : {}),
    },
    printLine,
  )
} else {
  await run(workerData as WriterTask, (line) => parentPort?.postMessage(line))
}

/** At once, since the process may be killed after the next instruction. The pipe may be full for a moment: a line this short goes whole or not at all. */
function printLine(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}
