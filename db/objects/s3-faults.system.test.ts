/** What goes wrong between us and S3: tried again where that helps, for a bounded time, with one effect; and told with the names of bucket and object where it does not. */
import { truncateSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withS3 } from '../../cli/servers/testing/with-s3.ts'
import { patterned } from '../testing/object-store-suite.ts'
import type { S3ObjectStore } from './s3.ts'
import { type FaultyProxy, startFaultyProxy } from './testing/faulty-proxy.ts'

const MIB = 1024 * 1024
/** Quick, and otherwise as they are. */
const LIMITS = { pauseMs: 10, pauseMaxMs: 50, silenceMs: 20_000 }
const s3 = withS3()
let proxy: FaultyProxy
let store: S3ObjectStore
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streamforge-s3-faults-'))
  proxy = await startFaultyProxy(s3.server.endpoint)
  store = s3.store({ endpoint: proxy.endpoint, limits: LIMITS, partBytes: 5 * MIB })
})
afterEach(async () => {
  await proxy?.close()
  await rm(folder, { recursive: true, force: true })
})

const bodyOf = (text: string) => Buffer.from(text)
const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.fail('it worked'),
    (error: Error) => error,
  )

test.each([
  ['503', { status: 503 }],
  ['500', { status: 500 }],
  ['429', { status: 429 }],
  ['a reset connection', 'reset'],
  ['a lost answer', 'lose-answer'],
] as const)('%s, two times running: tried again, and done', async (_, fault) => {
  proxy.plan = (_request, index) => (index < 2 ? fault : 'pass')
  await store.put('k', bodyOf('body'))
  expect(proxy.requests).toHaveLength(3)
  proxy.plan = (_request, index) => (index < 5 ? fault : 'pass')
  expect((await store.get('k'))?.toString()).toBe('body')
  expect(proxy.requests).toHaveLength(6)
})

test('what stays broken ends after a bounded number of attempts, in an error that names object, bucket and server', async () => {
  proxy.plan = () => ({ status: 503 })
  const error = await failure(store.put('a/key', bodyOf('x')))
  expect(error.message).toMatch(
    /The object "p\d+\/a\/key" in the bucket "test-bucket" could not be stored: SlowDown: Please reduce your request rate\. http:\/\/127\.0\.0\.1:\d+ did not get better/,
  )
  expect(proxy.requests).toHaveLength(6)
  proxy.plan = () => 'reset'
  const gone = await failure(store.get('a/key'))
  expect(gone.message).toMatch(
    /"p\d+\/a\/key" in the bucket "test-bucket" could not be read in 6 attempts: .+ Is the server at http:\/\/127\.0\.0\.1:\d+ running, and is S3_ENDPOINT right\?/,
  )
  expect(proxy.requests).toHaveLength(12)
})

test('a server that does not know how to delete many is asked to delete one by one, from then on', async () => {
  const keys = Array.from({ length: 40 }, (_, i) => `k/${i}`)
  for (const key of [...keys, 'kept']) await store.put(key, bodyOf(key))
  proxy.plan = (request) => (request.includes('?delete') ? { status: 400, code: 'NotImplemented' } : 'pass')
  await store.deleteMany(keys.slice(0, 20))
  await store.deleteMany(keys.slice(20))
  expect(await store.list('')).toEqual(['kept'])
  expect(proxy.requests.filter((request) => request.includes('?delete'))).toHaveLength(1)
})

test('a list that is cut into pages by the server goes on where it ended, also after a failure', async () => {
  const keys = Array.from({ length: 1_100 }, (_, i) => `many/${String(i).padStart(4, '0')}`)
  for (let i = 0; i < keys.length; i += 100)
    await Promise.all(keys.slice(i, i + 100).map((key) => store.put(key, bodyOf('x'))))
  proxy.plan = (request, index) =>
    request.includes('continuation-token') && index % 2 === 0 ? { status: 503 } : 'pass'
  expect(await store.list('many/')).toEqual(keys)
})

test('a server that is silent is given up, and asked again', async () => {
  const impatient = (silenceMs: number, attempts: number) =>
    s3.store({ endpoint: proxy.endpoint, limits: { ...LIMITS, silenceMs, attempts } })
  proxy.plan = (_request, index) => (index === 0 ? 'silent' : 'pass')
  await impatient(5_000, 4).put('k', bodyOf('body'))
  proxy.plan = () => 'silent'
  const error = await failure(impatient(2_000, 2).list(''))
  expect(error.message).toMatch(/The bucket "test-bucket" could not be listed in 2 attempts: no answer for 2 s/)
  expect(error).toMatchObject({ code: 'ETIMEDOUT' })
})

