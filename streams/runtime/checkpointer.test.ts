/** Checkpoints of a task: what is saved is what comes back; what is damaged, lost or taken over costs time, never truth. */
import { describe, expect, it } from 'vitest'
import { createMemoryObjects, type MemoryObjects } from '../../db/testing/memory-objects.ts'
import { createMemoryResults } from '../../db/testing/memory-results.ts'
import { avroType } from '../contract/avro.ts'
import { createDecoder } from '../contract/codec.ts'
import { type InputTopic, ORDERS } from '../contract/topics.ts'
import type { Job } from '../jobs/job.ts'
import { revenue } from '../jobs/revenue.ts'
import { userFeatures } from '../jobs/user-features.ts'
import { EncodedValue } from '../operators/operator.ts'
import { createMemoryRegistry } from '../testing/memory-registry.ts'
import { quiescence, VirtualClock } from '../testing/virtual-clock.ts'
import { Checkpointer } from './checkpointer.ts'
import { Fenced } from './ports.ts'
import { Task } from './task.ts'

const TOPIC: InputTopic = ORDERS
const AT = { topic: TOPIC, partition: 0 }
const START = Date.UTC(2026, 0, 15, 12)

function setUp({ topology = [revenue, userFeatures] as readonly Job[] } = {}) {
  const { manifests } = createMemoryResults()
  const objects: MemoryObjects = createMemoryObjects()
  const clock = new VirtualClock(START)
  const stores = { objects, manifests, clock }
  const registry = createMemoryRegistry()
  const create = (jobs = topology): Task =>
    new Task<InputTopic>({
      topology: jobs,
      ...AT,
      decoder: createDecoder(TOPIC, registry, 'TRY'),
      encodeAlert: () => Buffer.alloc(0),
      hotEntries: 4,
    })
  /** Order number n, at offset n: one per second, from one of ten users, number 50 from somebody who never comes again. */
  const order = (n: number) => {
    const user = n === 50 ? 'once' : `user-${n % 10}`
    const value = { order_id: `o${n}`, user_id: user, amount: 10, event_time: START + n * 1_000 }
    return { offset: n, appendedAtMs: START + n * 1_000, key: user, value: Buffer.from(JSON.stringify(value)) }
  }
  /** Processes the orders from where the task is up to, and without, number `to`. */
  const work = (task: Task, to: number): void => {
    for (let n = task.nextOffset; n < to; n++) task.process([order(n)])
    task.drain('everything', Number.MAX_SAFE_INTEGER)
  }
  const open = () => Checkpointer.open(stores, AT, 'test')
  /** What a task that read everything up to `to` in one go holds. */
  const truth = (to: number): string => {
    const task = create()
    work(task, to)
    return stateOf(task)
  }
  return { stores, objects, manifests, clock, create, work, open, truth }
}

/** A task's whole state as text: entries sorted, whatever way they came. How ids are cut into chunks depends on the saves, so they count one by one. */
function stateOf(task: Task): string {
  const sections = task.state.map((section) => {
    const type = avroType(section.schema)
    const entries = [...section.changes(true).upserts].flatMap(([name, saved]) => {
      const key = Buffer.from(name).toString()
      const bytes = saved instanceof EncodedValue ? Buffer.from(saved.bytes) : type.toBuffer(saved)
      const value: unknown = type.fromBuffer(bytes)
      const { generationMs, words } = value as { generationMs: number; words?: Buffer }
      if (section.name !== 'recent-ids' || key === 'current' || !words) return [JSON.stringify([key, value])]
      return Array.from(
        { length: words.length / 16 },
        (_, i) => `${generationMs} ${words.toString('hex', i * 16, i * 16 + 16)}`,
      )
    })
    return [section.name, entries.sort()]
  })
  return JSON.stringify([task.nextOffset, sections])
}

