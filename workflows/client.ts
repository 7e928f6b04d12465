/** A client of Temporal: for starting workflows, asking them, and for schedules. Used by commands, tests and the worker's mirror of runs. */
import { Client, Connection, type ConnectionOptions } from '@temporalio/client'
import { clientSpans } from './tracing/client.ts'

export interface TemporalTarget {
  /** `host:port` */
  address: string
  namespace: string
}

/** Temporal can't be reached; the message says where it was looked for. */
export class TemporalUnavailable extends Error {
  override readonly name = 'TemporalUnavailable'
}

export interface TemporalClient extends Client {
  close(): Promise<void>
}

export const noAnswer = ({ address }: TemporalTarget, cause: unknown): TemporalUnavailable =>
  new TemporalUnavailable(`Temporal does not answer at ${address}. Is it running? TEMPORAL_ADDRESS says where it is.`, {
    cause,
  })

/** @throws TemporalUnavailable */
export async function connectTemporal(target: TemporalTarget): Promise<TemporalClient> {
  try {
    return clientOf(await Connection.connect({ ...optionsOf(target), connectTimeout: '5s' }), target)
  } catch (cause) {
    throw noAnswer(target, cause)
  }
}

/** Connects when it is first used, and again after Temporal was away. */
export const openTemporal = (target: TemporalTarget): TemporalClient =>
  clientOf(Connection.lazy(optionsOf(target)), target)

/** gRPC would wait for up to two minutes before it tries to connect again. */
const RECONNECT_MS_MAX = 10_000

const optionsOf = ({ address }: TemporalTarget): ConnectionOptions => ({
  address,
  channelArgs: { 'grpc.max_reconnect_backoff_ms': RECONNECT_MS_MAX },
})

function clientOf(connection: Connection, { namespace }: TemporalTarget): TemporalClient {
  const client = new Client({
    connection,
    namespace,
    interceptors: { workflow: [clientSpans()] },
  })
  return Object.assign(client, { close: () => connection.close() })
}