test('a server that freezes in the middle of a download is given up in time', async () => {
  const { prefix } = s3.target()
  const patient = s3.store({ prefix, limits: LIMITS })
  await patient.put('k', patterned(30 * MIB))
  const impatient = s3.store({ prefix, limits: { ...LIMITS, silenceMs: 4_000, attempts: 2 } })
  const { body } = (await impatient.stream('k'))!
  const reading = (async () => {
    let first = true
    for await (const _ of body) {
      if (first) s3.freeze()
      first = false
    }
  })()
  try {
    expect((await failure(reading)).message).toMatch(/\/k" .* could not be read in 2 attempts: no answer for 4 s/)
  } finally {
    s3.thaw()
  }
  expect((await patient.get('k'))?.length).toBe(30 * MIB)
})

test('a put if absent whose answer was lost knows that it was the one', async () => {
  proxy.plan = (_request, index) => (index === 0 ? 'lose-answer' : 'pass')
  expect(await store.putIfAbsent('mine', bodyOf('mine'))).toBe(true)
  const start = proxy.requests.length
  proxy.plan = (_request, index) => (index === start ? { status: 503 } : 'pass')
  expect(await store.putIfAbsent('mine', bodyOf('mine'))).toBe(false)
})

test('a download that breaks off goes on where it was', async () => {
  const body = patterned(3 * MIB)
  await store.put('k', body)
  const start = proxy.requests.length
  proxy.plan = (_request, index) => (index < start + 3 ? { cutAfter: 700_000 } : 'pass')
  expect(await store.getFile('k', join(folder, 'out'))).toBe(true)
  expect((await readFile(join(folder, 'out'))).equals(body)).toBe(true)
  expect(proxy.requests.length - start).toBeGreaterThan(3)
  // In memory, it is asked for as a whole again.
  const again = proxy.requests.length
  proxy.plan = (_request, index) => (index === again ? { cutAfter: 700_000 } : 'pass')
  expect((await store.get('k'))?.equals(body)).toBe(true)
})

test('an object that is replaced while it is read is an error, never a mixture', async () => {
  await store.put('k', patterned(3 * MIB))
  const start = proxy.requests.length
  proxy.plan = (_request, index) => (index === start ? { cutAfter: 700_000 } : 'pass')
  const { body } = (await store.stream('k'))!
  const reading = (async () => {
    let seen = 0
    for await (const chunk of body) {
      if (seen === 0) await store.put('k', Buffer.alloc(3 * MIB, 'other'))
      seen += chunk.length
    }
  })()
  expect((await failure(reading)).message).toMatch(/\/k" .* was replaced or deleted while it was read/)
})

test('an object whose bytes were damaged at the server is told by name', async () => {
  await store.put('a/damaged', patterned(100_000))
  const file = join(s3.bucketFolder, store.location.split('/').at(-1)!, 'a/damaged')
  const bytes = await readFile(file)
  bytes[50_000]! ^= 1
  // Over the file and not in its place: the server keeps its own notes beside it.
  await writeFile(file, bytes, { flag: 'r+' })
  const sentence =
    /"p\d+\/a\/damaged" in the bucket "test-bucket" could not be read: BadDigest: its bytes are not those that were put\. It is damaged/
  expect(await failure(store.get('a/damaged'))).toMatchObject({
    code: 'BadDigest',
    message: expect.stringMatching(sentence),
  })
  expect((await failure(store.getFile('a/damaged', join(folder, 'out')))).message).toMatch(sentence)
  expect(await readdir(folder)).toEqual([])
})

test('an upload in parts survives failures of every step, and a completion whose answer was lost', async () => {
  const body = patterned(16 * MIB)
  const path = join(folder, 'in')
  await writeFile(path, body)
  const failed = new Set<string>()
  // Each request fails once, by turns before and after it took effect; a beginning that took effect unseen leaves an upload of which nobody knows.
  proxy.plan = (request) => {
    if (failed.has(request)) return 'pass'
    failed.add(request)
    return failed.size % 2 === 0 ? 'lose-answer' : request.includes('?uploads') ? { status: 503 } : 'reset'
  }
  await store.putFile('big', path)
  expect(failed.size).toBeGreaterThanOrEqual(6)
  proxy.plan = () => 'pass'
  expect((await store.get('big'))?.equals(body)).toBe(true)

  let lost = 0
  proxy.plan = (request) =>
    request.startsWith('POST') && request.includes('uploadId') && lost++ === 0 ? 'lose-answer' : 'pass'
  await store.putFile('again', path)
  expect(lost).toBeGreaterThanOrEqual(2)
  expect((await store.get('again'))?.equals(body)).toBe(true)
})

test('an upload in parts that can not be finished is removed, and leaves no object', async () => {
  const path = join(folder, 'in')
  await writeFile(path, patterned(16 * MIB))
  proxy.plan = (request) => (request.includes('partNumber=3') ? { status: 500 } : 'pass')
  expect((await failure(store.putFile('big', path))).message).toMatch(/\/big" .* could not be stored: SlowDown/)
  expect(proxy.requests.at(-1)).toMatch(/^DELETE .*\/big\?uploadId=/)
  expect(await store.list('')).toEqual([])
})

test('a file that becomes shorter while it goes up leaves neither object nor parts', async () => {
  const path = join(folder, 'in')
  await writeFile(path, patterned(40 * MIB))
  proxy.plan = (request) => {
    if (request.includes('partNumber=2')) truncateSync(path, 6 * MIB)
    return 'pass'
  }
  await expect(store.putFile('shrinking', path)).rejects.toThrow(/became shorter while it was stored as "shrinking"/)
  expect(proxy.requests.at(-1)).toMatch(/^DELETE .*\/shrinking\?uploadId=/)
  expect(await store.list('')).toEqual([])
})

test('a server that is killed in the middle of an upload and started again gets the rest', async () => {
  const path = join(folder, 'in')
  const body = patterned(60 * MIB)
  await writeFile(path, body)
  const patient = s3.store({
    endpoint: proxy.endpoint,
    limits: { ...LIMITS, pauseMs: 500, pauseMaxMs: 2_000, attempts: 20 },
    partBytes: 5 * MIB,
  })
  let restarted: Promise<void> | undefined
  proxy.plan = (request) => {
    if (request.includes('partNumber=5')) restarted ??= s3.kill().then(() => s3.start())
    return 'pass'
  }
  await patient.putFile('big', path)
  expect(restarted).toBeDefined()
  await restarted
  expect((await patient.get('big'))?.equals(body)).toBe(true)
  expect(proxy.requests.filter((request) => request.includes('partNumber=')).length).toBeGreaterThan(12)
})
