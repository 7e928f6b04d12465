/**
 * The exact truth of sessions, from the lake: all of a user's clicks in the order of their times, 30 minutes apart. What the streams applied must give the live sessions; what the truth has more or less
 * comes from records that are named. An event that came when its session was closed, and still in time to begin one of its own, splits it: such live sessions are taken together.
 */
import { plainArray, textArray } from '../../db/postgres/arrays.ts'
import { cleanText } from '../../db/postgres/result-version.ts'
import { ERASED } from '../../streams/contract/erasure.ts'
import { RAW_TABLES } from '../../streams/contract/lake-tables.ts'
import { CLICKSTREAM } from '../../streams/contract/topics.ts'
import { msOfText, numberOf, objectsOf, SESSION_GAP_MS } from '../../streams/shadow/index.ts'
import { byUser } from './by-user.ts'
import { exactFromOf } from './exact-from.ts'
import { flagsOf } from './flags.ts'
import { inTime, ofLog, type TimeBounds } from './lake-rows.ts'
import { type NaiveClick, type NaiveSession, sessionsOf } from './naive.ts'
import type { TruthDeps } from './windows.ts'

interface Click extends NaiveClick {
  user: string
  partition: number
  offset: number
}

interface Applied extends NaiveSession {
  user: string
  partition: number
}

const BATCH = 5_000
const SAMPLES = 5
const NAMED_MAX = 200
/** How far back live sessions are looked at that one of the range may be a piece of. */
const PIECES_BACK_MS = 6 * 3_600_000

export async function reconcileSessions(deps: TruthDeps, range: TimeBounds): Promise<void> {
  const { shadow, findings, partitions } = deps
  const exactFrom = exactFromOf(partitions, CLICKSTREAM)
  const isPassed = new Set(
    partitions.filter((run) => run.topic === CLICKSTREAM && run.passed).map((run) => run.partition),
  )
  if (isPassed.size === 0) return
  const flags = await flagsOf(shadow, CLICKSTREAM, 'sessions')
  await shadow.sql.unsafe(`
    DROP TABLE IF EXISTS applied_sessions;
    CREATE TABLE applied_sessions (user_id text, partition integer, started_at timestamptz, ended_at timestamptz, events bigint, purchases bigint, revenue_minor jsonb)`)
  let batch: Applied[] = []
  const write = async (): Promise<void> => {
    await writeApplied(deps, batch)
    batch = []
  }
  const isIn = ({ endedMs }: NaiveSession): boolean => endedMs >= range.fromMs && endedMs < range.toMs
  for await (const clicks of byUser(
    clicksOf(deps, { fromMs: exactFrom.earliestMs, toMs: range.toMs + SESSION_GAP_MS }),
  )) {
    const { user, partition } = clicks[0]!
    if (!isPassed.has(partition)) continue
    const of = (click: Click) => flags(click.partition, click.offset)
    const applied = sessionsOf(
      clicks.filter((click) => of(click).refused === null),
      SESSION_GAP_MS,
    )
    // What began before all decisions are known for certain is not judged.
    const knownFromMs = exactFrom.of(partition) + SESSION_GAP_MS
    batch.push(...applied.filter((s) => isIn(s) && s.startedMs >= knownFromMs).map((s) => ({ ...s, user, partition })))
    if (batch.length >= BATCH) await write()
    const strays = clicks.filter((click) => (of(click).refused !== null) !== of(click).repeated)
    if (strays.length > 0) explain(deps, range, { clicks, strays, applied: applied.filter(isIn), of })
  }
  await write()

  for (const row of await wrongSessions(deps, range, [...isPassed], exactFrom.earliestMs)) {
    if (
      findings.all.some(
        ({ table, live, expected }) => table === 'sessions' && (live ?? expected)?.user_id === row.user_id,
      )
    )
      continue
    findings.add({
      explained: false,
      table: 'sessions',
      cause: 'truth',
      key: { user_id: row.user_id, partition: row.partition, ended_at: row.ended_at },
      message: "The live sessions are not what the lake's clicks give, late ones and duplicates taken off.",
      records: 0,
      minor: {},
      live: row.live,
      expected: row.expected,
      sample: [],
    })
  }
}

async function* clicksOf({ engine, options, lakeUntil }: TruthDeps, bounds: TimeBounds): AsyncGenerator<Click[]> {
  const statement = `
    SELECT coalesce(user_id, anonymous_id, '') AS user_key, log_partition, log_offset, event_time, event_type, revenue_minor, currency
    FROM ${RAW_TABLES[CLICKSTREAM].name} WHERE ${inTime(bounds)} AND ${ofLog(CLICKSTREAM, lakeUntil)} AND coalesce(user_id, anonymous_id, '') NOT LIKE '${ERASED}%'
    ORDER BY user_key, log_partition, event_time, log_offset`
  for await (const rows of objectsOf(engine, statement, { ...options, name: 'sessions' }))
    yield rows.map((row) => ({
      user: String(row.user_key),
      partition: numberOf(row.log_partition),
      offset: numberOf(row.log_offset),
      timeMs: msOfText(row.event_time),
      isPurchase: row.event_type === 'purchase',
      minor: row.revenue_minor == null ? null : numberOf(row.revenue_minor),
      currency: row.currency == null ? null : String(row.currency),
    }))
}

