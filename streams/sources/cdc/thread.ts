/** The CDC source in a thread of the embedded platform, where a snapshot takes no turn of the edge's. */
import { runInThread } from '../../in-thread.ts'
import type { ThreadOptions } from '../../streams-thread.ts'
import type { CdcSettings } from './settings.ts'
import { startCdc } from './start.ts'

type Options = Pick<ThreadOptions, 'stores' | 'logLevel'> & { settings: CdcSettings; version: string }

await runInThread<Options>('cdc', 'The CDC source has failed', startCdc)
