/** What the CDC source follows. Plain data, so that it can be handed to a thread; holds a secret, so it is not for logs. */
import type { Config } from '../../../db/config.ts'
import { changeTopic } from '../../contract/cdc.ts'
import { deadLetterTopic, TOPICS, type Topic } from '../../contract/topics.ts'

export interface CdcSettings {
  /** Of the database whose tables are followed. A secret. */
  url: string
  slot: string
  publication: string
  /** With their schemas: `public.products`. */
  tables: readonly string[]
}

/** While a snapshot is taken, a slot of this name holds what comes after it. It goes with its session. */
export const snapshotSlot = (slot: string): string => `${slot}_snapshot`

const known = new Set(TOPICS.map(({ name }) => name))
const DAY_MS = 24 * 60 * 60 * 1000

/** Topics of tables that the platform itself does not know. */
export const furtherCdcTopics = (tables: readonly string[]): Topic[] =>
  tables
    .map(changeTopic)
    .filter((name) => !known.has(name))
    .flatMap((name) => [
      { name, partitions: 4, retentionMs: 7 * DAY_MS, key: 'the primary key, as JSON' },
      { name: deadLetterTopic(name), partitions: 1, retentionMs: 30 * DAY_MS, key: 'the original key' },
    ])

/** What the source writes to: one for each table, and no others. */
export function writtenTopics(tables: readonly string[]): Topic[] {
  const names = new Set(tables.map(changeTopic))
  return [...TOPICS, ...furtherCdcTopics(tables)].filter(({ name }) => names.has(name))
}

/** @param url where it is not that of CDC_SOURCE_URL */
export const cdcSettings = (
  config: Pick<Config, 'cdcTables' | 'cdcSlot' | 'cdcPublication'>,
  url: string,
): CdcSettings => ({
  url,
  slot: config.cdcSlot,
  publication: config.cdcPublication,
  tables: config.cdcTables,
})
