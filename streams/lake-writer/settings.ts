/** How much, and how often: what the configuration says, in the units of the lake-writer. Apart from what does the work, so that whoever only starts a thread loads none of it. */
import type { Config } from '../../db/config.ts'

/** Plain data, so that it can be handed to a thread. */
export interface LakeSettings {
  commitMs: number
  commitBytes: number
  /** Of DuckDB, while files are written. */
  memoryMb: number
  threads: number
}

const MEGABYTE = 1024 * 1024

/** @param share of the machine: `small` beside the rest of the platform, where alerts must not wait for it */
export const lakeSettings = (
  config: Pick<Config, 'lakeCommitSeconds' | 'lakeCommitMb'>,
  share: 'small' | 'own process',
): LakeSettings => ({
  commitMs: config.lakeCommitSeconds * 1000,
  commitBytes: config.lakeCommitMb * MEGABYTE,
  ...(share === 'small' ? { memoryMb: 256, threads: 1 } : { memoryMb: 512, threads: 2 }),
})
