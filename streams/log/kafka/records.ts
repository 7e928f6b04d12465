/** Records as kafkajs gives them, as ours. Invariant: nothing is copied that the fetched bytes already hold. */
import type { LogRecord } from '../event-log.ts'
import type { FetchedRecord } from './client.ts'

const NOTHING = Buffer.alloc(0)

export function toLogRecord({ offset, timestamp, key, value, headers }: FetchedRecord): LogRecord {
  const record = {
    offset: Number(offset),
    appendedAtMs: Number(timestamp),
    key: key === null ? null : key.toString(),
    value: value ?? NOTHING,
    tombstone: value === null,
  }
  for (const _ in headers) return { ...record, headers: texts(headers) }
  return record
}

function texts(headers: NonNullable<FetchedRecord['headers']>): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    // Kafka allows a header more than once: the last counts.
    const last = Array.isArray(value) ? value[value.length - 1] : value
    if (last !== undefined && last !== null) found[name] = last.toString()
  }
  return found
}
