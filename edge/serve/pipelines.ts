/** How the pipelines are, from what their tasks last reported: lag, watermark, and whether one is stuck. Pure. */
import { toIso } from '../../streams/contract/time-text.ts'
import type { Pipeline } from '../ports.ts'
import type { Freshness } from './envelope.ts'

/** A task reports at least every few seconds while it lives; one that has records to read and says nothing for so long is stuck. */
export const STUCK_AFTER_MS = 30_000

/**
 * `idle`: has read everything. `live`: reads along with what comes, and publishes provisional results. `catching_up`: works off a backlog, and publishes
 * final results only. `stuck`: behind, and silent.
 */
export const PIPELINE_STATUSES = ['idle', 'live', 'catching_up', 'stuck'] as const
export type PipelineStatus = (typeof PIPELINE_STATUSES)[number]

export interface PipelineHealth {
  topic: string
  partition: number
  status: PipelineStatus
  /** Records of the partition not yet read, as last seen. */
  lag: number
  watermark: string | null
  events: number
  late: number
  duplicates: number
  dead_letters: number
  updated_at: string
}

export function healthOf(state: Pipeline, now: number): PipelineHealth {
  const { lag } = state
  return {
    topic: state.topic,
    partition: state.partition,
    status: statusOf(state, now),
    lag,
    watermark: state.watermark === null ? null : toIso(state.watermark),
    events: state.events,
    late: state.late,
    duplicates: state.duplicates,
    dead_letters: state.dead_letters,
    updated_at: toIso(state.updated_at),
  }
}

function statusOf({ lag, live, updated_at }: Pipeline, now: number): PipelineStatus {
  if (lag === 0) return 'idle'
  if (now - updated_at > STUCK_AFTER_MS) return 'stuck'
  return live ? 'live' : 'catching_up'
}

/** The newest watermark of all partitions: how far the data reaches. A partition without traffic does not hold it back. */
export function watermarkOf(pipelines: readonly Pipeline[]): Freshness {
  let newest: number | null = null
  for (const { watermark } of pipelines)
    if (watermark !== null && (newest === null || watermark > newest)) newest = watermark
  return { watermarkMs: newest }
}
