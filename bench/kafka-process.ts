/**
 * A measured process of the Kafka benchmark: the runtime as a member of the group, until it has read all of its partitions and written all results.
 * It tells when it has caught up, then waits until all have, then stops and tells its figures.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { CLICKSTREAM, ORDERS } from '../streams/contract/topics.ts'
import { openEmbeddedRegistry } from '../streams/log/embedded-registry.ts'
import { openKafkaLog } from '../streams/log/kafka.ts'
import { StreamRuntime } from '../streams/runtime/runtime.ts'
import { partSettings, tell, told } from './child.ts'
import { ownCpuSeconds, residentMiB } from './measure.ts'
import { QUERY_JOBS } from './queries.ts'
import { withTopicPrefix } from './renamed-log.ts'
import { openResults } from './stores.ts'
import { countWritten, type Written } from './written.ts'

export interface KafkaRunSettings {
  brokers: string[]
  group: string
  /** Before the names of the input topics. */
  prefix: string
  registryFolder: string
  /** Of this run: checkpoints and features. */
  folder: string
  postgresUrl: string
  jobs: keyof typeof QUERY_JOBS
  owner: string
}

export interface KafkaRunFigures {
  events: number
  /** Since the partitions were last dealt out, at {@link settledMs} (epoch); the ones before are of a group that was not complete. */
  eventsSinceSettled: number
  settledMs: number
  /** The first record was handed over, and everything was written; epoch. */
  firstMs: number
  doneMs: number
  /** From the first record on. */
  cpuSeconds: number
  /** Of the whole process: with start-up, and what compiling the code costs. */
  processCpuSeconds: number
  peakMiB: number
  flushes: number
  checkpoints: number
  checkpointMiB: number
}

const settings = partSettings<KafkaRunSettings>()
const started = { ms: Date.now(), cpu: 0 }
const figures: Written = { flushes: 0, checkpoints: 0, checkpointMiB: 0 }
const log = await openKafkaLog({ brokers: settings.brokers, clientId: settings.owner })
const registry = openEmbeddedRegistry(settings.registryFolder)
const results = await openResults(settings.folder, settings.postgresUrl)
const runtime = new StreamRuntime(
  {
    ...results.deps,
    registry,
    log: withTopicPrefix(log, [CLICKSTREAM, ORDERS], settings.prefix, () => {
      started.ms = Date.now()
      started.cpu = ownCpuSeconds()
    }),
    topology: QUERY_JOBS[settings.jobs],
    observer: countWritten(figures),
  },
  { group: settings.group, owner: settings.owner, topics: [CLICKSTREAM, ORDERS] },
)

const eventsSoFar = () => runtime.tasks.reduce((sum, { task }) => sum + task.counters.events, 0)
const held = { names: '', atMs: 0, events: 0 }
const running = runtime.run()
while (runtime.tasks.length === 0 || runtime.tasks.some((t) => t.task.nextOffset < t.endOffset)) {
  const names = runtime.tasks.map(({ task }) => `${task.topic}${task.partition}`).join()
  if (names !== held.names) Object.assign(held, { names, atMs: Date.now(), events: eventsSoFar() })
  await Promise.race([delay(25), running])
}
const events = eventsSoFar()
tell({})
await told()
await runtime.stop(120_000)
await running

const answer: KafkaRunFigures = {
  ...figures,
  events,
  eventsSinceSettled: events - held.events,
  settledMs: held.atMs,
  firstMs: started.ms,
  doneMs: Date.now(),
  cpuSeconds: ownCpuSeconds() - started.cpu,
  processCpuSeconds: ownCpuSeconds(),
  peakMiB: residentMiB().peak,
}
tell(answer)
await log.close()
await registry.close()
await results.close()