describe('a checkpoint', () => {
  it('does not exist at first: the task begins where the log begins', async () => {
    const s = setUp()
    const { task, report } = await (await s.open()).restore(s.create)
    expect(report).toEqual({ nextOffset: null, fallbacks: [] })
    expect(task.nextOffset).toBe(0)
  })

  it('that is to forget what was before it is the only one that stays, also where the first attempt fails', async () => {
    const s = setUp()
    const checkpointer = await s.open()
    const task = s.create()
    for (const to of [10, 20, 30]) {
      s.work(task, to)
      await checkpointer.save(checkpointer.snapshot(task))
    }
    s.work(task, 40)
    checkpointer.forgetOlder()
    const put = s.objects.put
    s.stores.objects.put = () => Promise.reject(new Error('away'))
    await expect(checkpointer.save(checkpointer.snapshot(task))).rejects.toThrow('away')
    s.stores.objects.put = put
    expect(await s.manifests.manifests(AT)).toHaveLength(3)
    s.work(task, 50)
    await checkpointer.save(checkpointer.snapshot(task))
    const [only, ...others] = await s.manifests.manifests(AT)
    expect(others).toEqual([])
    expect(only?.nextOffset).toBe(50)
    expect(await s.objects.list('')).toEqual(only?.files)
    // And goes on as ever.
    s.work(task, 60)
    await checkpointer.save(checkpointer.snapshot(task))
    const again = await (await s.open()).restore(s.create)
    expect(stateOf(again.task)).toBe(s.truth(60))
  })

  it('leaves nothing of a merge that was under way when older ones were to be forgotten', async () => {
    const s = setUp()
    const checkpointer = await s.open()
    const task = s.create()
    // As many deltas as make a merge worth while.
    for (let to = 1; to <= 25; to++) {
      s.work(task, to)
      await checkpointer.save(checkpointer.snapshot(task))
    }
    s.work(task, 30)
    checkpointer.forgetOlder()
    const saving = checkpointer.save(checkpointer.snapshot(task))
    for (let i = 0; i < 50; i++) await s.clock.advance(10)
    await saving
    const [only] = await s.manifests.manifests(AT)
    expect(await s.objects.list('')).toEqual(only?.files)
  })

  it('brings a fresh task to where the old one was, by a base and deltas', async () => {
    const s = setUp()
    const checkpointer = await s.open()
    const task = s.create()
    for (let to = 10; to <= 100; to += 10) {
      s.work(task, to)
      await checkpointer.save(checkpointer.snapshot(task))
    }
    expect((await s.manifests.manifests(AT))[0]).toMatchObject({ nextOffset: 100 })
    const next = await (await s.open()).restore(s.create)
    expect(next.report).toEqual({ nextOffset: 100, fallbacks: [] })
    expect(stateOf(next.task)).toBe(s.truth(100))
    s.work(next.task, 300)
    expect(stateOf(next.task)).toBe(s.truth(300))
  })

  it('is a cut: what is processed while it is being written is not in it', async () => {
    const s = setUp()
    const checkpointer = await s.open()
    const task = s.create()
    s.work(task, 50)
    const snapshot = checkpointer.snapshot(task)
    s.work(task, 60)
    await checkpointer.save(snapshot)
    const next = await (await s.open()).restore(s.create)
    expect(stateOf(next.task)).toBe(s.truth(50))
  })

  it('after a restore goes on with deltas to the files there are', async () => {
    const s = setUp()
    const first = await s.open()
    const task = s.create()
    s.work(task, 50)
    await first.save(first.snapshot(task))
    const second = await s.open()
    const { task: again } = await second.restore(s.create)
    s.work(again, 60)
    const snapshot = second.snapshot(again)
    expect(snapshot.isBase).toBe(false)
    await second.save(snapshot)
    expect((await s.manifests.manifests(AT))[0]?.files).toHaveLength(2)
  })

  it('is a base again when a job is gone: its state must not come back with a later job of that name', async () => {
    const s = setUp()
    const first = await s.open()
    const task = s.create()
    s.work(task, 50)
    await first.save(first.snapshot(task))
    const second = await s.open()
    const { task: smaller } = await second.restore(() => s.create([revenue]))
    s.work(smaller, 60)
    const snapshot = second.snapshot(smaller)
    expect(snapshot.isBase).toBe(true)
    await second.save(snapshot)
    expect(snapshot.body.includes('user-features')).toBe(false)
  })
})