/** One user's difference between the truth and what was applied, and the records that it comes from. */
function explain(
  { findings }: TruthDeps,
  range: TimeBounds,
  {
    clicks,
    strays,
    applied,
    of,
  }: {
    clicks: Click[]
    strays: Click[]
    applied: NaiveSession[]
    of(click: Click): { refused: string | null; repeated: boolean }
  },
): void {
  const truth = sessionsOf(
    clicks.filter((click) => !of(click).repeated),
    SESSION_GAP_MS,
  ).filter(({ endedMs }) => endedMs >= range.fromMs && endedMs < range.toMs)
  const inRange = strays.filter(({ timeMs }) => timeMs >= range.fromMs && timeMs < range.toMs)
  const causes = new Map<string, { minor: Record<string, number>; records: Click[] }>()
  for (const click of inRange) {
    const { refused } = of(click)
    const cause = refused ?? 'duplicate'
    const sum = causes.get(cause) ?? { minor: {}, records: [] }
    causes.set(cause, sum)
    sum.records.push(click)
    if (click.isPurchase && click.minor !== null && click.currency !== null)
      sum.minor[click.currency] = (sum.minor[click.currency] ?? 0) + (refused === null ? -1 : 1) * click.minor
  }
  for (const [cause, { minor, records }] of causes) {
    findings.count(cause, records.length, minor)
    if (JSON.stringify(truth) === JSON.stringify(applied)) continue
    const { user, partition } = records[0]!
    findings.add({
      explained: true,
      table: 'sessions',
      cause,
      key: { user_id: user, partition },
      message: `${records.length} of the user's clicks (${cause}): the truth has ${truth.length} ${truth.length === 1 ? 'session' : 'sessions'} that ended here, the streams ${applied.length}.`,
      records: records.length,
      minor,
      live: null,
      expected: null,
      sample: records.slice(0, SAMPLES).map(({ offset }) => `${CLICKSTREAM}:${partition}:${offset}`),
    })
  }
}

async function writeApplied({ shadow: { sql } }: TruthDeps, sessions: readonly Applied[]): Promise<void> {
  if (sessions.length === 0) return
  const numbers = (of: (session: Applied) => number): string => plainArray(sessions.map(of))
  await sql`
    INSERT INTO applied_sessions
    SELECT v.user_id, v.partition, to_timestamp(v.started_at / 1000), to_timestamp(v.ended_at / 1000), v.events, v.purchases, v.revenue_minor::jsonb
    FROM unnest(
      ${textArray(sessions.map(({ user }) => cleanText(user)))}::text::text[], ${numbers((s) => s.partition)}::text::integer[],
      ${numbers((s) => s.startedMs)}::text::float8[], ${numbers((s) => s.endedMs)}::text::float8[],
      ${numbers((s) => s.events)}::text::bigint[], ${numbers((s) => s.purchases)}::text::bigint[],
      ${textArray(sessions.map(({ minor }) => JSON.stringify(minor)))}::text::text[]
    ) AS v (user_id, partition, started_at, ended_at, events, purchases, revenue_minor)`
}

interface WrongSession {
  user_id: string
  partition: number
  ended_at: number
  live: Record<string, unknown> | null
  expected: Record<string, unknown> | null
}

function wrongSessions(
  { shadow: { sql } }: TruthDeps,
  { fromMs, toMs }: TimeBounds,
  passed: readonly number[],
  knownFromMs: number,
) {
  const time = (ms: number) => sql`to_timestamp(${ms}::float8 / 1000)`
  const gap = sql`${SESSION_GAP_MS}::float8 * interval '1 millisecond'`
  return sql<WrongSession[]>`
    WITH pieces AS (
      SELECT *, max(ended_at) OVER (PARTITION BY user_id, partition ORDER BY started_at, ended_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
      FROM public.sessions
      WHERE merged_into IS NULL AND NOT starts_with(user_id, ${ERASED}) AND partition = ANY (${plainArray(passed)}::text::integer[])
        AND ended_at >= ${time(fromMs - PIECES_BACK_MS)} AND started_at < ${time(toMs + SESSION_GAP_MS)}
    ), numbered AS (
      SELECT *, count(*) FILTER (WHERE before IS NULL OR started_at > before + ${gap}) OVER (PARTITION BY user_id, partition ORDER BY started_at, ended_at) AS number
      FROM pieces
    ), money AS (
      SELECT user_id, partition, number, jsonb_object_agg(currency, minor) AS revenue_minor FROM (
        SELECT n.user_id, n.partition, n.number, e.key AS currency, sum(e.value::bigint) AS minor FROM numbered n, LATERAL jsonb_each_text(n.revenue_minor) e GROUP BY 1, 2, 3, 4
      ) AS each GROUP BY 1, 2, 3
    ), live AS (
      SELECT g.*, coalesce(m.revenue_minor, '{}') AS revenue_minor FROM (
        SELECT user_id, partition, number, min(started_at) AS started_at, max(ended_at) AS ended_at, sum(events)::bigint AS events, sum(purchases)::bigint AS purchases
        FROM numbered GROUP BY 1, 2, 3
      ) AS g LEFT JOIN money m USING (user_id, partition, number)
      WHERE g.ended_at >= ${time(fromMs)} AND g.ended_at < ${time(toMs)} AND g.started_at >= ${time(Math.max(knownFromMs, 0))}
    )
    SELECT coalesce(l.user_id, a.user_id) AS user_id, coalesce(l.partition, a.partition) AS partition, coalesce(l.ended_at, a.ended_at) AS ended_at,
      to_jsonb(l) - 'number' AS live, to_jsonb(a) AS expected
    FROM live l FULL OUTER JOIN applied_sessions a ON l.user_id = a.user_id AND l.partition = a.partition AND l.ended_at = a.ended_at
    WHERE (l.started_at, l.events, l.purchases, l.revenue_minor) IS DISTINCT FROM (a.started_at, a.events, a.purchases, a.revenue_minor)
    ORDER BY 1, 3 LIMIT ${NAMED_MAX}`
}
