/** What the bridge of foreign topics reports. */
import type { Registry } from 'prom-client'
import type { Logger } from '../../observability/log.ts'
import { createReaderTelemetry } from '../reader-telemetry.ts'
import type { BridgeObserver } from './bridge.ts'

export function createBridgeTelemetry(register: Registry, logger: Logger): BridgeObserver {
  const { read, ...told } = createReaderTelemetry(register, logger, {
    prefix: 'streamforge_foreign',
    reader: 'The bridge of foreign topics',
    topics: 'foreign topics',
    outcome: 'event',
    knowsConsent: true,
  })
  return { ...told, forwarded: (at, { events, ...counts }) => read(at, { ...counts, done: events }) }
}