describe('a checkpoint that is not whole', () => {
  async function threeManifests() {
    const s = setUp()
    const checkpointer = await s.open()
    const task = s.create()
    for (const to of [10, 20, 30]) {
      s.work(task, to)
      await checkpointer.save(checkpointer.snapshot(task))
    }
    const [newest, before, oldest] = (await s.manifests.manifests(AT)).map((m) => m.files.at(-1) as string)
    return { ...s, newest: newest!, before: before!, oldest: oldest! }
  }

  it('is passed over for the one before, and says why', async () => {
    const s = await threeManifests()
    s.objects.objects.delete(s.newest)
    const { task, report } = await (await s.open()).restore(s.create)
    expect(report.nextOffset).toBe(20)
    expect(report.fallbacks).toEqual([`checkpoint at offset 30: ${s.newest} is missing`])
    s.work(task, 30)
    expect(stateOf(task)).toBe(s.truth(30))
  })

  it('is passed over when it was cut short or changed', async () => {
    const s = await threeManifests()
    s.objects.objects.set(s.newest, s.objects.objects.get(s.newest)!.subarray(0, 40))
    s.objects.objects.get(s.before)![50]! ^= 1
    const { report } = await (await s.open()).restore(s.create)
    expect(report.nextOffset).toBe(10)
    expect(report.fallbacks).toHaveLength(2)
  })

  it('leaves the start of the log when none is whole: never a silent skip', async () => {
    const s = await threeManifests()
    s.objects.objects.clear()
    const { task, report } = await (await s.open()).restore(s.create)
    expect(report.nextOffset).toBe(0)
    expect(report.fallbacks).toHaveLength(3)
    expect(task.nextOffset).toBe(0)
  })

  it('is not chosen again once a new one was saved over the one before', async () => {
    const s = await threeManifests()
    s.objects.objects.delete(s.newest)
    const second = await s.open()
    const { task } = await second.restore(s.create)
    s.work(task, 25)
    await second.save(second.snapshot(task))
    const { task: third, report } = await (await s.open()).restore(s.create)
    expect(report).toEqual({ nextOffset: 25, fallbacks: [] })
    expect(stateOf(third)).toBe(s.truth(25))
  })

  it('but a store that does not answer is no damage: the restore fails, to be tried again', async () => {
    const s = await threeManifests()
    const failing = { ...s.objects, get: () => Promise.reject(new Error('no answer')) }
    const checkpointer = await Checkpointer.open({ ...s.stores, objects: failing }, AT, 'test')
    await expect(checkpointer.restore(s.create)).rejects.toThrow('no answer')
  })
})

describe('a save', () => {
  it('that failed is made good by a base, since its changes are in no file', async () => {
    const s = setUp()
    let fails = false
    const objects = {
      ...s.objects,
      put: (k: string, b: Uint8Array) => (fails ? Promise.reject(new Error('full')) : s.objects.put(k, b)),
    }
    const checkpointer = await Checkpointer.open({ ...s.stores, objects }, AT, 'test')
    const task = s.create()
    s.work(task, 10)
    await checkpointer.save(checkpointer.snapshot(task))
    s.work(task, 20)
    fails = true
    await expect(checkpointer.save(checkpointer.snapshot(task))).rejects.toThrow('full')
    expect(checkpointer.savedOffset).toBe(10)
    fails = false
    s.work(task, 30)
    const snapshot = checkpointer.snapshot(task)
    expect(snapshot.isBase).toBe(true)
    await checkpointer.save(snapshot)
    const { task: again } = await (await s.open()).restore(s.create)
    expect(stateOf(again)).toBe(s.truth(30))
  })

  it('by a process that lost the partition is refused, and its file is removed by the next owner', async () => {
    const s = setUp()
    const zombie = await s.open()
    const task = s.create()
    s.work(task, 10)
    await s.open()
    await expect(zombie.save(zombie.snapshot(task))).rejects.toThrow(Fenced)
    expect(s.objects.objects.size).toBe(1)
    await (await s.open()).restore(s.create)
    expect(s.objects.objects.size).toBe(0)
  })

  it('removes files that no manifest names any more', async () => {
    const s = setUp()
    const checkpointer = await s.open()
    const task = s.create()
    for (let to = 1; to <= 120; to++) {
      s.work(task, to)
      await checkpointer.save(checkpointer.snapshot(task))
      await s.clock.advance(10)
    }
    await checkpointer.settle()
    // At most one manifest's deltas, its base, the bases of the two before, and a merge that is not named yet.
    expect(s.objects.objects.size).toBeLessThan(35)
  })
})

