/** The quarantine: groups that keep their names, pages that stay whole, and fixes that are tried first and then bring each letter back once. */
import { describe, expect, it } from 'vitest'
import { VALUE_SCHEMAS } from '../contract/avro.ts'
import { createEncoder } from '../contract/codec.ts'
import type { Order } from '../contract/events.ts'
import { partitionOf } from '../contract/partition.ts'
import { CLICKSTREAM, ORDERS, topicNamed } from '../contract/topics.ts'
import { createMemoryRegistry } from '../testing/memory-registry.ts'
import { createWorld, finish, SIM_START_MS, startProcess, type World, workOff } from '../testing/sim.ts'
import { BadFix } from './bad-fix.ts'
import { deadLetterRecord, placeOf } from './dead-letter.ts'
import { parseFix } from './fix.ts'
import { createQuarantine, type Quarantine, type ReplayAsked } from './quarantine.ts'

const DLQ = `dlq.${ORDERS}`
const ALL = { topics: [DLQ] }
const CURRENCY = 'TRY'
/** What a shop's old till writes: our orders under other names. */
const till = (no: number) =>
  JSON.stringify({ no: `t-${no}`, customer: { id: 'ada' }, sum: 12.5, at: new Date(SIM_START_MS).toISOString() })
const TILL_MAPPING = {
  topic: 'orders',
  currency: CURRENCY,
  columns: { order_id: 'no', user_id: 'customer.id', amount: 'sum', event_time: 'at', status: { const: 'success' } },
}
const order: Order = {
  order_id: 'o-1',
  user_id: 'ada',
  product_id: null,
  category: 'books',
  quantity: null,
  amount_minor: 1_000,
  currency: CURRENCY,
  region: null,
  status: 'success',
  event_time: SIM_START_MS,
  original_time: null,
  sent_at: null,
  received_at: SIM_START_MS,
  properties: null,
}
/** An order in a schema that no registry has: its id is nobody's. */
async function strayOrder(): Promise<Buffer> {
  const value = (await createEncoder(ORDERS, createMemoryRegistry()))(order)
  value.writeUInt32BE(700, 1)
  return value
}

async function worldWith(...values: (Buffer | string)[]): Promise<{ world: World; quarantine: Quarantine }> {
  const world: World = { ...(await createWorld(1, 0)), registry: createMemoryRegistry() }
  await world.log.append(values.map((value) => ({ topic: ORDERS, key: 'ada', value: Buffer.from(value) })))
  await runStreams(world, 'first')
  const quarantine = createQuarantine({
    log: world.log,
    registry: world.registry,
    clock: world.clock,
    currency: CURRENCY,
  })
  return { world, quarantine }
}

async function runStreams(world: World, name: string): Promise<void> {
  const process = startProcess(world, name, () => 'none', { group: 'streams' })
  await workOff(world, process)
  await world.clock.advance(2_000)
  expect(await finish(world, process)).toBe('stopped')
}

const orders = (world: World): number =>
  world.memory.rows('revenue_by_minute').reduce((sum, row) => sum + row.orders, 0)
const duplicates = (world: World): number =>
  world.memory.progress().reduce((sum, { outcomes }) => sum + outcomes.duplicate, 0)
const lengthOf = async (world: World, topic: string): Promise<number> =>
  (await world.log.bounds({ topic, partition: 0 })).next

/** The only group there is. */
async function onlyGroup(quarantine: Quarantine): Promise<string> {
  const { causes } = await quarantine.causes([DLQ])
  expect(causes).toHaveLength(1)
  return causes[0]!.id!
}
const whole = (group: string, over: Partial<ReplayAsked> = {}): ReplayAsked => ({
  which: { ...ALL, group },
  fix: null,
  dryRun: false,
  limit: 100,
  ...over,
})

