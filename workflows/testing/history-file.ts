/**
 * Histories of real runs as files: proto3 JSON, as every tool of Temporal writes and reads it.
 * Invariant: nothing in one tells of the machine or the process it was recorded on.
 */
import { createRequire } from 'node:module'
import { hostname, tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { TASK_QUEUE } from '../policy.ts'

export type History = Parameters<typeof historyToJSON>[0]

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const WORKER = 'worker@recorded'

/** `historyToJSON` of the SDK looks for its types in a protobufjs of its own, where npm has installed one for each of its packages: that of the package with the types has to be asked. */
const common = createRequire(createRequire(import.meta.url).resolve('@temporalio/common'))
const proto = createRequire(common.resolve('@temporalio/proto'))
const { fromJson, toJson } = proto('protobufjs/ext/protojson') as {
  fromJson(type: unknown, json: unknown, options?: object): History
  toJson(type: unknown, message: History): unknown
}
const TYPE = proto('@temporalio/proto/lib/patch-protobuf-root')
  .patchProtobufRoot(common('@temporalio/proto'))
  .lookupType('temporal.api.history.v1.History') as { fromObject(plain: object): History }

export const readHistory = (text: string): History => fromJson(TYPE, JSON.parse(text), { ignoreUnknownFields: true })

/** What it began as: a definition may depend on its own id. */
export function startOf({ events }: History): { workflowId: string; runId: string; workflow: string } {
  const started = events?.[0]?.workflowExecutionStartedEventAttributes
  return {
    workflowId: started?.workflowId ?? '',
    runId: started?.originalExecutionRunId ?? '',
    workflow: started?.workflowType?.name ?? '',
  }
}

/** What it was recorded on. */
export interface Recorded {
  taskQueue: string
  dataDir: string
}

/** @throws Error where something of this machine is left in it */
export function historyText(history: History, { taskQueue, dataDir }: Recorded): string {
  const text = JSON.stringify(
    scrubbed(toJson(TYPE, TYPE.fromObject(history)), [
      [taskQueue, TASK_QUEUE],
      [dataDir, '/data'],
    ]),
    null,
    1,
  )
  const payloads = [...text.matchAll(/"data": "([^"]*)"/g)].map(([, data]) => decoded(data!))
  const telling = [ROOT, tmpdir(), `@${hostname()}`, `${process.pid}@`]
  for (const piece of [text, ...payloads])
    for (const tell of telling)
      if (piece.includes(tell)) throw new Error(`The history tells of this machine: ${piece.slice(0, 500)}`)
  return `${text}\n`
}

function scrubbed(value: unknown, names: readonly (readonly [string, string])[]): unknown {
  if (Array.isArray(value)) return value.map((one) => scrubbed(one, names))
  if (typeof value === 'string') return scrubbedText(value, names)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      // Paths of the machine, and nothing that a replay compares.
      .filter(([key]) => key !== 'stackTrace')
      .map(([key, one]) => {
        if (key === 'identity') return [key, WORKER]
        const isPayload = key === 'data' && typeof one === 'string'
        return [key, isPayload ? encoded(scrubbedText(decoded(one), names)) : scrubbed(one, names)]
      }),
  )
}

const decoded = (data: string): string => Buffer.from(data, 'base64').toString()
/** Payloads are JSON. */
const encoded = (text: string): string => Buffer.from(text).toString('base64')

const scrubbedText = (text: string, names: readonly (readonly [string, string])[]): string =>
  names
    .reduce((so, [name, said]) => so.replaceAll(name, said), text)
    .replaceAll(new RegExp(`\\d+@${hostname().replace(/[^\w]/g, '\\$&')}`, 'g'), WORKER)
