/**
 * How much memory the state of a million live users takes: each has an open session and features from three clicks, a tenth an order as well.
 * All jobs, the real runtime and stores; the log is loaded by another process.
 */
import { createEncoder } from '../streams/contract/codec.ts'
import type { ClickstreamEvent, Order } from '../streams/contract/events.ts'
import { CLICKSTREAM, ORDERS } from '../streams/contract/topics.ts'
import type { NewRecord } from '../streams/log/event-log.ts'
import { startPart } from './child.ts'
import { createMemoryLimit } from './memory-limit.ts'
import type { MemoryFigures } from './memory-process.ts'
import { type Benchmark, number } from './report.ts'
import { openLog, type Places, startDatabase, withFolder } from './stores.ts'

const CLICKS_PER_USER = 3
const USERS_PER_ORDER = 10
/** All within one session gap, so that every session is still open at the end. */
const SPAN_MS = 25 * 60_000
const START_MS = Date.UTC(2026, 0, 1)
/** Prime to any number of users that is used here: users come in no order that helps. */
const STEP = 387_420_489
const APPEND_RECORDS = 10_000

export const memory: Benchmark = {
  name: 'memory',
  options: {
    users: { type: 'string', default: '1000000' },
    /** Megabytes that the measured process is held to, as in a container; 0 for no limit. */
    limit: { type: 'string', default: '0' },
    /** Passed to the measured process, e.g. `--max-semi-space-size=16`. */
    node: { type: 'string' },
  },
  async run(options, show) {
    const users = Number(options.users)
    await withFolder(async (folder) => {
      const server = await startDatabase(folder)
      try {
        await loadUsers(folder, users)
        const settings: Places = { logFolder: folder, folder, postgresUrl: server.url }
        const limit = Number(options.limit) > 0 ? createMemoryLimit(Number(options.limit)) : undefined
        const part = startPart<MemoryFigures>(
          new URL('./memory-process.ts', import.meta.url),
          settings,
          options.node ? [String(options.node)] : [],
          limit,
        )
        const f = await part.next().catch((error: unknown) => {
          const why = limit
            ? ` The limit of ${options.limit} MB was too little for it, perhaps: peak ${limit.peakMiB()} MiB.`
            : ''
          throw new Error(`${(error as Error).message}${why}`)
        })
        await part.end()
        const held = limit
          ? `held to ${options.limit} MB with all its file pages (peak ${limit.peakMiB()} MiB)`
          : 'no limit set'
        limit?.remove()
        const expected = users * CLICKS_PER_USER + Math.ceil(users / USERS_PER_ORDER)
        if (f.events !== expected) throw new Error(`${f.events} events were read, not ${expected}.`)
        show({
          benchmark: `memory, state of ${number(users)} live users, all jobs`,
          target: '< 700 MB resident',
          result: `**${number(f.rssMiB)} MiB resident**, ${number(f.ownMiB)} MiB of it the process's own`,
          details: [
            held,
            `the rest is mapped pages of log and features`,
            `heap ${number(f.heapMiB)} MiB, buffers ${number(f.buffersMiB)} MiB`,
            `peak while catching up ${number(f.peakMiB)} MiB, ${number(f.ownPeakMiB)} MiB of it the process's own`,
            `${number(f.events)} events in ${f.seconds.toFixed(0)} s, ${((f.cpuSeconds / f.events) * 1e6).toFixed(1)} CPU s/M`,
          ],
        })
      } finally {
        await server.stop()
      }
    })
  },
}

async function loadUsers(folder: string, users: number): Promise<void> {
  const { log, registry } = await openLog(folder)
  const click = await createEncoder(CLICKSTREAM, registry)
  const order = await createEncoder(ORDERS, registry)
  const events = users * CLICKS_PER_USER
  let records: NewRecord[] = []
  for (let i = 0; i < events; i++) {
    const n = Number((BigInt(i) * BigInt(STEP)) % BigInt(users))
    const user = `user-${n.toString(36).padStart(7, '0')}`
    const time = START_MS + Math.floor((i / events) * SPAN_MS)
    records.push({ topic: CLICKSTREAM, key: user, value: click(clickOf(user, i, time)) })
    if (i < users && n % USERS_PER_ORDER === 0) {
      records.push({ topic: ORDERS, key: user, value: order(orderOf(user, i, time)) })
    }
    if (records.length < APPEND_RECORDS) continue
    await log.append(records)
    records = []
  }
  await log.append(records)
  await log.close()
  await registry.close()
}

const idOf = (i: number): string => `00000000-0000-4000-a000-${i.toString(16).padStart(12, '0')}`
const times = (time: number) => ({ event_time: time, original_time: time, sent_at: null, received_at: time })

const clickOf = (user: string, i: number, time: number): ClickstreamEvent => ({
  ...times(time),
  event_id: idOf(i),
  event_type: i % 3 === 0 ? 'product_view' : 'page_view',
  user_id: user,
  anonymous_id: null,
  session_id: null,
  page_url: `/shop/c${i % 12}/p${i % 5000}`,
  referrer: null,
  product_id: i % 3 === 0 ? `p${i % 5000}` : null,
  category: null,
  order_id: null,
  revenue_minor: null,
  currency: null,
  region: 'EU-West',
  device: 'mobile',
  properties: null,
  bot: null,
})

const orderOf = (user: string, i: number, time: number): Order => ({
  ...times(time),
  order_id: idOf(i),
  user_id: user,
  product_id: `p${i % 5000}`,
  category: `c${i % 12}`,
  quantity: 1,
  amount_minor: 1_000 + (i % 100_000),
  currency: 'TRY',
  region: 'EU-West',
  status: 'success',
  properties: null,
})
