/**
 * How a step of an erasure is done: whom it is about is read from PostgreSQL, what is done is noted there, and what goes wrong is told without the person.
 *
 * Invariant: a step that was noted is not done again.
 */
import { ApplicationFailure } from '@temporalio/common'
import type { ErasureStep, ErasureSubject, LogPlace } from '../../db/postgres/batch-schema.ts'
import type { Sql } from '../../db/postgres/connect.ts'
import { noteStep, type OpenErasure, openErasure } from '../../db/postgres/erasure-progress.ts'
import type { ErasedSubject } from '../../db/privacy/erase-from-lake.ts'
import { placesOf } from '../../db/privacy/later.ts'
import { RAW_TABLES } from '../../streams/contract/lake-tables.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import { CLICKSTREAM, ORDERS } from '../../streams/contract/topics.ts'
import { OtherLog } from '../../streams/shadow/index.ts'
import type { ActivityDeps, OpenedLog } from '../activities/deps.ts'
import { type Report, withHeartbeat } from '../activities/heartbeat.ts'
import { heldBy } from '../reconciliation/final-range.ts'
import { unnamed } from './unnamed.ts'

export interface RunningStep {
  erasure: OpenErasure
  /** All that the person is known by so far. */
  ids: readonly string[]
  signal: AbortSignal
  report: Report
}

const LOOK_MS = 500

export function createSteps({ database, lake, clock, openLog }: ActivityDeps) {
  const { sql } = database
  const logIdentity = async (): Promise<string> => {
    const [platform] = await sql<{ value: string }[]>`SELECT value FROM platform WHERE key = 'log_identity'`
    return platform?.value ?? ''
  }

  return {
    /**
     * @param work gives counts by what they count
     * @returns whether there was anything to do: a complete erasure knows nobody any more
     */
    step: (id: string, name: string, work: (running: RunningStep) => Promise<object>): Promise<boolean> =>
      withHeartbeat(clock, async (signal, report) => {
        const erasure = await openErasure(sql, id)
        if (erasure === null || erasure.steps.some((done) => done.step === name)) return false
        const ids = idsOf(erasure)
        const counts = await unnamed(ids, () => work({ erasure, ids, signal, report }))
        await noteStep(sql, id, { ...counts, step: name, at: toIso(clock.now()) } satisfies ErasureStep)
        return true
      }),

    async withLog<R>(work: (opened: OpenedLog) => Promise<R>): Promise<R> {
      if (openLog === null) throw ApplicationFailure.nonRetryable('This worker has no event log to append to.', 'NoLog')
      const opened = await openLog()
      try {
        if ((await opened.log.identity()) === (await logIdentity())) return await work(opened)
        throw new OtherLog(
          'The log of this worker is not the one that the results come from: give it the KAFKA_BROKERS, or the data folder, of the platform.',
        )
      } finally {
        await opened.log.close()
      }
    },

    /** Asks until there is an answer; the heartbeat says what is awaited. */
    async until<T>(ask: () => Promise<T | null>, { signal, report }: RunningStep, awaited: string): Promise<T> {
      for (;;) {
        signal.throwIfAborted()
        const answer = await ask()
        if (answer !== null) return answer
        report(awaited)
        await clock.sleep(LOOK_MS, signal)
      }
    },

    /** @returns null while something that lies before these places is still to become a row of the lake */
    async lakeHas(places: readonly LogPlace[]): Promise<true | null> {
      const log = await logIdentity()
      for (const topic of [CLICKSTREAM, ORDERS] as const) {
        const held = await heldBy(lake, RAW_TABLES[topic].name, log)
        if (Object.keys(held).length === 0) continue
        for (const at of places.filter((each) => each.topic === topic)) {
          const from = held[`${topic}-${at.partition}`] ?? 0
          if (from < at.offset && !(await becomeNoRows(sql, at, from))) return null
        }
      }
      return true
    },
  }
}

/** Behind records that become no rows the lake moves on only now and then. */
const TAIL_MAX = 1_000

/** Whether all records from an offset up to a place are dead letters or erasures. */
async function becomeNoRows(sql: Sql, { topic, partition, offset }: LogPlace, from: number): Promise<boolean> {
  if (offset - from > TAIL_MAX) return false
  const [row] = await sql<{ others: number }[]>`
    SELECT count(*) AS others FROM generate_series(${from}::bigint, ${offset - 1}::bigint) AS n
    WHERE NOT EXISTS (SELECT 1 FROM outbox WHERE id = 'dead/' || ${topic}::text || '/' || ${partition}::text || '/' || n)
      AND NOT EXISTS (SELECT 1 FROM erasures, jsonb_to_recordset(records) AS r (topic text, partition int, "offset" bigint)
        WHERE r.topic = ${topic} AND r.partition = ${partition} AND r."offset" = n)`
  return row?.others === 0
}

export const idsOf = ({ user_id, subject }: OpenErasure): string[] => [
  ...new Set([user_id, ...Object.keys(subject?.pseudonyms ?? {})]),
]

/** Of an erasure whose first step was done. */
export function subjectOf({ subject }: OpenErasure): ErasureSubject {
  if (subject !== null) return subject
  throw ApplicationFailure.nonRetryable('Whom it is about has not been collected yet.', 'NotCollected')
}

/** As the lake and the warehouse are told whom it is about, and since when not any more. */
export function erasedSubject(erasure: OpenErasure): ErasedSubject {
  const { pseudonyms, from, told_at: toldMs } = subjectOf(erasure)
  return {
    pseudonyms: new Map(Object.entries(pseudonyms)),
    told:
      toldMs === undefined
        ? null
        : { requestedMs: erasure.requested_at, toldMs, places: placesOf(from, erasure.records) },
  }
}
