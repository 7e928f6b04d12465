/**
 * The records that carry an event, by its id. There is no index of ids: the lake is asked (one column, over pinned snapshots), and of the log what the lake does not have yet.
 *
 * Invariant: bounded in records and in time, and what was not looked at is told.
 */
import { createDecoder, type SchemaRegistry, Undecodable } from '../contract/codec.ts'
import { isControl } from '../contract/erasure.ts'
import { type EventOf, identityOf, type OrderStatus, orderIdentity } from '../contract/events.ts'
import { DEAD_LETTERS_TABLE, RAW_TABLES } from '../contract/lake-tables.ts'
import { CLICKSTREAM, type InputTopic, ORDERS, TRIPS } from '../contract/topics.ts'
import { nextOffsets, OtherLog } from '../lake-writer/offsets.ts'
import { partitionKey } from '../log/event-log.ts'
import { msOfText, numberOf, textLiteral, timeLiteral } from '../shadow/index.ts'
import { LakeBusy, type LakeReader } from './lake-reader.ts'
import { type ReadableLog, scanLog } from './log-scan.ts'

export interface FindDeps {
  log: ReadableLog
  registry: SchemaRegistry
  currency: string
  lake: LakeReader | null
}

export interface EventQuestion {
  id: string
  topics: readonly InputTopic[]
  /** About when it happened: then only the days around are looked at in the lake. */
  atMs: number | null
}

export interface FoundRecord {
  topic: InputTopic
  /** Below zero: it was imported from a file, past the log. */
  partition: number
  offset: number
  /** null: nobody can read the record. */
  eventTimeMs: number | null
  appendedAtMs: number
  /** What makes two records the same event. */
  identity: string
}

export interface Found {
  records: FoundRecord[]
  /** Where it was looked, and where it was not, in sentences. */
  looked: string[]
  missing: string[]
}

const DAY_MS = 86_400_000
/** Of one partition, from its end. */
const TAIL_MAX = 20_000
const SCAN_MS_MAX = 5_000
const RECORDS_MAX = 100

const ID_COLUMN = { [CLICKSTREAM]: 'event_id', [ORDERS]: 'order_id', [TRIPS]: 'trip_id' } as const

export async function findRecords(deps: FindDeps, question: EventQuestion): Promise<Found> {
  const found: Found = { records: [], looked: [], missing: [] }
  // Before the lake is asked: what it is given meanwhile is then found in the log.
  const written = await writtenOffsets(deps, question.topics).catch((error: unknown) => {
    if (!(error instanceof OtherLog)) throw error
    found.missing.push('which records of the log the lake has: its rows are of another log')
    return new Map<InputTopic, Readonly<Record<string, number>>>()
  })
  await lookInLake(deps, question, found)
  await lookInLog(deps, question, written, found)
  const byPlace = new Map(found.records.map((r) => [`${r.topic}/${r.partition}/${r.offset}`, r]))
  const records = [...byPlace.values()].sort((a, b) => a.appendedAtMs - b.appendedAtMs || a.offset - b.offset)
  if (records.length > RECORDS_MAX) found.missing.push(`further records of this id beyond ${RECORDS_MAX}`)
  return { ...found, records: records.slice(0, RECORDS_MAX) }
}

