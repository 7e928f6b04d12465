/** Why an alert fired, and what became of an event: questions about single events, answered from results, log and lake. This is what the rest of the project may use. */
import { createDuckdbEngine, type Lake } from '../../db/lake/index.ts'
import { createEventTracer, type EventTracer, type TrailDeps } from './event-trail.ts'
import { type AlertExplainer, createAlertExplainer } from './explain.ts'
import { createLakeReader } from './lake-reader.ts'

export type { Change } from './changes.ts'
export type { EventStatus, EventTracer, EventTrail, JobOutcome, RecordTrail } from './event-trail.ts'
export type { AlertExplainer, Arrival, Explained } from './explain.ts'
export type { EventQuestion } from './find-records.ts'
export type { JudgedOn } from './orders-around.ts'
export type { RuleView } from './rules.ts'
export type { Step, WhatIf } from './what-if.ts'

export interface Evidence {
  explainer: AlertExplainer
  tracer: EventTracer
}

export interface EvidenceOptions extends Omit<TrailDeps, 'lake'> {
  /** null: there is none here. */
  lake: Lake | null
}

/** Beside everything else of an edge. */
const DUCK = { memoryMb: 256, threads: 2 }

export function createEvidence({ lake, ...deps }: EvidenceOptions): Evidence {
  const reader = lake && createLakeReader(lake, createDuckdbEngine(lake, DUCK))
  return {
    explainer: createAlertExplainer({ ...deps, lake: reader }),
    tracer: createEventTracer({ ...deps, lake: reader }),
  }
}
