/**
 * The presets on the real files, row by row, against the naive readings: what would be sent is exactly what the files say, before any platform is
 * involved. Where the files are missing this is a visible skip; under CI it is a failure.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../db/config.ts'
import type { ClickstreamEvent, EventOf, Order, Trip } from '../../streams/contract/events.ts'
import { parseEvent } from '../../streams/contract/input.ts'
import { stableId } from '../../streams/contract/stable-id.ts'
import type { InputTopic } from '../../streams/contract/topics.ts'
import type { Mapping } from '../../streams/sources/mappings/mapping.ts'
import { nycTlc } from '../../streams/sources/mappings/nyc-tlc.ts'
import { onlineRetail } from '../../streams/sources/mappings/online-retail.ts'
import { rees46 } from '../../streams/sources/mappings/rees46.ts'
import { readRows } from '../../streams/sources/read-rows.ts'
import { naiveTlc } from './nyc-tlc.ts'
import { naiveOnlineRetail } from './online-retail.ts'
import { naiveRees46 } from './rees46.ts'

const DATA = join(import.meta.dirname, '../../../shared/data')
const { ci } = loadConfig(process.env)

/** Runs with the file, skips visibly without it, fails without it under CI. */
function withFile(name: string, body: (path: string) => Promise<void>) {
  const path = join(DATA, name)
  if (existsSync(path)) it(`${name} becomes what a naive reading of it says`, () => body(path))
  else if (ci) it(`${name} must be there under CI`, () => expect.unreachable(`${path} is missing`))
  else it.skip(`${name} is missing: put it into ../shared/data`, () => undefined)
}

interface Read<E> {
  events: E[]
  duplicates: number[]
  refused: number[]
  reasons: Map<string, number>
}

async function read<T extends InputTopic>(path: string, mapping: Mapping, topic: T, idOf: (e: EventOf[T]) => string) {
  const result: Read<EventOf[T]> = { events: [], duplicates: [], refused: [], reasons: new Map() }
  const ids = new Set<string>()
  for await (const source of readRows(path, { format: 'csv' })) {
    if (!('row' in source)) throw new Error(`line ${source.line}: ${source.problem}`)
    const mapped = mapping.map(source.row, () => stableId(source.text))
    if ('bad' in mapped) {
      result.refused.push(source.line)
      result.reasons.set(mapped.bad, (result.reasons.get(mapped.bad) ?? 0) + 1)
      continue
    }
    if (!('event' in mapped)) throw new Error(`line ${source.line}: no real file has a column for consent`)
    const parsed = parseEvent(topic, mapped.event, {
      receivedAt: Date.UTC(2026, 0, 1),
      currency: 'TRY',
      newId: () => '',
    })
    if (!parsed.ok) throw new Error(`line ${source.line}: the edge would refuse it: ${parsed.problem.message}`)
    const id = idOf(parsed.event)
    if (ids.has(id)) result.duplicates.push(source.line)
    else result.events.push(parsed.event)
    ids.add(id)
  }
  return result
}

const sum = <E>(events: readonly E[], of: (e: E) => number | null): number =>
  events.reduce((s, e) => s + (of(e) ?? 0), 0)
const countBy = <E>(events: readonly E[], of: (e: E) => string): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const e of events) counts.set(of(e), (counts.get(of(e)) ?? 0) + 1)
  return counts
}
const minuteOf = (e: { event_time: number }) => e.event_time - (e.event_time % 60_000)

describe('the real files', () => {
  withFile('rees46-2019-10-01.csv', async (path) => {
    const truth = naiveRees46(path)
    const got = await read(path, rees46, 'clickstream.events', (e: ClickstreamEvent) => e.event_id)
    expect(truth).toMatchObject({ rows: 17_434, events: 17_429, users: 4_504 })
    expect(truth.largestStepBackMs).toBe(0)
    expect(got.duplicates).toEqual(truth.duplicates)
    expect(got.refused).toEqual([...truth.refused.keys()])
    expect(countBy(got.events, (e) => e.event_type)).toEqual(truth.byType)
    expect(sum(got.events, (e) => e.revenue_minor)).toBe(truth.revenueMinor)
    expect(new Set(got.events.map((e) => e.user_id)).size).toBe(truth.users)
    expect(countBy(got.events, (e) => `${minuteOf(e)} ${e.event_type}`)).toEqual(
      new Map([...truth.traffic].map(([key, { events }]) => [key, events])),
    )
    expect(sum(truth.sessions, (s) => s.events)).toBe(truth.events)
    expect(sum(truth.sessions, (s) => s.revenueMinor)).toBe(truth.revenueMinor)
  })

  withFile('online-retail-2010-12.csv', async (path) => {
    const truth = naiveOnlineRetail(path)
    const got = await read(path, onlineRetail, 'transactions.orders', (e: Order) => e.order_id)
    expect(truth).toMatchObject({ rows: 42_481, orders: 41_192, refunds: 719, zeroAmountOrders: 201 })
    expect(truth.largestStepBackMs).toBe(0)
    expect(got.duplicates).toEqual(truth.duplicates)
    expect(got.refused).toEqual([...truth.refused.keys()])
    expect([...got.reasons.values()]).toEqual([70])
    const sales = got.events.filter((e) => e.status === 'success')
    const refunds = got.events.filter((e) => e.status === 'refunded')
    expect([sales.length, refunds.length]).toEqual([truth.orders, truth.refunds])
    expect(sum(sales, (e) => e.amount_minor)).toBe(truth.revenueMinor)
    expect(sum(refunds, (e) => e.amount_minor)).toBe(truth.refundedMinor)
    expect(new Set(got.events.map((e) => e.user_id)).size).toBe(truth.users)
    const keys = [...truth.revenue]
      .filter(([, cell]) => cell.orders > 0)
      .map(([key, cell]) => [key, cell.orders] as const)
    expect(countBy(sales, (e) => `${minuteOf(e)} ${e.category}`)).toEqual(new Map(keys))
  })

  withFile('nyc-tlc-yellow-2019-q1.csv', async (path) => {
    const truth = naiveTlc(path)
    const got = await read(path, nycTlc, 'trips.completed', (e: Trip) => e.trip_id)
    expect(truth).toMatchObject({ rows: 30_000, trips: 29_965, regions: 194 })
    expect(truth.largestStepBackMs).toBe(0)
    expect(got.duplicates).toEqual(truth.duplicates)
    expect(got.refused).toEqual([...truth.refused.keys()])
    expect([...got.reasons]).toEqual([['fare: below zero: a voided trip', 35]])
    expect(sum(got.events, (e) => e.fare_minor)).toBe(truth.fareMinor)
    expect(sum(got.events, (e) => e.duration_s)).toBe(truth.durationS)
    expect(sum(got.events, (e) => e.distance_m)).toBe(truth.distanceM)
    expect(countBy(got.events, (e) => `${e.region_id} ${minuteOf(e)}`)).toEqual(
      new Map([...truth.windows['1m']].map(([key, { trips }]) => [key, trips])),
    )
    expect(got.events.filter((e) => e.event_time < Date.UTC(2019, 0, 1))).toHaveLength(1)
  })
})
