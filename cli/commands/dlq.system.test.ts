/** `streamforge dlq` on both forms of the log: on a real broker, and on a data folder whose platform runs in another process. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { loadConfig } from '../../db/config.ts'
import { createEncoder } from '../../streams/contract/codec.ts'
import type { Order } from '../../streams/contract/events.ts'
import { ORDERS, TOPICS } from '../../streams/contract/topics.ts'
import { newDeadLetter } from '../../streams/dead-letters/dead-letter.ts'
import { openEmbeddedRegistry } from '../../streams/log/embedded-registry.ts'
import type { EventLog } from '../../streams/log/event-log.ts'
import { makeTopics } from '../../streams/log/kafka/testing/admin.ts'
import { openLog, storeSettings } from '../../streams/stores.ts'
import { systemClock } from '../../streams/time/clock.ts'
import { caughtUp, get } from '../../tests/support/api.ts'
import { eventually } from '../../tests/support/eventually.ts'
import { startPlatform, WITHOUT_LAKE } from '../../tests/support/platform.ts'
import { withKafka } from '../servers/testing/with-kafka.ts'
import { type CommandRun, runCommand } from '../testing/run-command.ts'
import { dlq } from './dlq.ts'

const DLQ = `dlq.${ORDERS}`
const order: Order = {
  order_id: 'o-1',
  user_id: 'ada',
  product_id: null,
  category: 'books',
  quantity: null,
  amount_minor: 1_250,
  currency: 'TRY',
  region: null,
  status: 'success',
  event_time: Date.now(),
  original_time: null,
  sent_at: null,
  received_at: Date.now(),
  properties: null,
}

type Run = (...args: string[]) => Promise<CommandRun>
const commandWith =
  (env: Record<string, string>): Run =>
  (...args) =>
    runCommand(dlq, args, { env })

/** An order that was put aside although it can be read, as by a reader that did not know its schema, and one that nobody will ever read. */
async function putAside(log: EventLog, dataDir: string): Promise<void> {
  const registry = openEmbeddedRegistry(join(dataDir, 'registry'))
  const good = (await createEncoder(ORDERS, registry))(order)
  await registry.close()
  const at = { topic: ORDERS, partition: 3 }
  const record = { offset: 17, appendedAtMs: Date.now(), key: 'ada', headers: { traceparent: 'kept' } }
  await log.append(
    [
      newDeadLetter(
        at,
        { ...record, value: good },
        { reason: 'unknown_schema', message: 'Schema 4 is not in the registry' },
      ),
      newDeadLetter(
        at,
        { ...record, offset: 18, value: Buffer.from('{"order_id":') },
        { reason: 'bad_json', message: 'Unexpected end' },
      ),
    ].map(({ id, headers, ...rest }) => ({ ...rest, headers: { ...headers, id } })),
  )
}

/** The whole way of an operator. @returns where the good one went back to */
async function walkThrough(run: Run): Promise<void> {
  const listed = await run('list', '--topic', ORDERS)
  expect([listed.code, listed.err]).toEqual([0, ''])
  expect(listed.out).toContain(`1  ${ORDERS}  unknown_schema: Schema 4 is not in the registry\n`)
  expect(listed.out).toContain(`e.g. ${DLQ}:0:0`)
  expect(JSON.parse((await run('list', '--json', '--limit', '1', '--since', '1h')).out)).toMatchObject({
    letters: 2,
    causes: [{ letters: 1 }, { letters: 1 }],
    newest: [{ id: `${DLQ}:0:1`, reason: 'bad_json', replayed: false }],
  })

  const shown = await run('show', `${DLQ}:0:0`)
  expect(shown.out).toContain('reason  unknown_schema: Schema 4 is not in the registry\n')
  expect(shown.out).toContain(`from    ${ORDERS}[3] offset 17, accepted `)
  expect(shown.out).toContain('header  traceparent: kept\n')
  expect(shown.out).toContain('"order_id": "o-1"')
  expect(JSON.parse((await run('show', `${DLQ}:0:1`, '--json')).out)).toMatchObject({
    reason: 'bad_json',
    key: 'ada',
    bytes: 12,
    format: 'text',
    value: '{"order_id":',
    source: { topic: ORDERS, partition: 3, offset: 18 },
  })

  const tried = await run('replay', '--all', '--dry-run')
  expect(tried.code).toBe(1)
  expect(tried.out).toMatch(new RegExp(`^${DLQ}:0:1 still fails: bad_json: .*\\n1 would go back, 1 still fail\\.\\n$`))
  expect((await run('replay', '--reason', 'no such thing')).out).toBe('0 went back, 0 still fail.\n')

  const replayed = await run('replay', `${DLQ}:0:0`)
  expect([replayed.code, replayed.err]).toEqual([0, ''])
  expect(replayed.out).toMatch(
    /^\S+ went back as transactions\.orders\[\d\] offset \d+\n1 went back, 0 still fail\.\n$/,
  )
  expect(await run('replay', '--topic', ORDERS, '--reason', 'not in the registry')).toEqual({
    code: 0,
    out: '0 went back, 0 still fail, 1 were replayed before.\n',
    err: '',
  })
  expect((await run('replay', `${DLQ}:0:0`)).out).toContain(`${DLQ}:0:0 was replayed before: nothing is done\n`)
  expect((await run('list')).out).toContain('1 (1 replayed)  transactions.orders  unknown_schema')

  const mapped = await run('replay', `${DLQ}:0:1`, '--mapping', 'online-retail', '--dry-run')
  expect([mapped.code, mapped.out]).toEqual([1, expect.stringContaining(`${DLQ}:0:1 still fails: bad_json: `)])
  const unknown = await run('replay', '--all', '--mapping', 'nobodys')
  expect([unknown.code, unknown.err]).toEqual([2, expect.stringMatching(/^--mapping nobodys is neither a preset/)])

  // The third is the note of the replay.
  for (const offset of [2, 99]) {
    const missing = await run('show', `${DLQ}:0:${offset}`)
    expect([missing.code, missing.err]).toEqual([1, expect.stringMatching(/^There is no dead letter .*\.\n$/)])
  }
}

