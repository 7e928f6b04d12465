/**
 * The Temporal of the running platform, or the one that TEMPORAL_ADDRESS names, connected to for a command.
 * Invariant: what a person can mend (no platform, no Temporal, no such namespace) is told in a sentence.
 */
import { NamespaceNotFoundError, ServiceError } from '@temporalio/client'
import { inTraceOf, spanContextOf } from '../observability/spans.ts'
import { connectTemporal, type TemporalClient, type TemporalTarget, TemporalUnavailable } from '../workflows/client.ts'
import { CommandFailed, type CommandIo } from './command.ts'
import { findPlatform } from './platform.ts'
import { reasonOf } from './reason.ts'
import { configAt } from './settings.ts'

export interface TemporalPlace {
  target: TemporalTarget
  taskQueue: string
  /** Without a slash at its end; null: unknown. */
  uiUrl: string | null
}

export interface OpenedTemporal extends TemporalPlace {
  client: TemporalClient
}

export const TEMPORAL_OPTIONS = { data: { type: 'string' } } as const
export const TEMPORAL_USAGE =
  '  --data DIR        data folder of the running platform (default: STREAMFORGE_DATA_DIR, else ./data); elsewhere, TEMPORAL_ADDRESS, and TEMPORAL_NAMESPACE and TEMPORAL_TASK_QUEUE where they are not the default'

/** @throws CommandFailed when there is neither TEMPORAL_ADDRESS nor a running platform with a Temporal */
export async function findTemporal(
  given: { data?: string | undefined },
  io: Pick<CommandIo, 'env' | 'cwd'>,
): Promise<TemporalPlace> {
  const config = configAt(given, io)
  const named = {
    target: { address: config.temporalAddress, namespace: config.temporalNamespace },
    taskQueue: config.temporalTaskQueue,
    uiUrl: config.temporalUiUrl || null,
  }
  if (config.temporalAddress !== '') return named
  const platform = await findPlatform(config.dataDir)
  if (platform === null)
    throw new CommandFailed(
      `No platform is running on ${config.dataDir}. Start one with "npm start", name its data folder with --data, or its Temporal with TEMPORAL_ADDRESS.`,
    )
  const told = (name: string): string | undefined => {
    const value = platform[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const address = told('temporal_address')
  if (address === undefined)
    throw new CommandFailed(
      `The platform on ${config.dataDir} has no Temporal, or it is still starting: "streamforge status" tells. STREAMFORGE_WORKFLOWS=off runs none.`,
    )
  return {
    target: { address, namespace: told('temporal_namespace') ?? named.target.namespace },
    taskQueue: told('temporal_task_queue') ?? named.taskQueue,
    uiUrl: told('temporal_ui_url')?.replace(/\/+$/, '') ?? named.uiUrl,
  }
}

/** Connects, lets the work be done, closes. @throws CommandFailed for all that a person can mend */
export async function withTemporal<R>(
  options: { data?: string | undefined },
  io: Pick<CommandIo, 'env' | 'cwd'>,
  work: (opened: OpenedTemporal) => Promise<R>,
): Promise<R> {
  const place = await findTemporal(options, io)
  const { address, namespace } = place.target
  let client: TemporalClient | undefined
  try {
    client = await connectTemporal(place.target)
    const opened = { ...place, client }
    // Where a command belongs to a trace, OpenTelemetry has that said by this variable.
    return await inTraceOf(spanContextOf(io.env.TRACEPARENT), () => work(opened))
  } catch (error) {
    if (error instanceof TemporalUnavailable) throw new CommandFailed(error.message, { cause: error })
    if (error instanceof NamespaceNotFoundError)
      throw new CommandFailed(
        `Temporal at ${address} has no namespace "${namespace}". TEMPORAL_NAMESPACE says which it is.`,
      )
    if (error instanceof ServiceError) throw new CommandFailed(`Temporal at ${address} refused it: ${reasonOf(error)}`)
    throw error
  } finally {
    await client?.close()
  }
}

/** With a link to its page, where one is known. */
export const startedText = (workflow: string, id: string, runId: string, { uiUrl, target }: TemporalPlace): string =>
  `${workflow} has started as ${id}.\n${
    uiUrl === null
      ? ''
      : `${uiUrl}/namespaces/${target.namespace}/workflows/${encodeURIComponent(id)}/${encodeURIComponent(runId)}\n`
  }`
