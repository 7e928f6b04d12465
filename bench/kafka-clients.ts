/**
 * Kafka clients on our own load, one process per measurement: `node --import ./cli/typescript.mjs bench/kafka-clients.ts [--events N] [--platformatic DIR] [--node PATH]`.
 * DIR is a folder with `node_modules/@platformatic/kafka`, which is no dependency; PATH a Node that it runs on. The results and what follows from them: kafka-clients.md.
 *
 * Load: values of 131 bytes, as our clickstream events have in Avro, keyed by user, into 4 partitions; appends of 100 records, 8 at a time, as the edge makes
 * them; then everything is read from the start. What counts is the CPU of the client's process.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import kafkajs from 'kafkajs'
import { startKafka } from '../cli/servers/index.ts'
import { loadConfig } from '../db/config.ts'
import { createAndAwait } from '../streams/log/kafka/create-topics.ts'
import { openKafkaLog } from '../streams/log/kafka.ts'
import { ownCpuSeconds, residentMiB } from './measure.ts'

const { Kafka, logLevel } = kafkajs
const PARTITIONS = 4
const VALUE_BYTES = 131
const PER_APPEND = 100
const AT_ONCE = 8

interface Task {
  client: string
  what: 'produce' | 'consume'
  brokers: string[]
  topic: string
  events: number
  platformatic: string
}
interface Result {
  cpu: number
  seconds: number
  peak: number
}
type Send = (records: { key: string; value: Buffer }[]) => Promise<unknown>
interface Client {
  producer(task: Task): Promise<{ send: Send; close(): Promise<unknown> }>
  /** Reads until `events` records were counted. */
  consume(task: Task): Promise<void>
}

const group = (task: Task): string => `${task.client}-${process.pid}`

/** What `@platformatic/kafka` offers of what is used here; it is no dependency, so there are no types. */
interface Platformatic {
  Producer: new (
    options: object,
  ) => {
    send(request: object): Promise<unknown>
    close(): Promise<void>
  }
  Consumer: new (
    options: object,
  ) => {
    consume(options: object): Promise<AsyncIterable<{ value: Buffer }> & { close(): Promise<void> }>
    close(force: boolean): Promise<void>
  }
  stringSerializer(text: string): Buffer
  stringDeserializer(bytes: Buffer): string
}
async function platformatic({ platformatic: folder }: Task): Promise<Platformatic> {
  const entry = createRequire(join(folder, 'x.js')).resolve('@platformatic/kafka')
  return (await import(pathToFileURL(entry).href)) as Platformatic
}

const CLIENTS: Record<string, Client> = {
  'our log': {
    async producer({ brokers, topic }) {
      const log = await openKafkaLog({ brokers, clientId: 'bench' })
      return { send: (records) => log.append(records.map((r) => ({ topic, ...r }))), close: () => log.close() }
    },
    async consume(task) {
      const log = await openKafkaLog({ brokers: task.brokers, clientId: 'bench' })
      const subscription = log.subscribe(group(task), [task.topic])
      let count = 0
      const done = subscription.run({
        assigned: async () => new Map(),
        revoked: async () => {},
        async batch({ records }) {
          count += records.length
          if (count >= task.events) void subscription.stop()
        },
      })
      await done
      await log.close()
    },
  },
  kafkajs: {
    async producer({ brokers, topic }) {
      const producer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).producer({
        idempotent: true,
        maxInFlightRequests: 1,
      })
      await producer.connect()
      return { send: (messages) => producer.send({ topic, messages }), close: () => producer.disconnect() }
    },
    async consume(task) {
      const consumer = new Kafka({ brokers: task.brokers, logLevel: logLevel.NOTHING }).consumer({
        groupId: group(task),
      })
      await consumer.connect()
      await consumer.subscribe({ topics: [task.topic], fromBeginning: true })
      let count = 0
      await new Promise<void>((resolve) => {
        void consumer.run({
          autoCommit: false,
          async eachBatch({ batch }) {
            for (const { key, value } of batch.messages) if (key!.toString() && value) count++
            if (count >= task.events) resolve()
          },
        })
      })
      await consumer.disconnect()
    },
  },
  platformatic: {
    async producer(task) {
      const { Producer, stringSerializer } = await platformatic(task)
      const producer = new Producer({
        clientId: 'bench',
        bootstrapBrokers: task.brokers,
        idempotent: true,
        acks: -1,
        serializers: { key: stringSerializer },
      })
      const { topic } = task
      return {
        // Of idempotent requests that are under way together it numbers some out of order, and the broker refuses them (1.35.0): so one at a time, with all that waits.
        send: oneAtATime((records) => producer.send({ messages: records.map((r) => ({ topic, ...r })) })),
        close: () => producer.close(),
      }
    },
    async consume(task) {
      const { Consumer, stringDeserializer } = await platformatic(task)
      const consumer = new Consumer({
        clientId: 'bench',
        groupId: group(task),
        bootstrapBrokers: task.brokers,
        deserializers: { key: stringDeserializer },
      })
      const stream = await consumer.consume({
        topics: [task.topic],
        mode: 'earliest',
        autocommit: false,
        maxWaitTime: 100,
      })
      let count = 0
      for await (const message of stream) if (message.value && ++count >= task.events) break
      await consumer.close(true)
    },
  },
}