describe('on Kafka', () => {
  const kafka = withKafka()

  it('dead letters are listed, shown, tried and replayed once; without the topics it is a sentence', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'streamforge-test-'))
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
    const env = { KAFKA_BROKERS: kafka.brokers.join(), STREAMFORGE_DATA_DIR: dataDir }
    const run = commandWith(env)
    const lacking = await run('list')
    expect([lacking.code, lacking.err]).toEqual([
      1,
      expect.stringMatching(/^The log has no topic "dlq\..*"streamforge topics" makes/),
    ])

    await makeTopics(kafka.brokers, Object.fromEntries(TOPICS.map(({ name, partitions }) => [name, partitions])))
    const { log } = await openLog(storeSettings(loadConfig(env)), { clock: systemClock })
    onTestFinished(() => log.close())
    await putAside(log, dataDir)
    await walkThrough(run)

    // Of a platform that runs on the folder it is known on which Kafka it is.
    const platform = { pid: process.pid, started_at: '', edge_url: 'http://127.0.0.1:1', data_dir: dataDir }
    await writeFile(join(dataDir, 'running.json'), JSON.stringify({ ...platform, kafka_brokers: kafka.brokers.join() }))
    expect(await commandWith({ STREAMFORGE_DATA_DIR: dataDir })('list')).toEqual(await run('list'))
    const found = await Promise.all([0, 1, 2, 3].map((partition) => log.read({ topic: ORDERS, partition }, 0, 10)))
    expect(found.flat()).toMatchObject([
      { key: 'ada', headers: { traceparent: 'kept', replayed_from: `${ORDERS}:3:17` } },
    ])
  })

  it('a Kafka that is away is a sentence', async () => {
    const { code, err } = await commandWith({ KAFKA_BROKERS: '127.0.0.1:1' })('list')
    expect([code, err]).toEqual([1, expect.stringMatching(/^Kafka at 127\.0\.0\.1:1 does not answer: .*\n$/)])
  })
})

describe('embedded', () => {
  it('dead letters are replayed into a platform that runs, and count in its results', async () => {
    const platform = await startPlatform({ env: WITHOUT_LAKE })
    const { dataDir } = platform
    const env = { STREAMFORGE_DATA_DIR: dataDir }
    const { log } = await openLog(storeSettings(loadConfig(env)), { clock: systemClock })
    await putAside(log, dataDir)
    await log.close()
    await walkThrough(commandWith(env))
    await eventually('the order is in the results', 60_000, async () => {
      await caughtUp(platform.url)
      const { data } = await get(platform.url, '/metrics/overview')
      return data.orders === 1 && data.totals[0].revenue === 12.5
    })
    expect(await platform.stop()).toBe(0)
  })

  it('a folder without a log is a sentence, and is left as it is', async () => {
    const { code, err } = await commandWith({})('list', '--data', '/no/such/folder')
    expect(code).toBe(1)
    expect(err).toBe(
      "There is no log in /no/such/folder/log. Name the platform's data folder with --data, or its Kafka with KAFKA_BROKERS.\n",
    )
  })
})
