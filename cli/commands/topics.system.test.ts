/** `streamforge topics` against a real broker. */
import { expect, test } from 'vitest'
import { TOPICS } from '../../streams/contract/topics.ts'
import { makeTopics, withAdmin } from '../../streams/log/kafka/testing/admin.ts'
import { checkTopics, withKafkaAdmin } from '../../streams/log/kafka/topics.ts'
import { systemClock } from '../../streams/time/clock.ts'
import type { CommandIo } from '../command.ts'
import { withKafka } from '../servers/testing/with-kafka.ts'
import { topics } from './topics.ts'

const kafka = withKafka()

async function run(args: string[], env: Record<string, string> = {}) {
  let [out, err] = ['', '']
  const io: CommandIo = {
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    isTty: false,
    env: { KAFKA_BROKERS: kafka.brokers.join(), ...env },
    cwd: '/',
    clock: systemClock,
    signal: new AbortController().signal,
  }
  return { code: await topics.run(args, io), out, err }
}
const start = () => withKafkaAdmin({ brokers: kafka.brokers, clientId: 'test' }, (admin) => checkTopics(admin))

test('what is missing is told, then made as the contract says, then there', async () => {
  await expect(start()).rejects.toThrow(
    /^Kafka has no topics clickstream\.events, .*"streamforge topics" makes what is missing\.$/,
  )
  const before = await run(['--check'])
  expect(before.code).toBe(1)
  expect(before.out).toContain('missing transactions.orders: 4 partitions, kept for 7 days')
  expect(before.err).toContain('"streamforge topics" makes what is missing.')

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

test('too few partitions is a sentence, at the start and for the command, and the topic is left as it is', async () => {
  await withAdmin(kafka.brokers, (admin) => admin.deleteTopics({ topics: ['trips.completed', 'alerts.fraud'] }))
  await makeTopics(kafka.brokers, { 'trips.completed': 2, 'alerts.fraud': 1 })
  await expect(start()).rejects.toThrow(/^trips\.completed has 2 of the 4 partitions it needs\. A key must stay/)
  const { code, err } = await run([])
  expect(code).toBe(1)
  expect(err).toContain('trips.completed has 2 of the 4 partitions it needs.')
  // What is set otherwise and can be used all the same is a note.
  expect(err).toContain('Note: alerts.fraud has retention.ms=604800000; the contract says 2592000000.')
})

test('a Kafka that is away, and brokers that nobody named, are sentences', async () => {
  const away = await run(['--brokers', '127.0.0.1:1'])
  expect([away.code, away.err]).toEqual([1, expect.stringMatching(/^Kafka at 127\.0\.0\.1:1 does not answer: /)])
  const unnamed = await run([], { KAFKA_BROKERS: '' })
  expect([unnamed.code, unnamed.err]).toEqual([
    2,
    expect.stringContaining('name its brokers with --brokers or KAFKA_BROKERS'),
  ])
  expect((await run(['--replication', '0'])).code).toBe(2)
})
