/** A client of Temporal: for starting workflows, asking them, and for schedules. Used by commands, tests and the worker's mirror of runs. */
import { Client, Connection } from '@temporalio/client'
import { OpenTelemetryWorkflowClientInterceptor } from '@temporalio/interceptors-opentelemetry-v2'

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

/** @throws TemporalUnavailable */
export async function connectTemporal({ address, namespace }: TemporalTarget): Promise<TemporalClient> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: '5s' })
    const client = new Client({
      connection,
      namespace,
      interceptors: { workflow: [new OpenTelemetryWorkflowClientInterceptor()] },
    })
    return Object.assign(client, { close: () => connection.close() })
  } catch (cause) {
    throw new TemporalUnavailable(
      `Temporal does not answer at ${address}. Is it running? TEMPORAL_ADDRESS says where it is.`,
      { cause },
    )
  }
}
