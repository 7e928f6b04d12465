/**
 * The orders of one user around an alert's evidence, as the rule needs them (run-rule.ts): from the lake, whose rows are of the log's records, and what the lake does not have yet from the log's end.
 *
 * Invariant: what was looked at is told with the answer, and whether that was all that can matter: a match depends on the matches before it, so on a chain of orders that are less than the rule's span
 * apart. Without lake and log there is still the evidence itself.
 */
import { createDecoder, type SchemaRegistry, Undecodable } from '../contract/codec.ts'
import { isControl } from '../contract/erasure.ts'
import { RAW_TABLES } from '../contract/lake-tables.ts'
import type { AlertRow } from '../contract/results.ts'
import { ORDERS } from '../contract/topics.ts'
import { isSuspect } from '../jobs/fraud-detector.ts'
import type { FraudRule } from '../jobs/fraud-rules.ts'
import { nextOffsets } from '../lake-writer/offsets.ts'
import { partitionKey } from '../log/event-log.ts'
import { msOfText, numberOf, textLiteral, timeLiteral } from '../shadow/index.ts'
import { LakeBusy, type LakeReader } from './lake-reader.ts'
import { type ReadableLog, scanLog } from './log-scan.ts'
import type { OrderRecord, RuleOrder } from './run-rule.ts'

export interface OrdersDeps {
  log: ReadableLog
  registry: SchemaRegistry
  currency: string
  /** null: there is none here. */
  lake: LakeReader | null
}

/** What an answer was judged on. */
export interface JudgedOn {
  orders: number
  /** Of event time. */
  fromMs: number
  toMs: number
  lake: boolean
  /** Offsets that were read of the evidence's partition, `to` exclusive. */
  log: { from: number; to: number } | null
  /** No order beyond what was looked at can change the answer. */
  whole: boolean
  /** What was not looked at, and why; empty where nothing is missing. */
  missing: string[]
}

/** Before the evidence and after it. */
const AROUND_MS = 60 * 60_000
/** A record may have moved stream time on by so much before a user's order came: of more than that nothing is looked for. */
const AHEAD_MS = 24 * 60 * 60_000
export const ORDERS_MAX = 1_000
/** Of the log, for one question. */
const LOG_RECORDS_MAX = 50_000
/** Where there is no lake: so many records before the evidence. */
const LOG_RECORDS_BEFORE = 20_000
const FIELDS = new Set(['event_time', 'order_id', 'user_id', 'status', 'amount_minor', 'currency'])

type Evidence = Pick<AlertRow, 'user_id' | 'partition' | 'first_at' | 'last_at' | 'evidence' | 'currency'>

export async function ordersAround(
  deps: OrdersDeps,
  alert: Evidence,
  rule: FraudRule,
): Promise<{ records: OrderRecord[]; judgedOn: JudgedOn }> {
  const fromMs = alert.first_at - AROUND_MS
  const toMs = alert.last_at + AROUND_MS
  const missing: string[] = []
  // Before the lake is asked: what it is given meanwhile is then found in the log.
  const written = await logOffsetBehind(deps, alert.partition).catch(() => null)
  const fromLake = await lakeOrders(deps.lake, alert, { fromMs, toMs }).catch((error: unknown) => {
    missing.push(error instanceof LakeBusy ? 'the lake was too busy to be asked' : 'the lake did not answer in time')
    return null
  })
  const start = fromLake ? written : null
  const fromLog = await logOrders(deps, alert, { fromMs, toMs }, start, fromLake).catch(() => {
    missing.push('the log could not be read')
    return null
  })
  if (fromLog?.isCut) missing.push(`records of the log from offset ${fromLog.to} on`)
  const byOffset = new Map<number, OrderRecord>()
  for (const record of [...(fromLake?.records ?? []), ...(fromLog?.records ?? [])]) byOffset.set(record.offset, record)
  const lost = alert.evidence.filter(({ offset }) => !byOffset.has(offset))
  if (lost.length > 0) missing.push('orders beside the evidence, which neither log nor lake has any more')
  for (const each of lost) byOffset.set(each.offset, asRecord(each, alert))
  const records = [...byOffset.values()].sort((a, b) => a.offset - b.offset)
  if (records.length > ORDERS_MAX) missing.push(`more than ${ORDERS_MAX} orders of this user`)
  const near = nearest(records, alert)
  const whole = missing.length === 0 && isWhole(near, rule, fromMs, toMs)
  if (missing.length === 0 && !whole)
    missing.push('orders of this user further away, which may hang together with these')
  return {
    records: near,
    judgedOn: {
      orders: near.length,
      fromMs,
      toMs,
      lake: fromLake !== null,
      log: fromLog && { from: fromLog.from, to: fromLog.to },
      whole,
      missing,
    },
  }
}

/** Those before the first gap of at least the rule's span on either side decide by themselves. */
function isWhole(records: readonly OrderRecord[], rule: FraudRule, fromMs: number, toMs: number): boolean {
  const times = records.flatMap(({ order }) => (isSuspect(rule, order) ? order.event_time : [])).sort((a, b) => a - b)
  const hasGap = (list: readonly number[]) => list.some((time, i) => i > 0 && time - list[i - 1]! >= rule.withinMs)
  return hasGap([fromMs, ...times]) && hasGap([...times, toMs])
}

