/** `streamforge topics` against a real broker, and what processes say at their start that lack a topic. */
import { expect, test } from 'vitest'
import { TOPICS } from '../../streams/contract/topics.ts'
import { makeTopics, removeTopics, withAdmin } from '../../streams/log/kafka/testing/admin.ts'
import { checkTopics, withKafkaAdmin } from '../../streams/log/kafka/topics.ts'
import { newDataDir, runCli } from '../../tests/support/platform.ts'
import { withKafka } from '../servers/testing/with-kafka.ts'
import { runCommand } from '../testing/run-command.ts'
import { cdc } from './cdc.ts'
import { topics } from './topics.ts'

const kafka = withKafka()

const run = (args: string[], env: Record<string, string> = {}) =>
  runCommand(topics, args, { env: { KAFKA_BROKERS: kafka.brokers.join(), ...env } })
/** A process of the cluster on this Kafka; with its topics it would go on to the database, where nobody is. */
const startProcess = async (role: 'edge' | 'streams', brokers = kafka.brokers.join()) =>
  runCli([role, '--data', await newDataDir()], {
    env: { KAFKA_BROKERS: brokers, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none', STREAMFORGE_LOG_LEVEL: 'error' },
  })
const start = () => withKafkaAdmin({ brokers: kafka.brokers, clientId: 'test' }, (admin) => checkTopics(admin))

test('what is missing is told, then made as the contract says, then there', async () => {
  await expect(start()).rejects.toThrow(
    /^Kafka has no topics clickstream\.events, .*"streamforge topics" makes what is missing\.$/,
  )
  const before = await run(['--check'])
  expect(before.code).toBe(1)
  expect(before.out).toContain('missing transactions.orders: 4 partitions, kept for 7 days')
  expect(before.err).toContain('"streamforge topics" makes what is missing.')

  const refused = { code: 1, out: '' }
  const [edge, streams] = await Promise.all([startProcess('edge'), startProcess('streams')])
  expect(edge).toMatchObject(refused)
  // The edge asks for no more than what it appends to.
  expect(edge.err).toBe(
    'Kafka has no topics clickstream.events, transactions.orders, trips.completed. "streamforge topics" makes what is missing.\n',
  )
  expect(streams).toMatchObject(refused)
  expect(streams.err).toMatch(
    /^Kafka has no topics clickstream\.events, .*alerts\.fraud.*"streamforge topics" makes.*\n$/,
  )

  const cdcStarts = await runCommand(cdc, ['start'], {
    env: { KAFKA_BROKERS: kafka.brokers.join(), CDC_SOURCE_URL: 'postgres://nobody@127.0.0.1:1/none' },
  })
  expect(cdcStarts).toMatchObject(refused)
  // Nor does what follows a database.
  expect(cdcStarts.err).toMatch(
    /^Kafka has no topics cdc\.public\.products, cdc\.public\.orders, cdc\.public\.order_items\. /,
  )

  const made = await run([])
  expect([made.code, made.err]).toEqual([0, ''])
  expect(made.out).toContain('made    alerts.fraud: 1 partition, kept for 30 days')
  expect(made.out).toContain(`0 of ${TOPICS.length} topics were there`)
  await withAdmin(kafka.brokers, async (admin) => {
    const { topics: found } = await admin.fetchTopicMetadata({ topics: TOPICS.map(({ name }) => name) })
    const counts = Object.fromEntries(found.map(({ name, partitions }) => [name, partitions.length]))
    expect(counts).toEqual(Object.fromEntries(TOPICS.map(({ name, partitions }) => [name, partitions])))
  })

  await start()
  const after = await run(['--check'])
  expect(after).toEqual({ code: 0, out: `${TOPICS.length} of ${TOPICS.length} topics were there\n`, err: '' })
})

test('tables that are followed have topics of theirs, and one for what can not be read of each', async () => {
  const { code, out } = await run([], { STREAMFORGE_CDC_TABLES: 'public.orders,public.things' })
  expect(code).toBe(0)
  expect(out).toBe(`made    cdc.public.things: 4 partitions, kept for 7 days
made    dlq.cdc.public.things: 1 partition, kept for 30 days
${TOPICS.length} of ${TOPICS.length + 2} topics were there
`)
})

test('too few partitions is a sentence, at the start and for the command, and the topic is left as it is', async () => {
  await removeTopics(kafka.brokers, ['trips.completed', 'alerts.fraud'])
  await makeTopics(kafka.brokers, { 'trips.completed': 2, 'alerts.fraud': 1 })
  await expect(start()).rejects.toThrow(/^trips\.completed has 2 of the 4 partitions it needs\. A key must stay/)
  const { code, err } = await run([])
  expect(code).toBe(1)
  expect(err).toContain('trips.completed has 2 of the 4 partitions it needs.')
  const refused = await startProcess('streams')
  expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/^trips\.completed has 2 of the 4 .*\n$/) })
  // What is set otherwise and can be used all the same is a note.
  expect(err).toContain('Note: alerts.fraud has retention.ms=604800000; the contract says 2592000000.')
})

test('a Kafka that is away, and brokers that nobody named, are sentences', async () => {
  const away = await run(['--brokers', '127.0.0.1:1'])
  expect([away.code, away.err]).toEqual([
    1,
    expect.stringMatching(/^Kafka at 127\.0\.0\.1:1 does not answer: .*KAFKA_BROKERS/),
  ])
  const asked = performance.now()
  for (const { code, err } of await Promise.all([
    startProcess('edge', '127.0.0.1:1'),
    startProcess('streams', '127.0.0.1:1'),
  ]))
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^Kafka at 127\.0\.0\.1:1 does not answer: .*KAFKA_BROKERS.*\n$/),
    ])
  expect(performance.now() - asked).toBeLessThan(30_000)
  const unnamed = await run([], { KAFKA_BROKERS: '' })
  expect([unnamed.code, unnamed.err]).toEqual([
    2,
    expect.stringContaining('name its brokers with --brokers or KAFKA_BROKERS'),
  ])
  expect((await run(['--replication', '0'])).code).toBe(2)
})
