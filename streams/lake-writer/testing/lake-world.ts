/**
 * A log in memory, a lake in a folder and writers over both, for tests of the lake-writer. Lives end and begin again on the same log and lake; stores can be made to fail
 * at any step. The judge is the log itself: every record that it holds must be in the table once.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { randomIds } from '../../../db/lake/commit/lake.ts'
import { type Lake, loadTable, openLake, openLakeFiles, type Row, tableName } from '../../../db/lake/index.ts'
import { allRows, createMemoryCatalog, type TestCatalog } from '../../../db/lake/testing/temporary-lake.ts'
import { openFolderObjects } from '../../../db/objects/folder.ts'
import type { BulkObjectStore } from '../../../db/objects/object-store.ts'
import { createEncoder, type SchemaRegistry } from '../../contract/codec.ts'
import type { Order } from '../../contract/events.ts'
import { ORDERS } from '../../contract/topics.ts'
import { type EventLog, partitionKey } from '../../log/event-log.ts'
import { createMemoryLog, type MemoryLog } from '../../testing/memory-log.ts'
import { createMemoryRegistry } from '../../testing/memory-registry.ts'
import { systemClock } from '../../time/clock.ts'
import { createLakeWriter, type LakeWriter } from '../lake-writer.ts'
import type { LakeObserver } from '../observer.ts'
import { nextOffsets } from '../offsets.ts'
import { lakeJobs, type TableJob } from '../tables.ts'

/** When a store's call is made to fail: `before` it is done, or `after`, when only the answer is lost. */
export interface Fault {
  /** The n-th call, from 1. */
  step: number
  when: 'before' | 'after'
  /** `dies`: all calls from then on fail, as for a process that was killed; `stumbles`: this one alone. */
  how: 'dies' | 'stumbles'
}

export interface Life {
  readonly writer: LakeWriter
  readonly running: Promise<void>
  /** Calls of stores so far. */
  readonly steps: number
  /** Whether the fault has struck. */
  readonly struck: boolean
}

export interface World {
  readonly log: MemoryLog
  readonly registry: SchemaRegistry
  readonly catalog: TestCatalog
  readonly lake: Lake
  append(orders: readonly Partial<Order>[]): Promise<void>
  begin(options?: {
    fault?: Fault
    jobs?: readonly TableJob[]
    observer?: LakeObserver
    commitMs?: number
    commitBytes?: number
    log?: EventLog
  }): Life
  rows(table: string): Promise<Row[]>
}

export const ORDERS_ONLY = lakeJobs().filter(({ table }) => table.name === 'raw.orders')

/** Call at the top of a test file. @returns a function that makes a new world */
export function lakeWorlds(): (options?: { maxBatchRecords?: number; identity?: string }) => Promise<World> {
  const folders: string[] = []
  const lives: LakeWriter[] = []
  afterAll(async () => {
    await Promise.all(lives.map((writer) => writer.stop(0)))
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
  })
  return async ({ maxBatchRecords = 2_000, identity } = {}) => {
    const folder = await mkdtemp(join(tmpdir(), 'streamforge-lake-'))
    folders.push(folder)
    const log = createMemoryLog({ clock: systemClock, maxBatchRecords, ...(identity && { identity }) })
    const registry = createMemoryRegistry()
    const catalog = createMemoryCatalog()
    const objects = await openFolderObjects(folder)
    const open = (gate: Gate): Lake =>
      openLake(gated(catalog, gate), openLakeFiles(gated<BulkObjectStore>(objects, gate)), {
        // No waiting between attempts.
        ids: { ...randomIds, jitter: () => 0 },
      })
    const lake = open(new Gate())
    const encode = await createEncoder(ORDERS, registry)
    let made = 0
    return {
      log,
      registry,
      catalog,
      lake,
      async append(orders) {
        await log.append(
          orders.map((given) => {
            const order = orderOf(++made, given)
            return { topic: ORDERS, key: order.user_id, value: encode(order) }
          }),
        )
      },
      begin({ fault, jobs = ORDERS_ONLY, observer = {}, commitMs = 20, commitBytes = 1_000_000, log: own = log } = {}) {
        const gate = new Gate(fault)
        const settings = { commitMs, commitBytes, writer: { memoryMb: 128, threads: 1, parent: folder } }
        const deps = { log: own, registry, clock: systemClock, currency: 'TRY', settings, observer }
        const writer = createLakeWriter({ ...deps, lake: open(gate) }, jobs)
        lives.push(writer)
        const running = writer.run()
        return {
          writer,
          running,
          get steps() {
            return gate.steps
          },
          get struck() {
            return gate.struck
          },
        }
      },
      rows: (table) => allRows(lake, tableName(table)).catch(() => []),
    }
  }
}

const START_MS = Date.parse('2026-03-01T22:00:00Z')

export const orderOf = (n: number, given: Partial<Order> = {}): Order => ({
  order_id: `o-${n}`,
  user_id: `user-${n % 7}`,
  status: 'success',
  amount_minor: 100 * n,
  currency: 'TRY',
  event_time: START_MS + n * 600_000,
  original_time: null,
  sent_at: null,
  received_at: START_MS + n * 600_000,
  product_id: `p-${n % 3}`,
  category: null,
  quantity: n,
  region: 'izmir',
  properties: null,
  ...given,
})

class Gate {
  readonly #fault: Fault | undefined
  #dead = false
  steps = 0
  struck = false

  constructor(fault?: Fault) {
    this.#fault = fault
  }

  #strike(): never {
    this.struck = true
    this.#dead = this.#fault?.how === 'dies'
    throw new Error(`The store failed at step ${this.#fault?.step}.`)
  }

  async pass(call: () => unknown): Promise<unknown> {
    if (this.#dead) throw new Error('The store is gone.')
    const isIt = ++this.steps === this.#fault?.step
    if (isIt && this.#fault?.when === 'before') this.#strike()
    const result = await call()
    if (this.#dead) throw new Error('The store is gone.')
    if (isIt) this.#strike()
    return result
  }
}

/** The same, each call through the gate. */
const gated = <T extends object>(target: T, gate: Gate): T =>
  new Proxy(target, {
    get(_, key) {
      const member: unknown = Reflect.get(target, key)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => gate.pass(() => Reflect.apply(member, target, args))
    },
  })

/** What the log holds of a topic, as `partition:offset`, sorted. */
export async function recordsOf(log: EventLog, topic: string): Promise<string[]> {
  const found: string[] = []
  for (let partition = 0; partition < (await log.partitionCount(topic)); partition++) {
    const { earliest, next } = await log.bounds({ topic, partition })
    for (let offset = earliest; offset < next; offset++) found.push(`${partition}:${offset}`)
  }
  return found.sort()
}

/** The rows of a table in the same form. */
export const positionsOf = (rows: readonly Row[]): string[] =>
  rows.map((row) => `${row.log_partition}:${row.log_offset}`).sort()

/** Whether the table says that it has all that the topic holds. */
export async function isComplete({ lake, log }: World, table: string, topic: string): Promise<boolean> {
  const { metadata } = await loadTable(lake, tableName(table)).catch(() => ({ metadata: null }))
  const next = metadata ? nextOffsets(metadata, table, await log.identity()) : {}
  for (let partition = 0; partition < (await log.partitionCount(topic)); partition++) {
    const { earliest, next: end } = await log.bounds({ topic, partition })
    if (end > earliest && next[partitionKey({ topic, partition })] !== end) return false
  }
  return true
}
