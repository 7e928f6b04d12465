/** Checkpoints in a real S3: two machines that share nothing but it and the manifests hand a partition over; what is damaged or missing there is passed over by name. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { withS3 } from '../../cli/servers/testing/with-s3.ts'
import { openObjects } from '../../db/objects/open.ts'
import type { S3Options } from '../../db/objects/s3.ts'
import { createMemoryResults } from '../../db/testing/memory-results.ts'
import { createDecoder } from '../contract/codec.ts'
import { type InputTopic, ORDERS } from '../contract/topics.ts'
import { revenue } from '../jobs/revenue.ts'
import { userFeatures } from '../jobs/user-features.ts'
import { createMemoryRegistry } from '../testing/memory-registry.ts'
import { systemClock } from '../time/clock.ts'
import { Checkpointer } from './checkpointer.ts'
import { Task } from './task.ts'

const TOPIC: InputTopic = ORDERS
const AT = { topic: TOPIC, partition: 0 }
const START = Date.UTC(2026, 0, 15, 12)

const s3 = withS3()
let target: S3Options
let manifests: ReturnType<typeof createMemoryResults>['manifests']
beforeEach(() => {
  target = s3.target()
  manifests = createMemoryResults().manifests
})

const create = (): Task =>
  new Task<InputTopic>({
    topology: [revenue, userFeatures],
    ...AT,
    decoder: createDecoder(TOPIC, createMemoryRegistry(), 'TRY'),
    encodeAlert: () => Buffer.alloc(0),
  })
const work = (task: Task, to: number): void => {
  for (let n = task.nextOffset; n < to; n++) {
    const at = START + n * 1_000
    const value = { order_id: `o${n}`, user_id: `u${n % 7}`, amount: 10, event_time: at }
    task.process([{ offset: n, appendedAtMs: at, key: value.user_id, value: Buffer.from(JSON.stringify(value)) }])
  }
  task.drain('everything', Number.MAX_SAFE_INTEGER)
}
/** Each call is another machine: a store and a checkpointer of its own. */
const machine = async (name: string) => {
  const { bucket, prefix, endpoint, region, accessKeyId, secretAccessKey } = target
  const objects = await openObjects({ kind: 's3', bucket, prefix, endpoint, region, accessKeyId, secretAccessKey })
  const checkpointer = await Checkpointer.open({ objects, manifests, clock: systemClock }, AT, name)
  return { objects, checkpointer }
}
const files = async (): Promise<string[]> => (await manifests.manifests(AT))[0]!.files
const fileOf = (key: string): string => join(s3.bucketFolder, target.prefix, key)

test('what one machine saved, another goes on with', async () => {
  const one = await machine('one')
  const { task } = await one.checkpointer.restore(create)
  for (const to of [50, 90]) {
    work(task, to)
    await one.checkpointer.save(one.checkpointer.snapshot(task))
  }
  const two = await machine('two')
  const { task: restored, report } = await two.checkpointer.restore(create)
  expect(report).toEqual({ nextOffset: 90, fallbacks: [] })
  expect(restored.nextOffset).toBe(90)
  expect(await two.objects.list('checkpoints/')).toEqual([...(await files())].sort())
})

test.each([
  ['damaged', /BadDigest: its bytes are not those that were put/],
  ['missing', /is missing/],
])(
  'a file that is %s costs one checkpoint, and is named',
  async (how, why) => {
    const { checkpointer } = await machine('one')
    const { task } = await checkpointer.restore(create)
    for (const to of [50, 90]) {
      work(task, to)
      await checkpointer.save(checkpointer.snapshot(task))
    }
    const newest = (await files()).at(-1)!
    if (how === 'missing') await rm(fileOf(newest))
    else {
      const bytes = await readFile(fileOf(newest))
      bytes[bytes.length >> 1]! ^= 1
      await writeFile(fileOf(newest), bytes, { flag: 'r+' })
    }
    const { report } = await (await machine('two')).checkpointer.restore(create)
    expect(report.nextOffset).toBe(50)
    expect(report.fallbacks).toEqual([expect.stringMatching(why)])
    expect(report.fallbacks[0]).toContain(newest)
  },
  60_000,
)

test('keys that are refused are told at the opening; a server that is away for the moment is not', async () => {
  const right = { kind: 's3' as const, ...target }
  await expect(openObjects({ ...right, secretAccessKey: 'wrong' })).rejects.toThrow(/SignatureDoesNotMatch/)
  await expect(openObjects({ ...right, bucket: 'nowhere-at-all' })).rejects.toThrow(/NoSuchBucket/)
  await s3.kill()
  const objects = await openObjects(right).finally(() => s3.start())
  expect(await objects.list('')).toEqual([])
})