async function lookInLake({ lake }: FindDeps, { id, topics, atMs }: EventQuestion, found: Found): Promise<void> {
  if (!lake) {
    found.missing.push('the lake, which this edge does not have')
    return
  }
  const text = textLiteral(id)
  const days = (column: string) =>
    atMs === null ? '' : ` AND ${column} >= ${timeLiteral(atMs - DAY_MS)} AND ${column} < ${timeLiteral(atMs + DAY_MS)}`
  const where = atMs === null ? '' : ' a day around the time that was given'
  try {
    for (const topic of topics) {
      const { name } = RAW_TABLES[topic]
      const status = topic === ORDERS ? 'status' : 'NULL'
      const rows = await lake.rows(`
        SELECT log_partition, log_offset, event_time, log_appended_at, ${status} AS status FROM ${name}
        WHERE ${ID_COLUMN[topic]} = ${text}${days('event_time')} ORDER BY log_appended_at, log_offset LIMIT ${RECORDS_MAX + 1}`)
      for (const row of rows)
        found.records.push({
          topic,
          partition: numberOf(row.log_partition),
          offset: numberOf(row.log_offset),
          eventTimeMs: msOfText(row.event_time),
          appendedAtMs: msOfText(row.log_appended_at),
          identity: topic === ORDERS ? orderIdentity({ order_id: id, status: row.status as OrderStatus }) : id,
        })
      found.looked.push(`${name} in the lake${where}`)
    }
    const letters = await lake.rows(`
      SELECT source_topic, source_partition, source_offset, source_appended_at FROM ${DEAD_LETTERS_TABLE.name}
      WHERE kind = 'letter' AND source_topic IN (${topics.map(textLiteral).join(', ')}) AND source_partition IS NOT NULL AND source_offset IS NOT NULL
        AND contains(hex(value), '${Buffer.from(id).toString('hex').toUpperCase()}')${days('died_at')} LIMIT ${RECORDS_MAX + 1}`)
    for (const row of letters)
      found.records.push({
        topic: row.source_topic as InputTopic,
        partition: numberOf(row.source_partition),
        offset: numberOf(row.source_offset),
        eventTimeMs: null,
        appendedAtMs: row.source_appended_at == null ? 0 : msOfText(row.source_appended_at),
        identity: id,
      })
    found.looked.push(`${DEAD_LETTERS_TABLE.name} in the lake${where}`)
  } catch (error) {
    found.missing.push(`the lake, which did not answer: ${error instanceof LakeBusy ? 'it is busy' : 'in time'}`)
  }
}

/** By topic and partition, how far the lake has come; nothing where there is no such table. */
async function writtenOffsets(
  { lake, log }: FindDeps,
  topics: readonly InputTopic[],
): Promise<Map<InputTopic, Readonly<Record<string, number>>>> {
  const written = new Map<InputTopic, Readonly<Record<string, number>>>()
  for (const topic of topics) {
    const { name } = RAW_TABLES[topic]
    const metadata = await lake?.metadata(name).catch(() => null)
    if (metadata) written.set(topic, nextOffsets(metadata, name, await log.identity()))
  }
  return written
}

async function lookInLog(
  deps: FindDeps,
  { id, topics }: EventQuestion,
  written: Awaited<ReturnType<typeof writtenOffsets>>,
  found: Found,
): Promise<void> {
  const { log } = deps
  const deadline = AbortSignal.timeout(SCAN_MS_MAX)
  const needle = Buffer.from(id)
  for (const topic of topics) {
    const inLake = written.get(topic)
    const decoder = createDecoder(topic, deps.registry, deps.currency)
    const identify = identityOf[topic] as (event: EventOf[InputTopic]) => string
    let records = 0
    const count = await log.partitionCount(topic)
    for (let partition = 0; partition < count; partition++) {
      const at = { topic, partition }
      const { earliest, next } = await log.bounds(at)
      const wanted = Math.max(earliest, inLake?.[partitionKey(at)] ?? 0)
      const from = Math.max(wanted, next - TAIL_MAX)
      if (from > wanted) found.missing.push(`offsets ${wanted} to ${from - 1} of ${topic}[${partition}]`)
      for await (const page of scanLog(log, at, from, next)) {
        if (deadline.aborted) {
          found.missing.push(`${topic}[${partition}] from offset ${page[0]!.offset} on: it took too long`)
          break
        }
        records += page.length
        const candidates = page.filter((record) => record.value.includes(needle) && !isControl(record))
        await decoder.prepare(candidates)
        for (const { offset, appendedAtMs, value } of candidates) {
          try {
            const event = decoder.decode(value, { appendedAtMs, partition, offset })
            if ((event as unknown as Record<string, unknown>)[ID_COLUMN[topic]] !== id) continue
            found.records.push({
              ...at,
              offset,
              appendedAtMs,
              eventTimeMs: event.event_time,
              identity: identify(event),
            })
          } catch (error) {
            if (!(error instanceof Undecodable)) throw error
            found.records.push({ ...at, offset, appendedAtMs, eventTimeMs: null, identity: id })
          }
        }
      }
    }
    found.looked.push(`the newest ${records} records of ${topic} in the log`)
  }
}
