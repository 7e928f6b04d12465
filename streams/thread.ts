/** The streams in a thread of the embedded platform. */
import { runInThread } from './in-thread.ts'
import { startStreams } from './main.ts'
import type { ThreadOptions } from './streams-thread.ts'

await runInThread<ThreadOptions>('streams', 'The streams have failed', startStreams)
