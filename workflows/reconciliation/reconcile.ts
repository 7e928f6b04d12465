/**
 * A reconciliation: live results of a range against what the lake gives, twice. Once by the jobs themselves, run again: every row must be the same. Once by the plain truth (every event once, however
 * late): every difference must come from records that are named. And the offsets of the log must be complete in the lake.
 *
 * Invariant: live results are read only. What nothing explains is an incident, and so is a file of the lake that can't be read.
 */
import type { Lake, SqlEngine } from '../../db/lake/index.ts'
import type { ComparedTable } from '../../db/postgres/batch-schema.ts'
import type { Database } from '../../db/postgres/connect.ts'
import { erasureRecords } from '../../db/postgres/erasure-progress.ts'
import type { Reconciled } from '../../db/postgres/queries/reconciliation.ts'
import { DEAD_LETTERS_TABLE } from '../../streams/contract/lake-tables.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import { INPUT_TOPICS } from '../../streams/contract/topics.ts'
import {
  allObjects,
  createShadow,
  differences,
  dropShadow,
  jobsFor,
  numberOf,
  type PartitionRun,
  REPLAYED_TABLES,
  runShadow,
  SESSION_GAP_MS,
  type Shadow,
  type SortOptions,
  settledAfterMs,
  sweepShadows,
  timeLiteral,
} from '../../streams/shadow/index.ts'
import { reconcileAlerts } from './alerts.ts'
import { type FinalRange, finalRange } from './final-range.ts'
import { type Findings, newFindings } from './findings.ts'
import { reconcileSessions } from './sessions.ts'
import { gatherStrays } from './strays.ts'
import { reconcileWindows, WINDOW_TRUTHS } from './windows.ts'

export interface ReconcileDeps {
  database: Database
  databaseUrl: string
  lake: Lake
  engine: SqlEngine
  sort: SortOptions
  now(): number
}

export interface ReconcileRange {
  /** Whole hours: windows of an hour are compared. */
  fromMs: number
  toMs: number
  /** Of the schema that is worked in; removed at the end. */
  schema: string
  signal?: AbortSignal
  onProgress?(step: string): void
}

export type Report = Omit<Reconciled, 'id' | 'workflow_id' | 'workflow_run_id' | 'started_at' | 'finished_at'>

const SQL_TIMEOUT_MS = 6 * 3_600_000
/** Beyond that it is left over. */
const KEEP_MS = 24 * 3_600_000

/** @throws NotFinal, LakeBehind */
export async function reconcile(deps: ReconcileDeps, range: ReconcileRange): Promise<Report> {
  const { database, databaseUrl, lake } = deps
  const { fromMs, toMs, signal, onProgress } = range
  const nowMs = deps.now()
  const choice = jobsFor()
  const findings = newFindings()
  const options = { timeoutMs: SQL_TIMEOUT_MS, ...(signal && { signal }) }
  await sweepShadows(database.sql, { nowMs, attemptsOf: range.schema })
  let work: Pick<Report, 'compared' | 'open_partitions' | 'records'> & { changedRule: boolean } = {
    changedRule: false,
    compared: {},
    open_partitions: [],
    records: 0,
  }
  try {
    onProgress?.('looking whether the range is final')
    // A watermark is ten seconds behind stream time, which is what a run's end is measured in.
    const final = await finalRange(
      { sql: database.sql, ...deps },
      { toMs, afterMs: settledAfterMs(choice.jobs), ...(signal && { signal }) },
    )
    const shadow = await createShadow(database, databaseUrl, { name: range.schema, nowMs, keepMs: KEEP_MS })
    try {
      work = await compareAll({ ...deps, shadow, lake }, { range, choice, final, findings, options })
    } finally {
      await shadow.close()
    }
  } catch (error) {
    const message = ofTheLake(error)
    if (message === null || signal?.aborted) throw error
    findings.add({ ...NOTHING, table: 'lake', cause: 'damaged', message })
  } finally {
    await dropShadow(database.sql, range.schema)
  }
  const { unexplained } = findings
  const { changedRule, ...report } = work
  return {
    ...report,
    from_at: fromMs,
    to_at: toMs,
    outcome: unexplained === 0 ? 'passed' : 'incident',
    message: sentence(range, findings, { ...report, changedRule }),
    explained: findings.explained,
    unexplained,
    unexplained_minor: findings.unexplainedMinor,
    differences: findings.all.map(({ table, ...finding }) => ({ table_name: table, ...finding })),
  }
}

const NOTHING = { explained: false, key: {}, records: 0, minor: {}, live: null, expected: null, sample: [] }

