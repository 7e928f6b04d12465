/**
 * The seeded simulation: the real runtime over memory stores, under a virtual clock, while processes are killed, stores fail, calls hang and
 * zombies come back. At the end its tables must equal those of an undisturbed run, byte for byte, and the oracle's truth.
 *
 * A run is a function of its seed. A failing seed is a complete bug report: `SIM_SEED=<n> npx vitest run --project unit streams/testing/sim.test.ts`.
 */
import { createMemoryFeatures } from '../../db/testing/memory-features.ts'
import { createMemoryObjects } from '../../db/testing/memory-objects.ts'
import { createMemoryResults, type MemoryResults } from '../../db/testing/memory-results.ts'
import { createDecoder, type SchemaRegistry, Undecodable } from '../contract/codec.ts'
import { isControl, readErasure } from '../contract/erasure.ts'
import type { EventOf } from '../contract/events.ts'
import { ALERTS, CLICKSTREAM, INPUT_TOPICS, type InputTopic, ORDERS, TRIPS, topicNamed } from '../contract/topics.ts'
import type { NewRecord } from '../log/event-log.ts'
import { Fenced } from '../runtime/ports.ts'
import { type RuntimeSettings, StreamRuntime } from '../runtime/runtime.ts'
import type { RuntimeTracer } from '../runtime/tracer.ts'
import { TOPOLOGY } from '../topology.ts'
import { type Fault, type FaultyProcess, faultyProcess, type Stores } from './faults.ts'
import { createMemoryLog, type MemoryLog } from './memory-log.ts'
import { createMemoryRegistry } from './memory-registry.ts'
import { addClicks, addOrders, addTrips, emptyResults, type OracleRecord, type OracleResults } from './oracle.ts'
import { createRandom, type Random } from './random.ts'
import { VirtualClock } from './virtual-clock.ts'
import { createWorkload, withErasures } from './workload.ts'

export const SIM_START_MS = Date.UTC(2026, 0, 15, 12)

/** A world without processes: the stores, a clock, and what will be appended. */
export interface World {
  clock: VirtualClock
  log: MemoryLog
  memory: MemoryResults
  stores: Stores
  registry: SchemaRegistry
  workload: NewRecord[]
  /** Of its processes. */
  tracer?: RuntimeTracer
}

export async function createWorld(seed: number, size: number, maxBatchRecords = 2_000): Promise<World> {
  const random = createRandom(seed)
  const clock = new VirtualClock(SIM_START_MS)
  const registry = createMemoryRegistry()
  const log = createMemoryLog({ clock, maxBatchRecords })
  const memory = createMemoryResults(clock)
  const stores: Stores = {
    log,
    results: memory.results,
    manifests: memory.manifests,
    features: createMemoryFeatures(),
    objects: createMemoryObjects(),
  }
  return { clock, log, memory, stores, registry, workload: await createWorkload(random, registry, size, SIM_START_MS) }
}

/** A world in which some ask to be forgotten. */
export async function createWorldOfPersons(seed: number, size: number, maxBatchRecords?: number): Promise<World> {
  const world = await createWorld(seed, size, maxBatchRecords)
  return { ...world, workload: withErasures(createRandom(seed ^ 0xe5a5e), world.workload) }
}

/** A process: a runtime with stores of its own to fail. */
export interface SimProcess extends FaultyProcess {
  readonly runtime: StreamRuntime
  /** Resolves when it has ended by itself: stopped, or fenced. */
  readonly ended: Promise<'stopped' | 'fenced'>
  readonly hasEnded: boolean
}

