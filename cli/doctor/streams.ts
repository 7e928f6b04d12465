/** Whether the data flows: the tasks as the edge sees them, and the age of their checkpoints in the database. */
import type { Sql } from '../../db/postgres/connect.ts'
import { counted, humanCount, humanSpan } from '../human.ts'
import { Broken, type Check, type Family, ok, unseen, warning } from './check.ts'
import { get } from './edge-api.ts'
import type { Place } from './place.ts'

/** About ten seconds of work at the rate of one process, as bench/README.md has it for all jobs. */
export const LAG_WARN = 1_000_000
/** One is written every five seconds while records come. */
const CHECKPOINT_OLD_MS = 5 * 60_000

interface Pipelines {
  status: string
  lag: number
  pipelines: { topic: string; partition: number; status: string; lag: number }[]
}

/** @param sql null: the database can't be seen from here */
export function streamsFamily(place: Place, sql: Sql | null): Family {
  return { part: 'streams', checks: [progress(place), checkpoints(sql, place.clock)] }
}

function progress(place: Place): Check {
  return {
    name: 'every partition moves',
    matters: 'Results, features and alerts of a partition that stands still are as old as its last record.',
    remedy:
      'The log of the streams says why: a store that does not answer, most often. "streamforge status" names the process.',
    async run() {
      const response = await get(place, '/api/v1/health/pipelines')
      const body = (await response.json().catch(() => null)) as { data?: Pipelines; detail?: string } | null
      if (body?.data === undefined)
        throw new Broken(body?.detail ?? `GET /health/pipelines answered ${response.status}.`)
      const { pipelines, lag } = body.data
      if (pipelines.length === 0) return unseen('no task has reported yet')
      if (lag > LAG_WARN)
        return warning(
          `${humanCount(lag)} records wait to be read.`,
          'Wait where it falls; else start more streams processes, up to one for each partition.',
        )
      return ok(`${counted(pipelines.length, 'partition')}, lag ${humanCount(lag)} records`)
    },
  }
}

function checkpoints(sql: Sql | null, clock: Place['clock']): Check {
  return {
    name: 'checkpoints are young',
    matters:
      "After a crash a task reads again from its newest checkpoint: the older, the longer that takes, and beyond the log's retention it can not.",
    remedy:
      'The object store does not take them, or streams restart in a loop: see the log of the streams, and "objects" here.',
    async run() {
      if (sql === null) return unseen('the database can not be seen from here')
      const rows = await sql<{ topic: string; partition: number; behind: number; saved: number | null }[]>`
        SELECT t.topic, t.partition, t.next_offset - coalesce(c.next_offset, 0) AS behind, c.created_at AS saved
        FROM tasks t LEFT JOIN LATERAL (
          SELECT next_offset, created_at FROM checkpoints c
          WHERE c.topic = t.topic AND c.partition = t.partition ORDER BY id DESC LIMIT 1) c ON true`
      // One of a task that has read nothing since is as good as new.
      const behind = rows.filter((row) => row.behind > 0)
      const oldest = behind.reduce<number | null>(
        (old, { saved }) => (saved === null ? old : Math.min(old ?? saved, saved)),
        null,
      )
      const ageMs = oldest === null ? 0 : clock.now() - oldest
      if (ageMs > CHECKPOINT_OLD_MS) {
        const at = behind.find(({ saved }) => saved === oldest)
        return warning(
          `The newest checkpoint of ${at?.topic}[${at?.partition}] is ${humanSpan(ageMs)} old, and records were read since.`,
        )
      }
      return ok(
        rows.length === 0
          ? 'no task yet'
          : behind.length === 0
            ? 'nothing to read again'
            : `${humanSpan(ageMs)} to read again at most`,
      )
    },
  }
}