interface Work {
  range: ReconcileRange
  choice: ReturnType<typeof jobsFor>
  final: FinalRange
  findings: Findings
  options: { timeoutMs: number; signal?: AbortSignal }
}

async function compareAll(deps: ReconcileDeps & { shadow: Shadow }, work: Work) {
  const { database, engine, lake, shadow, sort } = deps
  const { range, choice, final, findings, options } = work
  const { fromMs, toMs, signal, onProgress } = range
  const partitions = await runShadow(
    { lake, engine, shadow, sort },
    {
      ...choice,
      fromMs,
      toMs,
      until: final.until,
      ...(signal && { signal }),
      onProgress: ({ topic, partition, records }) => onProgress?.(`${records} records of ${topic}-${partition}`),
    },
  )
  await checkOffsets(deps, partitions, findings)
  const compared: Record<string, ComparedTable> = {}
  const changedRule = await hasChangedRule(deps, range)
  const tables = REPLAYED_TABLES.filter((table) => !(table === 'fraud_alerts' && changedRule))
  for (const table of tables) {
    onProgress?.(`comparing ${table}`)
    const { rows, missing, extra, changed, minor, samples } = await differences(database.sql, shadow.name, table, {
      fromMs,
      toMs,
      partitions,
    })
    compared[table] = { rows, missing, extra, changed }
    samples.forEach(({ kind, key, live, shadow: expected }, i) => {
      // The sums are of all of them, and stand with the first.
      const all = missing + extra + changed
      findings.add(
        {
          ...NOTHING,
          table,
          cause: kind,
          key,
          message: WRONG[kind],
          minor: i === 0 && table !== 'products_by_hour' ? minor : {},
          live,
          expected,
        },
        i === 0 ? all - samples.length + 1 : 1,
      )
    })
  }
  for (const topic of INPUT_TOPICS) {
    if (!partitions.some((run) => run.topic === topic)) continue
    onProgress?.(`looking for records of ${topic} that are late or come twice`)
    const earliest = Math.min(
      fromMs,
      ...partitions.filter((run) => run.topic === topic).map((run) => run.exactFromMs ?? 0),
    )
    const bounds = { fromMs: earliest, toMs: toMs + SESSION_GAP_MS }
    await gatherStrays({ engine, shadow, options }, topic, bounds, { lakeUntil: final.lakeUntil, partitions })
  }
  const truth = { engine, shadow, options, lakeUntil: final.lakeUntil, partitions, findings }
  for (const each of WINDOW_TRUTHS) {
    if (!partitions.some((run) => run.topic === each.topic)) continue
    onProgress?.(`adding up ${each.job}`)
    await reconcileWindows(truth, each, range)
  }
  onProgress?.('putting sessions together')
  await reconcileSessions(truth, range)
  for (const rule of changedRule ? [] : choice.rules) {
    onProgress?.(`matching ${rule.id}`)
    await reconcileAlerts(truth, rule, range)
  }
  await countDeadLetters(deps, work)
  const records = partitions.reduce((sum, run) => sum + run.records, 0)
  return { compared, open_partitions: final.open, records, changedRule }
}

const WRONG = {
  missing: 'The live table lacks a row that the jobs make of the lake.',
  extra: 'The live table has a row that the jobs do not make of the lake.',
  changed: 'The live row is not the one that the jobs make of the lake.',
} as const

/** Every offset is a row, or a dead letter: also one whose letter is on its way to the lake; or the record of an erasure, which is neither. */
async function checkOffsets(
  { database }: ReconcileDeps,
  partitions: readonly PartitionRun[],
  findings: Findings,
): Promise<void> {
  const erasures = await erasureRecords(database.sql)
  for (const { topic, partition, gaps, missing, doubled, doubledCount } of partitions) {
    let left = missing
    for (const [i, { from, to }] of gaps.entries()) {
      const letters = await database.sql<{ id: string }[]>`
        SELECT id FROM outbox WHERE id IN (SELECT 'dead/' || ${topic}::text || '/' || ${partition}::text || '/' || n FROM generate_series(${from}::bigint, ${to - 1}::bigint) AS n)`
      const accounted =
        letters.length +
        erasures.filter((at) => at.topic === topic && at.partition === partition && at.offset >= from && at.offset < to)
          .length
      left -= accounted
      if (accounted === to - from) continue
      const isLast = i === gaps.length - 1
      findings.add(
        {
          ...NOTHING,
          table: topic,
          cause: 'gap',
          key: { partition, from_offset: from, to_offset: to - 1 },
          message: `The lake has no rows of ${topic}-${partition} from offset ${from} to ${to - 1}, and they are no dead letters${isLast && left > to - from ? `; ${left} are missing in all` : ''}.`,
          records: to - from - accounted,
          sample: [`${topic}:${partition}:${from}`],
        },
        to - from - accounted,
      )
    }
    if (doubledCount > 0)
      findings.add(
        {
          ...NOTHING,
          table: topic,
          cause: 'doubled',
          key: { partition },
          message: `The lake has ${doubledCount} ${doubledCount === 1 ? 'record' : 'records'} of ${topic}-${partition} more than once.`,
          records: doubledCount,
          sample: doubled.slice(0, 5).map((offset) => `${topic}:${partition}:${offset}`),
        },
        doubledCount,
      )
  }
}

