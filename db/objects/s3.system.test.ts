/** The object store on a real S3 server passes the suite of every form; big objects go in parts, in bounded memory; mistakes of settings are told apart. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, open, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run } from '../../cli/servers/run.ts'
import { withS3 } from '../../cli/servers/testing/with-s3.ts'
import { describeObjectStore, patterned } from '../testing/object-store-suite.ts'
import { openS3Objects } from './s3.ts'

const TYPESCRIPT = new URL('../../cli/typescript.mjs', import.meta.url).href
const LARGE_FILE = fileURLToPath(new URL('./testing/large-file.ts', import.meta.url))

const s3 = withS3()
const MIB = 1024 * 1024

describeObjectStore('objects in S3', async () => ({ store: s3.store(), dispose: async () => {} }))

describe('objects in S3, their own', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'streamforge-s3-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  test('a store without a prefix has the whole bucket, others see their own part of it', async () => {
    const { prefix, ...target } = s3.target()
    const whole = openS3Objects({ ...target, prefix: '' })
    const part = openS3Objects({ ...target, prefix: `${prefix}/deep` })
    await part.put('k', Buffer.from('x'))
    expect(part.location).toBe(`s3://${target.bucket}/${prefix}/deep`)
    expect(whole.location).toBe(`s3://${target.bucket}`)
    expect(await part.list('')).toEqual(['k'])
    expect(await whole.list(`${prefix}/`)).toEqual([`${prefix}/deep/k`])
    await whole.delete(`${prefix}/deep/k`)
  })

  test.each(['', '../outside', 'a//b', 'a/', '/a', 'a\nb'])('%j is refused as a key', async (key) => {
    const store = s3.store()
    await expect(store.put(key, Buffer.from('x'))).rejects.toThrow(/can't be an object's key/)
    await expect(store.get(key)).rejects.toThrow(/can't be an object's key/)
    await expect(store.deleteMany(['fine', key])).rejects.toThrow(/can't be an object's key/)
  })

  test('keys of every character that signatures and XML find hard', async () => {
    const store = s3.store()
    const keys = [
      `a b+c%20d/it's (1)*!.x`,
      '<&">/ü/日本/😀',
      'q?x=1&y#z;,:@$',
      '~-_.=',
      'day=2026-11-20/part-0.parquet',
    ]
    for (const key of keys) await store.put(key, Buffer.from(key))
    expect(await store.list('')).toEqual([...keys].sort())
    for (const key of keys) expect((await store.get(key))?.toString()).toBe(key)
    await store.deleteMany(keys)
    expect(await store.list('')).toEqual([])
  })

  test('a body in memory above the limit goes in parts and comes back whole', async () => {
    const store = s3.store({ putMaxBytes: 6 * MIB, partBytes: 5 * MIB })
    const body = patterned(11 * MIB + 17)
    await store.put('big', body)
    expect((await store.get('big'))?.equals(body)).toBe(true)
    expect((await store.getRange('big', 5 * MIB - 8, 16))?.equals(body.subarray(5 * MIB - 8, 5 * MIB + 8))).toBe(true)
    expect((await store.stat('big'))?.bytes).toBe(body.length)
  })

  test('a file far larger than the memory it takes goes up and comes down', async () => {
    const file = await open(join(folder, 'in'), 'w')
    const block = randomBytes(MIB)
    for (let i = 0; i < 200; i++) {
      block.writeUInt32LE(i, 0)
      await file.write(block)
    }
    await file.close()
    const input = JSON.stringify({ target: s3.target(), from: join(folder, 'in'), to: join(folder, 'out') })
    const { code, stdout, stderr } = await run(process.execPath, ['--import', TYPESCRIPT, LARGE_FILE], { input })
    expect([code, stderr]).toEqual([0, ''])
    const { peak } = JSON.parse(stdout) as { peak: number }
    expect((await readFile(join(folder, 'out'))).equals(await readFile(join(folder, 'in')))).toBe(true)
    // Three parts of 8 MiB, each held twice for a moment, and what the collector has not got to.
    expect(peak).toBeLessThan(190 * MIB)
  })

  test('the test server keeps its keys from its command line, and listens on loopback alone', async () => {
    const { pid, endpoint, accessKeyId, secretAccessKey } = s3.server
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    expect(commandLine).toContain(endpoint.replace('http://', ''))
    expect(endpoint).toMatch(/^http:\/\/127\.0\.0\.1:/)
    expect(commandLine).not.toContain(accessKeyId)
    expect(commandLine).not.toContain(secretAccessKey)
  })

  describe('settings that are wrong', () => {
    test.each([
      ['a secret', { secretAccessKey: 'hunter2-wrong' }, /SignatureDoesNotMatch.*Check AWS_ACCESS_KEY_ID/],
      ['an access key', { accessKeyId: 'AKNOBODY' }, /(InvalidAccessKeyId|UserNotFound).*Check AWS_ACCESS_KEY_ID/],
      ['a bucket', { bucket: 'not-there' }, /"not-there".*NoSuchBucket.*STREAMFORGE_OBJECTS_URL/],
      ['a region', { region: 'eu-west-9' }, /set AWS_REGION=us-east-1|Check AWS_REGION \(it is eu-west-9\)/],
    ])(
      '%s: told at once, naming the bucket and the setting, and nobody reads the secret',
      async (_, wrong, sentence) => {
        const store = s3.store(wrong)
        for (const attempt of [
          () => store.check(),
          () => store.get('a/key'),
          () => store.stat('a/key'),
          () => store.put('a/key', Buffer.from('x')),
        ]) {
          const error = await attempt().then(
            () => new Error('it worked'),
            (refusal: Error) => refusal,
          )
          expect(error.message).toMatch(sentence)
          expect(inspect(error, { depth: 9 })).not.toContain('hunter2')
          expect(inspect(error, { depth: 9 })).not.toContain(s3.server.secretAccessKey)
        }
        await expect(store.get('a/key')).rejects.toThrow(/"p\d+\/a\/key" in the bucket "/)
      },
    )

    test('right ones pass the check', () => s3.store().check())
  })
})