describe('a merge in the background', () => {
  /** Saves after each order, up to `to`; merging goes on meanwhile. */
  async function saves(s: ReturnType<typeof setUp>, checkpointer: Checkpointer, task: Task, to: number): Promise<void> {
    for (let n = task.nextOffset + 1; n <= to; n++) {
      s.work(task, n)
      await checkpointer.save(checkpointer.snapshot(task))
      await s.clock.advance(1)
    }
  }
  const files = async (s: ReturnType<typeof setUp>): Promise<readonly string[]> =>
    (await s.manifests.manifests(AT))[0]!.files

  it('takes the place of the files it was made of, and the state stays the same', async () => {
    const s = setUp()
    const checkpointer = await s.open()
    const task = s.create()
    await saves(s, checkpointer, task, 40)
    const names = await files(s)
    expect(names[0]).toMatch(/merged$/)
    expect(names.length).toBeLessThan(25)
    const { task: again } = await (await s.open()).restore(s.create)
    expect(stateOf(again)).toBe(s.truth(40))
  })

  it('that fails costs nothing: the deltas are still there', async () => {
    const s = setUp()
    let reads = 0
    const objects = {
      ...s.objects,
      get: () => {
        reads++
        return Promise.reject(new Error('no answer'))
      },
    }
    const checkpointer = await Checkpointer.open({ ...s.stores, objects }, AT, 'test')
    const task = s.create()
    await saves(s, checkpointer, task, 40)
    expect(reads).toBeGreaterThan(0)
    expect(await files(s)).toHaveLength(40)
    const { task: again } = await (await s.open()).restore(s.create)
    expect(stateOf(again)).toBe(s.truth(40))
  })

  it('that comes after a new base and as many deltas is dropped: it holds the state of long ago', async () => {
    const s = setUp()
    let isStuck = true
    let release = (): void => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    let fails = false
    const objects = {
      ...s.objects,
      async get(key: string) {
        const body = await s.objects.get(key)
        if (isStuck) await released
        return body
      },
      put: (k: string, b: Uint8Array) => (fails ? Promise.reject(new Error('full')) : s.objects.put(k, b)),
      // Kept, so that only the checkpointer's own care can save it.
      delete: async () => undefined,
    }
    const checkpointer = await Checkpointer.open({ ...s.stores, objects }, AT, 'test')
    const task = s.create()
    await saves(s, checkpointer, task, 30) // the merge of the first 25 begins, and hangs reading the first
    fails = true
    s.work(task, 31)
    await expect(checkpointer.save(checkpointer.snapshot(task))).rejects.toThrow('full')
    fails = false
    await saves(s, checkpointer, task, 80) // a new base, and more deltas than the merge has inputs
    isStuck = false
    release()
    for (let i = 0; i < 100; i++) {
      await s.clock.advance(1)
      await quiescence()
    }
    await saves(s, checkpointer, task, 82)
    const { task: again } = await (await s.open()).restore(s.create)
    expect(stateOf(again)).toBe(s.truth(82))
  })
})