/** Alerts of a rule that was changed for a replay are not what the jobs make as they are. */
async function hasChangedRule({ database }: ReconcileDeps, { fromMs, toMs }: ReconcileRange): Promise<boolean> {
  const promoted = await database.sql`
    SELECT 1 FROM replays WHERE state = 'promoted' AND rule IS NOT NULL
      AND from_at < to_timestamp(${toMs}::float8 / 1000) AND to_at > to_timestamp(${fromMs}::float8 / 1000)
      AND NOT EXISTS (SELECT 1 FROM replays l WHERE l.job = replays.job AND l.state = 'promoted' AND l.rule IS NULL
        AND l.decided_at > replays.decided_at AND l.from_at <= replays.from_at AND l.to_at >= replays.to_at)
    LIMIT 1`
  return promoted.length > 0
}

/** Nobody knows what is in them: they are counted by when the log accepted them. */
async function countDeadLetters({ engine, lake }: ReconcileDeps, { range, options, findings }: Work): Promise<void> {
  const [namespace = '', name = ''] = DEAD_LETTERS_TABLE.name.split('.')
  if ((await lake.catalog.metadataLocation({ namespace, name })) === null) return
  const rows = await allObjects(
    engine,
    `SELECT source_topic, source_partition, min(source_offset) AS first_offset, count(*) AS letters FROM ${DEAD_LETTERS_TABLE.name}
     WHERE kind = 'letter' AND source_appended_at >= ${timeLiteral(range.fromMs)} AND source_appended_at < ${timeLiteral(range.toMs)}
       AND source_topic IN ('${INPUT_TOPICS.join("', '")}') AND source_partition IS NOT NULL
     GROUP BY source_topic, source_partition ORDER BY source_topic, source_partition`,
    { ...options, name: 'dead letters' },
  )
  for (const row of rows) {
    const letters = numberOf(row.letters)
    findings.count('dead_letter', letters, {})
    findings.add({
      ...NOTHING,
      explained: true,
      table: String(row.source_topic),
      cause: 'dead_letter',
      key: { partition: numberOf(row.source_partition) },
      message: `${letters} ${letters === 1 ? 'record' : 'records'} that nobody could read, and that are in no figure.`,
      records: letters,
      sample: [`${row.source_topic}:${row.source_partition}:${row.first_offset}`],
    })
  }
}

/** A file that is not there, or not what it was: an incident of its own, by the file's name. */
function ofTheLake(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (cause.name === 'MissingFile' || / is damaged: /.test(cause.message)) return cause.message
  return null
}

function sentence(
  { fromMs, toMs }: ReconcileRange,
  findings: Findings,
  { open_partitions, changedRule }: Pick<Report, 'open_partitions'> & { changedRule: boolean },
): string {
  const when = `${toIso(fromMs)} to ${toIso(toMs)}`
  const open =
    open_partitions.length === 0
      ? ''
      : ` What is not final in ${open_partitions.join(', ')} was left out: nothing came after it.`
  const leftOut = changedRule
    ? `${open} Alerts were left out: those of a changed rule were promoted for some of the range.`
    : open
  if (findings.unexplained === 0) {
    const causes = Object.entries(findings.explained).map(([cause, { records }]) => `${records} ${cause}`)
    return causes.length === 0
      ? `${when}: live results are the exact truth.${leftOut}`
      : `${when}: live results are what the jobs make of the lake; what they lack of the exact truth comes from ${causes.join(', ')} records.${leftOut}`
  }
  const first = findings.all.find(({ explained }) => !explained)
  const money = Object.entries(findings.unexplainedMinor).map(
    ([currency, minor]) => `${minor} minor units of ${currency}`,
  )
  return `${when}: ${findings.unexplained} ${findings.unexplained === 1 ? 'difference has' : 'differences have'} no explanation${money.length > 0 ? ` (${money.join(', ')})` : ''}. The first, in ${first?.table}: ${first?.message}${leftOut}`
}