/** At most so many, those closest to the evidence in the log. */
function nearest(records: OrderRecord[], { evidence }: Evidence): OrderRecord[] {
  if (records.length <= ORDERS_MAX) return records
  const first = Math.min(...evidence.map(({ offset }) => offset))
  const at = records.findIndex(({ offset }) => offset >= first)
  const from = Math.max(0, Math.min(at - ORDERS_MAX / 2, records.length - ORDERS_MAX))
  return records.slice(from, from + ORDERS_MAX)
}

/** Nothing is known of the time when it came: it is taken for the time when it happened. */
const asRecord = (each: Evidence['evidence'][number], { user_id, currency }: Evidence): OrderRecord => ({
  offset: each.offset,
  appendedAtMs: each.event_time,
  othersMs: Number.NEGATIVE_INFINITY,
  order: {
    order_id: each.order_id,
    user_id,
    status: each.status,
    amount_minor: each.amount_minor,
    currency,
    event_time: each.event_time,
  },
})

interface FromLake {
  records: OrderRecord[]
  /** Stream time that all others in the range have brought about. */
  othersMs: number
}

interface Range {
  fromMs: number
  toMs: number
}

async function lakeOrders(
  lake: LakeReader | null,
  { partition, user_id }: Evidence,
  { fromMs, toMs }: Range,
): Promise<FromLake | null> {
  const { name } = RAW_TABLES[ORDERS]
  if (!lake || (await lake.metadata(name)) === null) return null
  const user = textLiteral(user_id)
  const rows = await lake.rows(`
    WITH around AS (
      SELECT log_offset, log_appended_at, order_id, user_id, status, amount_minor, currency, event_time FROM ${name}
      WHERE log_partition = ${partition} AND event_time >= ${timeLiteral(fromMs)} AND event_time < ${timeLiteral(toMs + AHEAD_MS)}
    ), timed AS (
      SELECT *, max(CASE WHEN user_id <> ${user} THEN least(event_time, log_appended_at) END) OVER (ORDER BY log_offset) AS others_time FROM around
    )
    (SELECT * FROM timed WHERE user_id = ${user} AND event_time < ${timeLiteral(toMs)} ORDER BY log_offset LIMIT ${ORDERS_MAX + 1})
    UNION ALL (SELECT * FROM timed ORDER BY log_offset DESC LIMIT 1)`)
  const others = (row: (typeof rows)[number] | undefined) =>
    row?.others_time == null ? Number.NEGATIVE_INFINITY : msOfText(row.others_time)
  return {
    othersMs: others(rows.at(-1)),
    records: rows.slice(0, -1).map((row) => ({
      offset: numberOf(row.log_offset),
      appendedAtMs: msOfText(row.log_appended_at),
      othersMs: others(row),
      order: {
        order_id: String(row.order_id),
        user_id,
        status: String(row.status) as RuleOrder['status'],
        amount_minor: numberOf(row.amount_minor),
        currency: String(row.currency),
        event_time: msOfText(row.event_time),
      },
    })),
  }
}

/** The first record of the partition that the lake does not have. */
async function logOffsetBehind({ lake, log }: OrdersDeps, partition: number): Promise<number | null> {
  const { name } = RAW_TABLES[ORDERS]
  const metadata = await lake?.metadata(name)
  if (!metadata) return null
  return nextOffsets(metadata, name, await log.identity())[partitionKey({ topic: ORDERS, partition })] ?? null
}

async function logOrders(
  { log, registry, currency }: OrdersDeps,
  alert: Evidence,
  { fromMs, toMs }: Range,
  start: number | null,
  fromLake: FromLake | null,
): Promise<{ records: OrderRecord[]; from: number; to: number; isCut: boolean }> {
  const at = { topic: ORDERS, partition: alert.partition }
  const { earliest, next } = await log.bounds(at)
  const first = Math.min(...alert.evidence.map(({ offset }) => offset))
  const from = Math.max(earliest, start ?? first - LOG_RECORDS_BEFORE)
  const to = Math.min(next, from + LOG_RECORDS_MAX)
  const decoder = createDecoder(ORDERS, registry, currency, undefined, FIELDS)
  const records: OrderRecord[] = []
  let othersMs = fromLake?.othersMs ?? Number.NEGATIVE_INFINITY
  for await (const page of scanLog(log, at, from, to)) {
    await decoder.prepare(page)
    for (const record of page) {
      if (isControl(record)) continue
      const { offset, appendedAtMs, value } = record
      let order: RuleOrder
      try {
        order = decoder.decode(value, { appendedAtMs, partition: at.partition, offset })
      } catch (error) {
        // It is a dead letter for the job too.
        if (error instanceof Undecodable) continue
        throw error
      }
      if (order.user_id !== alert.user_id) othersMs = Math.max(othersMs, Math.min(order.event_time, appendedAtMs))
      else if (order.event_time >= fromMs && order.event_time < toMs)
        records.push({ offset, appendedAtMs, order, othersMs })
    }
  }
  return { records, from, to: Math.max(from, to), isCut: to < next }
}
