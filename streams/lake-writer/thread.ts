/** The lake-writer in a thread of the embedded platform: converting rows takes its turn of the event loop for milliseconds at a time, which must be neither the streams' nor the edge's. */
import { runInThread } from '../in-thread.ts'
import type { ThreadOptions } from '../streams-thread.ts'
import type { LakeSettings } from './settings.ts'
import { startLakeWriter } from './start.ts'

type Options = Omit<ThreadOptions, 'owner'> & { lake: LakeSettings }

await runInThread<Options>('lake-writer', 'The lake-writer has failed', startLakeWriter)
