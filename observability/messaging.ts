/** How spans name the log and what is done with it, by OpenTelemetry's conventions for messaging: the same at whoever appends and whoever reads. */
import type { Attributes } from '@opentelemetry/api'

/** What OpenTelemetry calls a log: Kafka, or our own. */
export type LogSystem = 'kafka' | 'streamforge'

/** @param destination the topic */
export const messaging = (system: LogSystem, operation: 'send' | 'process', destination: string): Attributes => ({
  'messaging.system': system,
  'messaging.operation.type': operation,
  'messaging.destination.name': destination,
})