export function startProcess(
  world: World,
  name: string,
  plan: (call: string, index: number) => Fault,
  settings: Partial<RuntimeSettings> = {},
): SimProcess {
  const faulty = faultyProcess(world.stores, world.clock, plan)
  const runtime = new StreamRuntime(
    { ...faulty.stores, registry: world.registry, topology: TOPOLOGY, clock: world.clock, tracer: world.tracer },
    { owner: name, group: name, ...settings },
  )
  let hasEnded = false
  const ended = runtime.run().then(
    () => 'stopped' as const,
    (error: unknown) => {
      if (error instanceof Fenced) return 'fenced' as const
      throw error
    },
  )
  // A planned fault must not become an unhandled rejection before the test awaits `ended`.
  ended.then(
    () => {
      hasEnded = true
    },
    () => {
      hasEnded = true
    },
  )
  return Object.defineProperties(
    {},
    {
      runtime: { value: runtime },
      ended: { value: ended },
      hasEnded: { get: () => hasEnded },
      dead: { get: () => faulty.dead },
      calls: { get: () => faulty.calls },
      kill: { value: faulty.kill },
      stores: { value: faulty.stores },
    },
  ) as SimProcess
}

export interface SimReport {
  tables: string
  /** Ids of what was announced on alerts.fraud, sorted. */
  alerts: string[]
  features: string
  oracle: OracleResults
  memory: MemoryResults
  crashes: number
  zombies: number
}

/** Appends everything at once, lets one undisturbed process work it off: what every disturbed run must end with. */
export async function runUndisturbed(seed: number, size: number): Promise<SimReport> {
  const world = await createWorldOfPersons(seed, size)
  await fillLog(world, seed)
  const process = startProcess(world, 'only', () => 'none')
  await workOff(world, process)
  await finish(world, process)
  return report(world, 0, 0)
}

/** Appends in random pieces while processes die, hang and come back. */
export async function runDisturbed(seed: number, size: number): Promise<SimReport> {
  const world = await createWorldOfPersons(seed, size)
  const random = createRandom(seed ^ 0x5eed)
  // The append times must be those of the undisturbed run: the watermark depends on them, and both must read the same log.
  await fillLog(world, seed)
  let crashes = 0
  let zombies = 0
  let generation = 0
  const alive: SimProcess[] = []
  const plan = (): Fault => planned(random)
  const settings = (): Partial<RuntimeSettings> => ({
    flushLiveMs: random.pick([10, 50, 400]),
    flushBacklogMs: random.pick([20, 1_000]),
    flushBacklogEvents: random.pick([3, 50, 50_000]),
    checkpointMs: random.pick([50, 500, 5_000]),
    liveLagRecords: random.pick([0, 20, 2_000]),
    rowsPerFlush: random.pick([1, 7, 20_000]),
    // Nearly everything packed, or nothing. Not drawn: it must not change what else happens.
    hotEntries: generation % 3 === 0 ? 16_384 : 1,
  })
  const start = (): SimProcess => {
    const process = startProcess(world, `p${generation++}`, plan, settings())
    process.ended.catch(() => undefined)
    alive.push(process)
    return process
  }
  let current = start()
  for (let step = 0; step < 30; step++) {
    await world.clock.advance(random.int(400))
    const dies = random.chance(0.15)
    const isLeftBehind = random.chance(0.15)
    if (dies) current.kill()
    if (current.dead) crashes++
    // Not dead and not ended: the old one is left running, a zombie that must be fenced, and until then must do no harm.
    else if (isLeftBehind && !current.hasEnded) zombies++
    else if (!current.hasEnded) continue
    current = start()
  }
  // A process that was held up before it took the partitions may still take them from its successor: then that one is started again, as a supervisor would.
  for (let attempt = 0; ; attempt++) {
    const last = startProcess(world, `last${attempt}`, () => 'none', settings())
    await workOff(world, last)
    if ((await finish(world, last)) === 'stopped') break
    if (attempt === 20) throw new Error('the last process was fenced again and again')
  }
  for (const process of alive) process.kill()
  return report(world, crashes, zombies)
}

