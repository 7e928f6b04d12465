/**
 * The broker that the peers of ../shared/bench read from, on its fixed port, with the workload loaded in both forms: their JSON under their topics' names, and
 * the same events in our wire format under the same names with {@link AVRO_PREFIX} before them.
 */
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Admin } from 'kafkajs'
import { CLICKSTREAM, ORDERS, TOPICS } from '../streams/contract/topics.ts'
import { openEmbeddedRegistry } from '../streams/log/embedded-registry.ts'
import { createTopics, reportTopics, withKafkaAdmin } from '../streams/log/kafka/topics.ts'
import { openKafkaLog } from '../streams/log/kafka.ts'
import { withTopicPrefix } from './renamed-log.ts'
import { BenchmarkUnavailable } from './report.ts'
import { type Expected, generateWorkload, loadWorkload, WORKLOAD_TOOLS, type WorkloadSpec } from './workload.ts'

export const PEER_BROKERS = ['localhost:29092']
export const AVRO_PREFIX = 'avro.'
const INPUTS = [CLICKSTREAM, ORDERS] as const

const run = promisify(execFile)
const connection = { brokers: PEER_BROKERS, clientId: 'streamforge-bench' }

export interface LoadedBroker {
  expected: Expected
  registryFolder: string
  /** What the broker has used so far. */
  cpuSeconds(): Promise<number>
  stop(): Promise<void>
}

/** One of the shell scripts beside the workload. @throws BenchmarkUnavailable with what it said */
export async function tool(
  script: 'bench.sh' | 'kafka.sh',
  args: readonly string[],
  env = process.env,
): Promise<string> {
  const path = join(WORKLOAD_TOOLS, script)
  if (!existsSync(path))
    throw new BenchmarkUnavailable(`${path} is missing: it is shared beside the checkout, as ../shared/bench.`)
  const child = spawn(path, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  let out = ''
  child.stdout.on('data', (text) => {
    out += text
  })
  child.stderr.on('data', (text) => {
    said += text
  })
  const code = await new Promise((resolve) => child.once('exit', resolve))
  if (code !== 0)
    throw new BenchmarkUnavailable(`${script} ${args.join(' ')} ended with ${code}: ${(said + out).trim().slice(-600)}`)
  return out.trim()
}

/**
 * Starts the broker unless it runs, and loads what it lacks. A broker that was running is left running, with its data.
 * @param folder keeps the files and the schema registry; one that was kept saves the time to make them
 * @throws BenchmarkUnavailable where there is no Java, no Maven or no workload
 */
export async function openBroker(
  folder: string,
  spec: WorkloadSpec,
  say: (text: string) => void,
): Promise<LoadedBroker> {
  await run('java', ['-version']).catch(() => {
    throw new BenchmarkUnavailable('It needs Java 17 on the PATH (Debian: openjdk-17-jre-headless).')
  })
  const registryFolder = join(folder, 'registry')
  const raw = join(folder, 'ndjson')
  const wasRunning = (await tool('kafka.sh', ['start'])).includes('already runs')
  const stop = async () => void (wasRunning || (await tool('kafka.sh', ['stop'])))
  try {
    const knownPath = join(folder, 'expected.json')
    const wanted = JSON.stringify(spec)
    const known = existsSync(knownPath)
      ? (JSON.parse(await readFile(knownPath, 'utf8')) as { spec: string; expected: Expected; cluster: string })
      : null
    const cluster = await withKafkaAdmin(connection, async (admin) => (await admin.describeCluster()).clusterId)
    let expected = known?.spec === wanted ? known.expected : null
    if (!expected) {
      say('generating the workload …')
      expected = await generateWorkload(raw, spec)
    }
    // Another run may have loaded another workload since.
    if (known?.spec !== wanted || known.cluster !== cluster || !(await holds(spec.events))) {
      say('loading it as JSON …')
      await tool('bench.sh', ['build'])
      await tool('bench.sh', ['load', raw])
      say('loading it as Avro …')
      await loadAvro(raw, registryFolder)
      await writeFile(knownPath, JSON.stringify({ spec: wanted, expected, cluster }))
    }
    return { expected, registryFolder, cpuSeconds: async () => Number(await tool('kafka.sh', ['cpu'])), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Whether both forms have that many records. */
const holds = (events: number): Promise<boolean> =>
  withKafkaAdmin(connection, async (admin) => {
    const there = new Set(await admin.listTopics())
    for (const prefix of ['', AVRO_PREFIX]) {
      let records = 0
      for (const name of INPUTS.map((topic) => prefix + topic)) {
        if (!there.has(name)) return false
        for (const { high, low } of await admin.fetchTopicOffsets(name)) records += Number(high) - Number(low)
      }
      if (records !== events) return false
    }
    return true
  })

async function loadAvro(raw: string, registryFolder: string): Promise<void> {
  const renamed = INPUTS.map((name) => AVRO_PREFIX + name)
  await withKafkaAdmin(connection, async (admin) => {
    const there = new Set(await admin.listTopics())
    const old = renamed.filter((name) => there.has(name))
    if (old.length > 0) await admin.deleteTopics({ topics: old })
    await untilGone(admin, old)
    // Where alerts and late events go, and the topics of the Avro form.
    const inputs = TOPICS.filter(({ name }) => (INPUTS as readonly string[]).includes(name))
    await createTopics(admin, (await reportTopics(admin)).missing, { replication: 1 })
    await createTopics(
      admin,
      inputs.map((topic) => ({ ...topic, name: AVRO_PREFIX + topic.name })),
      { replication: 1 },
    )
  })
  const log = await openKafkaLog(connection)
  const registry = openEmbeddedRegistry(registryFolder)
  try {
    await loadWorkload(raw, withTopicPrefix(log, INPUTS, AVRO_PREFIX), registry)
  } finally {
    await log.close()
    await registry.close()
  }
}

async function untilGone(admin: Admin, topics: readonly string[]): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const there = new Set(await admin.listTopics())
    if (!topics.some((name) => there.has(name))) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`Kafka still has ${topics.join(', ')} 10 s after they were deleted.`)
}
