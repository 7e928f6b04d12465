/**
 * The steps of an erasure, as activities. Whom it is about they read from PostgreSQL, by the erasure's id: neither what they are given nor what they answer, tell or throw holds it, for Temporal keeps
 * all of that.
 *
 * Invariants: each is safe to repeat; what is noted are counts.
 */
import { CancelledFailure } from '@temporalio/common'
import {
  completeErasure,
  noteErasureState,
  noteHindrance,
  noteLogEnds,
  noteRecords,
  noteStep,
  noteSubject,
  openErasure,
} from '../../db/postgres/erasure-progress.ts'
import { eraseFromLake } from '../../db/privacy/erase-from-lake.ts'
import { eraseFromOutbox, eraseFromPostgres, vacuumErased } from '../../db/privacy/erase-from-postgres.ts'
import { eraseFromWarehouse } from '../../db/privacy/erase-from-warehouse.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import { SHADOW_PREFIX } from '../../streams/shadow/index.ts'
import { collectSubject } from '../erasure/collect.ts'
import { appendRecords, endsOf, goneByMs, isPersonal, stillHeld } from '../erasure/in-log.ts'
import { notForgotten } from '../erasure/in-streams.ts'
import { createSteps, erasedSubject, idsOf, subjectOf } from '../erasure/steps.ts'
import { unnamed } from '../erasure/unnamed.ts'
import type { ActivityDeps } from './deps.ts'

export type ErasureActivities = ReturnType<typeof erasureActivities>

export interface ErasureRef {
  id: string
}

/** Before the log's retention has passed; and after it, for what was still being written then. */
export type ErasurePass = 'first' | 'second'

const stepOf = (what: string, pass: ErasurePass): string => (pass === 'first' ? what : `${what} again`)

const LAKE_AWAITED = 'The lake is awaited: is the lake-writer running?'

export const erasureActivities = (
  deps: ActivityDeps,
  { step, withLog, until, lakeHas } = createSteps(deps),
  { lake, engine, clock, settings, warehouse, database: { sql } } = deps,
) => ({
  /** Finds out who the person is in the data. Nothing is erased yet. */
  async collectPerson({ id }: ErasureRef): Promise<boolean> {
    await noteErasureState(sql, id, { state: 'running', failure: null, nowMs: clock.now() })
    return step(id, 'collect', async (running) => {
      const { erasure, signal } = running
      const from = await withLog(({ log, topics }) => endsOf(log, topics.filter(isPersonal)))
      // An anonymous id may have become the user's a moment ago.
      await until(() => lakeHas(from), running, LAKE_AWAITED)
      const { subject, shared, sessions } = await collectSubject({ sql, lake, engine }, erasure.user_id, signal)
      await noteSubject(sql, id, { ...subject, from })
      const ids = Object.keys(subject.pseudonyms).length
      return { ids, shared_ids_kept: shared, sessions, alerts: subject.alerts.length }
    })
  },

  /** Tells the streams, by records in the log, and waits until they have forgotten. */
  eraseFromStreams: ({ id }: ErasureRef): Promise<boolean> =>
    step(id, 'streams', async (running) => {
      const { erasure, ids, signal } = running
      const { from } = subjectOf(erasure)
      const records = await withLog(({ log }) =>
        appendRecords(log, { erasureId: id, ids, from, requestedAt: erasure.requested_at, signal }),
      )
      await noteRecords(sql, id, records, clock.now())
      const isForgotten = async () => ((await notForgotten(sql, records)).length === 0 ? true : null)
      await until(isForgotten, running, 'The streams are awaited: are they running?')
      return { records: records.length }
    }),

  eraseFromLake: ({ id, pass }: ErasureRef & { pass: ErasurePass }): Promise<boolean> =>
    step(id, stepOf('lake', pass), async (running) => {
      const { erasure, signal, report } = running
      await until(() => lakeHas(erasure.records), running, LAKE_AWAITED)
      return eraseFromLake(lake, erasedSubject(erasure), { signal, onProgress: report, memoryMb: settings.memoryMb })
    }),

  /** Once the lake is without the person. What keeps it from its work is told with the erasure, and it is tried again. */
  async eraseFromWarehouse({ id, pass }: ErasureRef & { pass: ErasurePass }): Promise<boolean> {
    try {
      return await step(id, stepOf('warehouse', pass), async ({ erasure, signal, report }) => {
        if (warehouse === null) return { warehouse: 'none' }
        const rows = await eraseFromWarehouse(warehouse, erasedSubject(erasure), { signal, onTable: report })
        await noteHindrance(sql, id, { why: null, nowMs: clock.now() })
        return { rows }
      })
    } catch (error) {
      if (!(error instanceof CancelledFailure)) {
        const { message, code } = error as Error & { code?: string }
        const why = `The warehouse is awaited, and it goes on trying: ${message || code}`
        await noteHindrance(sql, id, { why, nowMs: clock.now() })
      }
      throw error
    }
  },

  eraseFromDatabase: ({ id, pass }: ErasureRef & { pass: ErasurePass }): Promise<boolean> =>
    step(id, stepOf('database', pass), async (running) => {
      const { erasure, ids } = running
      const outbox = await until(() => eraseFromOutbox(sql, ids), running, 'Records are to be published first')
      const subject = subjectOf(erasure)
      const rows = await eraseFromPostgres(sql, { subject, records: erasure.records, shadows: SHADOW_PREFIX })
      await vacuumErased(sql)
      return { rows: { ...rows, outbox } }
    }),

  /** @returns whether everything that may tell of the person has left the log by its retention */
  async logHasPassed({ id }: ErasureRef): Promise<boolean> {
    const erasure = await openErasure(sql, id)
    if (erasure === null || erasure.steps.some((done) => done.step === 'log')) return true
    return unnamed(idsOf(erasure), () =>
      withLog(async ({ log, topics }) => {
        const nowMs = clock.now()
        const ends = erasure.log_ends ?? (await endsOf(log, topics.filter(isPersonal)))
        const held = await stillHeld(log, ends)
        const untilMs = goneByMs(held, topics, nowMs)
        if (erasure.log_ends === null) await noteLogEnds(sql, id, { ends, untilMs, nowMs })
        await noteErasureState(sql, id, { state: held.length > 0 ? 'waiting_for_log' : 'running', nowMs })
        if (held.length > 0) return false
        await noteStep(sql, id, { step: 'log', at: toIso(nowMs), partitions: ends.length })
        return true
      }),
    )
  },

  /** Lets go of whom it was about. */
  async completeErasure({ id }: ErasureRef): Promise<void> {
    await completeErasure(sql, id, clock.now())
    await vacuumErased(sql)
  },

  async failErasure({ id, message }: ErasureRef & { message: string }): Promise<void> {
    await noteErasureState(sql, id, { state: 'failed', failure: message, nowMs: clock.now() })
  },
})