function planned(random: Random): Fault {
  if (random.chance(0.02)) return random.pick(['crash-before', 'crash-after'] as const)
  if (random.chance(0.05)) return random.pick(['fail-before', 'fail-after'] as const)
  if (random.chance(0.05)) return { pauseMs: random.int(3_000) }
  return 'none'
}

/** Appends the workload with the clock moving as its events do, so that append times are realistic. */
export async function fillLog(world: World, seed: number): Promise<void> {
  const random = createRandom(seed + 1)
  for (let i = 0; i < world.workload.length; ) {
    const n = 1 + random.int(20)
    await world.log.append(world.workload.slice(i, i + n))
    i += n
    await world.clock.advance(random.int(5 * 60_000))
  }
}

/** Lets time pass until the process has read everything, or has ended. */
export async function workOff(world: World, process: SimProcess): Promise<void> {
  const inputs = INPUT_TOPICS.flatMap((topic) =>
    Array.from({ length: topicNamed(topic).partitions }, (_, partition) => ({ topic, partition })),
  )
  const isDone = (): boolean =>
    inputs.every((at) => {
      const running = process.runtime.tasks.find(
        ({ task }) => task.topic === at.topic && task.partition === at.partition,
      )
      return running?.task.nextOffset === world.log.records(at).length
    })
  for (let i = 0; i < 1_000 && !process.hasEnded && !process.dead && !isDone(); i++) await world.clock.advance(100)
}

/** Stops a process in peace, unless it dies on the way. */
export async function finish(world: World, process: SimProcess): Promise<'stopped' | 'fenced' | 'died'> {
  void process.runtime.stop()
  for (let i = 0; i < 1_000 && !process.hasEnded && !process.dead; i++) await world.clock.advance(100)
  return process.dead ? 'died' : process.ended
}

export async function report(world: World, crashes: number, zombies: number): Promise<SimReport> {
  const users = ['ada', 'ben', 'cem', 'dua', 'eda', 'fay', 'gül', '李'].flatMap((u) => [u, `anonymous-${u}`])
  const features = await Promise.all(users.map(async (u) => [u, await world.stores.features.read(u)]))
  const announced = world.log.records({ topic: ALERTS, partition: 0 }).map((r) => r.headers?.id ?? 'no id')
  return {
    tables: JSON.stringify(world.memory.tables(), null, 1),
    alerts: [...new Set(announced)].sort(),
    features: JSON.stringify(features),
    oracle: await judge(world),
    memory: world.memory,
    crashes,
    zombies,
  }
}

/** The oracle's answer for what lies in the world's log. */
async function judge(world: World): Promise<OracleResults> {
  const results = emptyResults()
  for (const topic of INPUT_TOPICS) {
    for (let partition = 0; partition < topicNamed(topic).partitions; partition++) {
      const records = await decodeAll(world, topic, partition)
      if (topic === CLICKSTREAM) addClicks(results, partition, records as OracleRecord<EventOf[typeof CLICKSTREAM]>[])
      if (topic === ORDERS) addOrders(results, partition, records as OracleRecord<EventOf[typeof ORDERS]>[])
      if (topic === TRIPS) addTrips(results, partition, records as OracleRecord<EventOf[typeof TRIPS]>[])
    }
  }
  return results
}

async function decodeAll<T extends InputTopic>(
  world: World,
  topic: T,
  partition: number,
): Promise<OracleRecord<EventOf[T]>[]> {
  const records = world.log.records({ topic, partition })
  const decoder = createDecoder(topic, world.registry, 'TRY')
  await decoder.prepare(records)
  return records.map((record) => {
    let event: EventOf[T] | null = null
    if (isControl(record)) return { partition, ...record, event, erased: readErasure(record).subject_id }
    try {
      event = decoder.decode(record.value, { ...record, partition })
    } catch (error) {
      if (!(error instanceof Undecodable)) throw error
    }
    return { partition, offset: record.offset, appendedAtMs: record.appendedAtMs, event }
  })
}
