/** What the projection of a shop's changes reports. */
import type { Registry } from 'prom-client'
import type { Logger } from '../../observability/log.ts'
import { createReaderTelemetry } from '../reader-telemetry.ts'
import type { ProjectorObserver } from './projector.ts'

export function createProjectorTelemetry(register: Registry, logger: Logger): ProjectorObserver {
  const { read, ...told } = createReaderTelemetry(register, logger, {
    prefix: 'streamforge_cdc_projection',
    reader: 'The projection of changes',
    topics: 'topics of changes',
    outcome: 'applied',
  })
  return { ...told, applied: (at, { changes, ...counts }) => read(at, { ...counts, done: changes }) }
}