describe('the letters of a group', () => {
  it('come in pages, the newest first, each once', async () => {
    const { quarantine } = await worldWith('one', till(1), 'two', 'three', till(2), 'four')
    const { causes, letters } = await quarantine.causes([DLQ])
    expect([letters, causes.map(({ letters }) => letters)]).toEqual([6, [4, 2]])
    const group = causes[0]!.id!
    const seen: string[] = []
    for (let before = null as Parameters<Quarantine['letters']>[1]['before']; ; ) {
      const page = await quarantine.letters({ ...ALL, group }, { limit: 3, before })
      seen.push(...page.map(({ letter }) => letter.id))
      if (page.length < 3) break
      before = placeOf(page.at(-1)!.letter)
    }
    expect(seen).toEqual([5, 3, 2, 0].map((offset) => `${DLQ}:0:${offset}`))
    expect(await quarantine.letters(ALL, { limit: 10, before: null })).toHaveLength(6)
  })

  it('tell their group, their bytes and their fault one by one', async () => {
    const { quarantine } = await worldWith(till(1))
    const group = await onlyGroup(quarantine)
    expect(await quarantine.letter(`${DLQ}:0:0`)).toMatchObject({
      group,
      replayed: false,
      letter: { reason: 'invalid_event' },
      value: { format: 'JSON', json: { no: 't-1' } },
    })
    expect(await quarantine.letter(`${DLQ}:0:9`)).toBeNull()
  })
})

