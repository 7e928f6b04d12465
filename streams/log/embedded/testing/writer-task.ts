/** What `writer.ts` is asked to do, for the tests that start it and for itself. */
import type { Topic } from '../../../contract/topics.ts'

export interface WriterTask {
  folder: string
  name: string
  /** Records per caller; without it, for ever. */
  count?: number
  /** Concurrent appends. */
  callers?: number
  valueBytes?: number
  /** `close`: closes the log at the end. `leave`: leaves it open. */
  end?: 'close' | 'leave'
}

export const TEST_TOPICS: Topic[] = [{ name: 'four', partitions: 4, retentionMs: 86_400_000, key: 'any' }]
