/** An erasure record lies among the events of its topic. Whoever reads these, but for the jobs' tasks, passes it over: it is no row, no event with an id, and nobody's dead letter. */
import { expect, it } from 'vitest'
import { createEncoder } from '../contract/codec.ts'
import { CONTROL_HEADER, erasureRecord } from '../contract/erasure.ts'
import { RAW_TABLES } from '../contract/lake-tables.ts'
import { CLICKSTREAM, INPUT_TOPICS, ORDERS } from '../contract/topics.ts'
import { readDeadLetter } from '../dead-letters/dead-letter.ts'
import { revivedHeaders } from '../dead-letters/revived-record.ts'
import { findRecords } from '../evidence/find-records.ts'
import { lakeJobs, rowsOf } from '../lake-writer/tables.ts'
import { createMemoryLog } from './memory-log.ts'
import { createMemoryRegistry } from './memory-registry.ts'
import { VirtualClock } from './virtual-clock.ts'

const NOW = Date.UTC(2026, 0, 15, 12)
const times = { event_time: NOW, original_time: null, sent_at: null, received_at: NOW }
const erasure = { erasure_id: 'e-1', subject_id: 'ada', requested_at: NOW }

/** A log with an order of the person, whose id is the person's name, and then the erasure. */
async function world() {
  const registry = createMemoryRegistry()
  const log = createMemoryLog({ clock: new VirtualClock(NOW) })
  const order = {
    order_id: 'ada',
    user_id: 'ada',
    product_id: null,
    category: null,
    quantity: null,
    amount_minor: 1,
    currency: 'TRY',
    region: null,
    status: 'success' as const,
    properties: null,
    ...times,
  }
  const encode = await createEncoder(ORDERS, registry)
  await log.append([{ topic: ORDERS, key: 'ada', value: encode(order) }])
  const [at] = await log.append([erasureRecord(ORDERS, erasure)])
  return { registry, log, at: at! }
}

it('is no row of the lake, and not what nobody can read', async () => {
  const { registry, log, at } = await world()
  const job = lakeJobs().find(({ table }) => table === RAW_TABLES[ORDERS])!
  const reader = job.reader({ registry, currency: 'TRY', now: () => NOW })
  await reader.prepare(log.records(at))
  expect(rowsOf(job.table, reader, at, log.records(at), NOW)).toMatchObject({ rows: 1, undecodable: 0 })
})

it('is not found where an event is looked for by what it says', async () => {
  const { registry, log } = await world()
  const { records } = await findRecords(
    { log, registry, currency: 'TRY', lake: null },
    { id: 'ada', topics: INPUT_TOPICS, atMs: null },
  )
  expect(records).toMatchObject([{ topic: ORDERS, offset: 0 }])
})

it('does not come of a dead letter, whatever headers it has', () => {
  const { value, headers } = erasureRecord(CLICKSTREAM, erasure)
  const letter = readDeadLetter(
    { topic: `dlq.${CLICKSTREAM}`, partition: 0 },
    { offset: 0, appendedAtMs: NOW, key: 'ada', value, headers: { ...headers, error_class: 'unknown_format' } },
  )
  expect(revivedHeaders(letter as never)).not.toHaveProperty(CONTROL_HEADER)
})
