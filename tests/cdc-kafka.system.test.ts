/** The topics of change data capture on real Kafka, as Debezium's own consumers see them: an independent client reads them, and the envelope has Debezium's documented shape. */
import { Kafka, type KafkaMessage, logLevel } from 'kafkajs'
import { afterAll, expect, test } from 'vitest'
import { withKafka } from '../cli/servers/testing/with-kafka.ts'
import { connect } from '../db/postgres/connect.ts'
import { withPostgres } from '../db/testing/postgres.ts'
import { createLogger } from '../observability/log.ts'
import { createRegistry } from '../observability/metrics.ts'
import { makeTopics } from '../streams/log/kafka/testing/admin.ts'
import { startCdc } from '../streams/sources/cdc/start.ts'
import { systemClock } from '../streams/time/clock.ts'
import { eventually } from './support/eventually.ts'

const TOPIC = 'cdc.public.things'
const DEADLINE_MS = 60_000
const kafka = withKafka()
const postgres = withPostgres()
const messages: KafkaMessage[] = []
const closers: (() => Promise<unknown>)[] = []

/** Every kind of column, told by PostgreSQL in its own text. */
const TABLE = `
CREATE TABLE things (
  id bigint PRIMARY KEY, small smallint, flag boolean, real8 double precision, amount numeric(20,4), words text, doc jsonb, bytes bytea, day date, at timestamp, at3 timestamp(3),
  zoned timestamptz, tags text[], kind uuid
);
ALTER TABLE things REPLICA IDENTITY FULL;
INSERT INTO things VALUES (9007199254740993, 7, true, 0.25, 12345678901234.5600, 'çay "ince belli"', '{"a": 1}', '\\x00ff', '2026-11-21', '2026-11-21 10:11:12.123456',
  '2026-11-21 10:11:12.123', '2026-11-21 13:11:12.5+03', '{a,NULL,"b c"}', '6f9619ff-8b86-d011-b42d-00c04fc964ff')`
async function readWithAnotherClient(): Promise<void> {
  const url = await postgres.emptyDatabase()
  const { sql, close } = connect(url, { max: 1 })
  closers.push(close)
  await sql.unsafe(TABLE).simple()
  await makeTopics(kafka.brokers, { [TOPIC]: 4 })
  const source = await startCdc({
    stores: {
      dataDir: '',
      kafka: { brokers: kafka.brokers, clientId: 'cdc', gzip: false, sessionTimeoutMs: 10_000, heartbeatMs: 1_000 },
      redis: null,
    },
    settings: { url, slot: 'things', publication: 'things', tables: ['public.things'] },
    version: '0',
    logger: createLogger({ level: 'silent', component: 'test' }),
    metrics: createRegistry({ labels: { component: 'cdc' } }),
    clock: systemClock,
  })
  closers.push(() => source.stop())
  const consumer = new Kafka({ clientId: 'other', brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).consumer({
    groupId: 'other',
  })
  closers.push(() => consumer.disconnect())
  await consumer.connect()
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true })
  await consumer.run({ eachMessage: async ({ message }) => void messages.push(message) })
  await eventually('the snapshot has been read', DEADLINE_MS, () => messages.length === 1)
  // Behind the snapshot, so that the stream brings them.
  await sql`UPDATE things SET amount = 1, words = NULL`
  await sql`DELETE FROM things`
  await eventually('all changes have been read', DEADLINE_MS, () => messages.length === 4)
}
afterAll(async () => {
  for (const close of closers.reverse()) await close()
})
test("an independent client reads Debezium's envelope: keys, tombstones, and each field of its type", async () => {
  await readWithAnotherClient()
  expect(messages.map(({ key }) => key?.toString())).toEqual(Array(4).fill('{"id":9007199254740993}'))
  // A tombstone has no value at all.
  expect(messages.map(({ value }) => value === null)).toEqual([false, false, false, true])
  const envelopes = messages.slice(0, 3).map(({ value }) => JSON.parse(value!.toString()) as Record<string, unknown>)
  const number = expect.any(Number)
  const time = { ts_ms: number, ts_us: number, ts_ns: number }
  const stream = { snapshot: 'false', txId: number, sequence: expect.stringMatching(/^\[(null|"\d+"),"\d+"\]$/) }
  const source = {
    version: '0',
    connector: 'postgresql',
    name: 'cdc',
    db: expect.any(String),
    schema: 'public',
    table: 'things',
    lsn: number,
    xmin: null,
    ...time,
  }
  const row = {
    id: number,
    small: 7,
    flag: true,
    real8: 0.25,
    amount: '12345678901234.5600',
    words: 'çay "ince belli"',
    doc: '{"a": 1}',
    bytes: 'AP8=',
    day: 20_778,
    at: 1_795_255_872_123_456,
    at3: 1_795_255_872_123,
    zoned: '2026-11-21T10:11:12.5Z',
    tags: ['a', null, 'b c'],
    kind: '6f9619ff-8b86-d011-b42d-00c04fc964ff',
  }
  const changed = { ...row, amount: '1.0000', words: null }
  expect(envelopes).toEqual([
    {
      before: null,
      after: row,
      source: { ...source, snapshot: 'last', txId: null, sequence: expect.stringMatching(/^\[null,"\d+"\]$/) },
      transaction: null,
      op: 'r',
      ...time,
    },
    { before: row, after: changed, source: { ...source, ...stream }, transaction: null, op: 'u', ...time },
    { before: changed, after: null, source: { ...source, ...stream }, transaction: null, op: 'd', ...time },
  ])
  // Beyond 2^53 the number is in the text as it is in the table.
  expect(messages[0]!.value!.toString()).toContain('"after":{"id":9007199254740993,')
}, 300_000)
