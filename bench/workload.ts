/**
 * The deterministic workload of ../shared/bench in a log, and what its reference computes from it.
 * Loading parses and encodes through the contract, as the edge does; it is no part of any measurement.
 */
import { execFile } from 'node:child_process'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { TraceFlags } from '@opentelemetry/api'
import { newSpanIds } from '../observability/span-ids.ts'
import { traceparentOf } from '../observability/spans.ts'
import { createEncoder, type SchemaRegistry } from '../streams/contract/codec.ts'
import { keyOf } from '../streams/contract/events.ts'
import { parseEvent } from '../streams/contract/input.ts'
import { CLICKSTREAM, ORDERS } from '../streams/contract/topics.ts'
import type { EventLog, NewRecord } from '../streams/log/event-log.ts'
import { openLog } from './stores.ts'

export interface WorkloadSpec {
  events: number
  users: number
  latePerMillion: number
  /** The records name traces as those of an edge that traces do, with this share of its requests recorded. Missing: they name none. */
  tracedRatio?: number
}

/** The reference's figures by its own names (`sessions`, `alerts`, `revenue_cents` …): all events, and without those an engine may drop. */
export interface Expected {
  all: Record<string, number>
  withoutLate: Record<string, number>
}

/** The generator, the reference and the peers, beside the checkout. */
export const WORKLOAD_TOOLS = fileURLToPath(new URL('../../shared/bench/', import.meta.url))
const APPEND_RECORDS = 5_000

const run = promisify(execFile)

/** Makes the embedded log in `folder`, unless a run before has left it there. @throws Error naming what is missing */
export async function prepareWorkload(folder: string, spec: WorkloadSpec): Promise<Expected> {
  const known = join(folder, 'expected.json')
  if (existsSync(known)) return JSON.parse(await readFile(known, 'utf8')) as Expected
  const raw = join(folder, 'ndjson')
  const expected = await generateWorkload(raw, spec)
  const { log, registry } = await openLog(folder)
  await loadWorkload(raw, log, registry, spec.tracedRatio)
  await log.close()
  await registry.close()
  await rm(raw, { recursive: true })
  await writeFile(known, JSON.stringify(expected))
  return expected
}

/** Makes the NDJSON files of the topics in `raw`. @throws Error naming what is missing */
export async function generateWorkload(raw: string, spec: WorkloadSpec): Promise<Expected> {
  if (!existsSync(join(WORKLOAD_TOOLS, 'generate.mjs'))) {
    throw new Error(
      `The workload's generator is missing: ${WORKLOAD_TOOLS}generate.mjs. It is shared beside the checkout, as ../shared/bench.`,
    )
  }
  await mkdir(raw, { recursive: true })
  const { events, users, latePerMillion } = spec
  const numbers = { events, users, 'late-per-million': latePerMillion, out: raw }
  await run(process.execPath, [
    join(WORKLOAD_TOOLS, 'generate.mjs'),
    ...Object.entries(numbers).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ])
  return { all: await reference(raw), withoutLate: await reference(raw, '--drop-late') }
}

/** The reference prints `name=number` pairs. */
async function reference(raw: string, ...flags: string[]): Promise<Record<string, number>> {
  const { stdout } = await run(process.execPath, [join(WORKLOAD_TOOLS, 'reference.mjs'), raw, ...flags])
  return Object.fromEntries([...stdout.matchAll(/(\w+)=([\d.]+)/g)].map(([, name, value]) => [name, Number(value)]))
}

/** Appends the files' events in our wire format, in their order. */
export async function loadWorkload(
  raw: string,
  log: Pick<EventLog, 'append'>,
  registry: SchemaRegistry,
  tracedRatio?: number,
): Promise<void> {
  const headersOf = traceHeaders(tracedRatio)
  for (const topic of [CLICKSTREAM, ORDERS] as const) {
    const encode = (await createEncoder(topic, registry)) as (event: unknown) => Buffer
    const key = keyOf[topic] as (event: unknown) => string
    let records: NewRecord[] = []
    for await (const line of createInterface({ input: createReadStream(join(raw, `${topic}.ndjson`)) })) {
      const fields = JSON.parse(line) as { event_time: string }
      const receivedAt = Date.parse(fields.event_time)
      const parsed = parseEvent(topic, fields, { receivedAt, currency: 'TRY', newId: () => '' })
      if (!parsed.ok) throw new Error(`The workload has an event that is none: ${parsed.problem.message}`)
      records.push({ topic, key: key(parsed.event), value: encode(parsed.event), ...headersOf(topic) })
      if (records.length < APPEND_RECORDS) continue
      await log.append(records)
      records = []
    }
    await log.append(records)
  }
}

/** One request for each event, which is the most traces that there can be. Those that are not recorded are named by orders alone. */
function traceHeaders(ratio: number | undefined): (topic: string) => Pick<NewRecord, 'headers'> {
  let requests = 0
  return (topic) => {
    if (ratio === undefined) return {}
    const n = ++requests
    const isRecorded = Math.floor(n * ratio) > Math.floor((n - 1) * ratio)
    if (!isRecorded && topic !== ORDERS) return {}
    const traceFlags = isRecorded ? TraceFlags.SAMPLED : TraceFlags.NONE
    return { headers: { traceparent: traceparentOf({ ...newSpanIds(), traceFlags }) } }
  }
}