/** One request is under way; what comes meanwhile goes out together with the next. */
function oneAtATime(send: Send): Send {
  let waiting: Parameters<Send>[0] = []
  let next: Promise<unknown> | null = null
  let current: Promise<unknown> = Promise.resolve()
  return (records) => {
    waiting.push(...records)
    next ??= current.then(() => {
      const all = waiting
      waiting = []
      next = null
      current = send(all)
      return current
    })
    return next
  }
}

/** Values that are made before anything is measured, and used in turn. */
function makeRecords(events: number): { key: string; value: Buffer }[][] {
  const values = Array.from({ length: 1_000 }, (_, i) => Buffer.from(`${i}`.padEnd(VALUE_BYTES, 'abcdefghij')))
  const appends = Array.from({ length: Math.ceil(Math.min(events, 50_000) / PER_APPEND) }, (_, a) =>
    Array.from({ length: PER_APPEND }, (_, i) => {
      const n = (a * PER_APPEND + i) * 7_919
      return { key: `user-${n % 20_000}`, value: values[n % values.length]! }
    }),
  )
  return appends
}

async function measure(task: Task): Promise<Result> {
  const client = CLIENTS[task.client]!
  if (task.what === 'consume') {
    const begun = { cpu: ownCpuSeconds(), ms: performance.now() }
    await client.consume(task)
    return {
      cpu: ownCpuSeconds() - begun.cpu,
      seconds: (performance.now() - begun.ms) / 1_000,
      peak: residentMiB().peak,
    }
  }
  const appends = makeRecords(task.events)
  const { send, close } = await client.producer(task)
  const total = task.events / PER_APPEND
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < total) await send(appends[next++ % appends.length]!)
  }
  const begun = { cpu: ownCpuSeconds(), ms: performance.now() }
  await Promise.all(Array.from({ length: AT_ONCE }, caller))
  const result = {
    cpu: ownCpuSeconds() - begun.cpu,
    seconds: (performance.now() - begun.ms) / 1_000,
    peak: residentMiB().peak,
  }
  await close()
  return result
}

function inProcess(node: string, task: Task): Promise<Result> {
  const typescript = new URL('../cli/typescript.mjs', import.meta.url).href
  const child = spawn(node, ['--import', typescript, fileURLToPath(import.meta.url), JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  return new Promise((done, failed) => {
    child.once('close', (code) =>
      code === 0 ? done(JSON.parse(out) as Result) : failed(new Error(`${task.client} ended with ${code}`)),
    )
  })
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      events: { type: 'string', default: '400000' },
      platformatic: { type: 'string', default: '' },
      node: { type: 'string', default: process.execPath },
    },
  })
  const events = Number(values.events)
  const folder = await mkdtemp(join(tmpdir(), 'streamforge-bench-kafka-'))
  const server = await startKafka({
    folder,
    serversDir: loadConfig(process.env).serversDir,
    heapMb: 1_024,
    log: console.error,
  })
  const admin = new Kafka({ brokers: [...server.brokers], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    const runs: [string, string][] = [
      ['our log', process.execPath],
      ['kafkajs', process.execPath],
    ]
    if (values.platformatic) runs.push(['platformatic', values.node])
    if (values.node !== process.execPath) runs.push(['our log', values.node], ['kafkajs', values.node])
    console.log('| client | node | | CPU s per million | records/s | peak MiB |\n| --- | --- | --- | --- | --- | --- |')
    for (const [i, [client, node]] of runs.entries()) {
      const topic = `bench-${i}`
      await createAndAwait(admin, [{ topic, numPartitions: PARTITIONS }])
      for (const what of ['produce', 'consume'] as const) {
        const { cpu, seconds, peak } = await inProcess(node, {
          client,
          what,
          brokers: [...server.brokers],
          topic,
          events,
          platformatic: values.platformatic,
        })
        const million = events / 1e6
        const name = node === process.execPath ? process.version : 'other'
        console.log(
          `| ${client} | ${name} | ${what} | ${(cpu / million).toFixed(1)} | ${Math.round(events / seconds).toLocaleString('en')} | ${peak} |`,
        )
      }
    }
  } finally {
    await admin.disconnect()
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

const task = process.argv[2]
if (task?.startsWith('{')) {
  process.stdout.write(JSON.stringify(await measure(JSON.parse(task) as Task)))
  process.exit(0)
} else await main()