describe('a fix', () => {
  it('that maps is tried without a trace, then brings each letter back once', async () => {
    const { world, quarantine } = await worldWith(till(1), till(2), till(3))
    const group = await onlyGroup(quarantine)
    const fix = { mapping: TILL_MAPPING }
    const lengths = () => Promise.all([lengthOf(world, DLQ), lengthOf(world, ORDERS)])
    const before = await lengths()
    // Without the fix nothing would go back.
    expect(await quarantine.replay(whole(group, { dryRun: true }))).toMatchObject({ replayed: 0, refused: 3 })
    const tried = await quarantine.replay(whole(group, { fix, dryRun: true }))
    expect(tried).toMatchObject({
      replayed: 3,
      refused: 0,
      more: false,
      examples: [
        { outcome: 'replayed', to: null, event: { order_id: 't-1', user_id: 'ada', amount_minor: 1_250 } },
        {},
        {},
      ],
    })
    expect(await lengths()).toEqual(before)

    expect(await quarantine.replay(whole(group, { fix, limit: 2 }))).toMatchObject({ replayed: 2, more: true })
    expect(await quarantine.replay(whole(group, { fix, limit: 2 }))).toMatchObject({
      replayed: 1,
      replayedBefore: 2,
      more: false,
    })
    expect(await quarantine.replay(whole(group, { fix }))).toMatchObject({ replayed: 0, replayedBefore: 3 })
    await runStreams(world, 'second')
    expect([orders(world), duplicates(world)]).toEqual([3, 0])
  })

  it('that is cut off before its notes are written brings back the same events: they count once', async () => {
    const { world, quarantine } = await worldWith(`{"customer":"ada","sum":3,"at":${SIM_START_MS}}`)
    const group = await onlyGroup(quarantine)
    // The row has no id of its own.
    const { order_id: _, ...columns } = TILL_MAPPING.columns
    const fix = { mapping: { ...TILL_MAPPING, columns: { ...columns, user_id: 'customer' } } }
    let appends = 0
    const dying: World['log'] = {
      ...world.log,
      append: (records) => (++appends === 2 ? Promise.reject(new Error('killed')) : world.log.append(records)),
    }
    const cutOff = createQuarantine({ log: dying, registry: world.registry, clock: world.clock, currency: CURRENCY })
    await expect(cutOff.replay(whole(group, { fix }))).rejects.toThrow('killed')
    expect(await quarantine.replay(whole(group, { fix }))).toMatchObject({ replayed: 1 })
    const partition = partitionOf('ada', topicNamed(ORDERS).partitions)
    const [, first, second] = world.log.records({ topic: ORDERS, partition })
    expect(second!.value).toEqual(first!.value)
  })

  it('by the schema that the values were written with re-encodes them, for readers that will never have it', async () => {
    const { world, quarantine } = await worldWith(await strayOrder())
    const group = await onlyGroup(quarantine)
    expect(await quarantine.replay(whole(group, { dryRun: true }))).toMatchObject({ refused: 1 })
    const fix = { schema: VALUE_SCHEMAS[ORDERS] }
    expect(await quarantine.replay(whole(group, { fix }))).toMatchObject({ replayed: 1 })
    await runStreams(world, 'second')
    expect(orders(world)).toBe(1)
  })

  it('by schema and mapping reads a record of another kind', async () => {
    const { world, quarantine } = await worldWith(await strayOrder())
    const group = await onlyGroup(quarantine)
    const mapping = {
      topic: ORDERS,
      columns: {
        order_id: 'order_id',
        user_id: 'user_id',
        amount: { column: 'amount_minor', unit: 'minor' },
        event_time: 'event_time',
        currency: { const: CURRENCY },
      },
      currency: CURRENCY,
    }
    const byMapping = await quarantine.replay(whole(group, { fix: { mapping }, dryRun: true }))
    expect(byMapping).toMatchObject({ refused: 1, examples: [{ reason: 'unknown_schema' }] })
    const fix = { schema: VALUE_SCHEMAS[ORDERS], mapping }
    expect(await quarantine.replay(whole(group, { fix }))).toMatchObject({
      replayed: 1,
      examples: [{ event: { order_id: 'o-1', amount_minor: 1_000 } }],
    })
    await runStreams(world, 'second')
    expect(orders(world)).toBe(1)
  })

  it('that does not fit says for each letter why', async () => {
    const { quarantine } = await worldWith('no json', till(1), await strayOrder())
    const ids = [0, 1, 2, 7].map((offset) => `${DLQ}:0:${offset}`)
    const fix = { schema: { type: 'record', name: 'Other', fields: [{ name: 'a', type: 'string' }] } }
    const { refused, missing, examples } = await quarantine.replay({ which: { ids }, fix, dryRun: true, limit: 10 })
    expect([refused, missing]).toEqual([3, [`${DLQ}:0:7`]])
    expect(examples.map((example) => 'reason' in example && example.reason)).toEqual([
      'unknown_format',
      'unknown_format',
      'unknown_schema',
    ])
  })

  it.each([
    [{}, /names a schema, a mapping, or both/],
    [{ schema: { type: 'nothing' } }, /^schema: not an Avro schema: /],
    [{ mapping: 'nobody’s' }, /^mapping: "nobody’s" is none of /],
    [{ mapping: { topic: 'orders', columns: {} } }, /user_id: needed/],
  ])('that can not be meant is a sentence: %j', (spec, sentence) => {
    expect(() => parseFix(spec)).toThrow(BadFix)
    expect(() => parseFix(spec)).toThrow(sentence)
  })
})

it.each([null, { mapping: TILL_MAPPING }])(
  'a change of a followed table does not go back, and the remedy is told: fix %j',
  async (fix) => {
    const { world, quarantine } = await worldWith()
    const at = { topic: 'cdc.public.products', partition: 0 }
    const died = { offset: 7, key: '{"id":1}', value: Buffer.from(till(1)), appendedAtMs: SIM_START_MS }
    await world.log.append([deadLetterRecord(at, died, { reason: 'unknown_format', message: 'no envelope' })])
    const asked = { which: { ids: ['dlq.cdc.public.products:0:0'] }, fix, dryRun: false, limit: 10 }
    expect(await quarantine.replay(asked)).toMatchObject({
      replayed: 0,
      refused: 1,
      examples: [{ message: expect.stringContaining('streamforge cdc resnapshot') }],
    })
  },
)

it('is asked for its topics only', async () => {
  const { quarantine } = await worldWith('one')
  expect(await quarantine.causes([`dlq.${CLICKSTREAM}`])).toMatchObject({ letters: 0, causes: [] })
})
