/** The lake: its catalog is there, its tables can be read, and it is written to. Reads only. */

import { type ObjectsSettings, openObjects } from '../../db/objects/open.ts'
import type { Sql } from '../../db/postgres/connect.ts'
import { RAW_TABLES } from '../../streams/contract/lake-tables.ts'
import { ago, counted, humanSpan } from '../human.ts'
import { ask } from './ask.ts'
import { type Family, ok, unseen, warning } from './check.ts'
import type { Place } from './place.ts'

/** A writer that has been silent this much longer than it may be. */
const LATE_TIMES = 4

export function lakeFamily(place: Place, sql: Sql, objects: ObjectsSettings): Family {
  const { clock, config } = place
  return {
    part: 'lake',
    checks: [
      {
        name: 'its tables can be read',
        matters: 'SQL, the batch layer and reconciliation read it.',
        remedy:
          '"streamforge lake ls" names the table and what is wrong with it. No tables: no lake-writer has run yet.',
        gate: true,
        async run() {
          const { allTables, currentSnapshot, loadTable, openJdbcCatalog, openLake, openLakeFiles, tableName } =
            await import('../../db/lake/index.ts')
          const lake = openLake(await openJdbcCatalog(sql), openLakeFiles(await openObjects(objects)), { clock })
          const names = await allTables(lake)
          if (names.length === 0) return unseen('it has no tables yet')
          const committed: number[] = []
          for (const raw of Object.values(RAW_TABLES)) {
            const name = tableName(raw.name)
            if (!names.some((each) => each.namespace === name.namespace && each.name === name.name)) continue
            const snapshot = currentSnapshot((await loadTable(lake, name)).metadata)
            if (snapshot) committed.push(snapshot['timestamp-ms'])
          }
          const newest = committed.length === 0 ? null : Math.max(...committed)
          return ok(
            `${counted(names.length, 'table')}, ${newest === null ? 'no commit yet' : `last commit ${ago(newest, clock.now())}`}`,
          )
        },
      },
      {
        name: 'it keeps up with the log',
        matters: "What the log's retention removes before it is written is missing in the lake for good.",
        remedy:
          'Is a lake-writer running ("streamforge lake-writer"; embedded, STREAMFORGE_LAKE)? Its log says what does not answer.',
        run: () => lagFinding(place, config.lakeCommitSeconds * 1000),
      },
    ],
  }
}

/** By the metrics of who writes it: of the edge's page where that is a thread beside it, else of the process. */
async function lagFinding(place: Place, everyMs: number) {
  const writers = place.processes.flatMap(({ role, url }) => (role === 'lake-writer' && url !== null ? [url] : []))
  const pages = await Promise.all(
    (writers.length > 0 ? writers : [place.edgeUrl]).map(async (url) => (await ask(`${url}/metrics`, place)).text()),
  )
  const lags = pages.flatMap((page) => valuesOf(page, 'streamforge_lake_lag_records'))
  if (lags.length === 0) return unseen('no lake-writer tells of itself here')
  const lag = lags.reduce((sum, [, value]) => sum + value, 0)
  const last = new Map(pages.flatMap((page) => valuesOf(page, 'streamforge_lake_last_commit_timestamp_seconds')))
  const quiet = lags
    .filter(([table, value]) => value > 0 && (last.get(table) ?? 0) > 0)
    .map(([table]) => ({ table, ms: place.clock.now() - (last.get(table) ?? 0) * 1000 }))
    .filter(({ ms }) => ms > everyMs * LATE_TIMES + 60_000)
  const [worst] = quiet
  if (worst) return warning(`Records wait for ${worst.table}, whose last commit was ${humanSpan(worst.ms)} ago.`)
  return ok(`lag ${lag} records`)
}

/** Of a page of metrics: table and value. */
export const valuesOf = (page: string, name: string): [table: string, value: number][] =>
  [...page.matchAll(new RegExp(`^${name}\\{[^}]*table="([^"]+)"[^}]*\\} (\\S+)`, 'gm'))].map(
    ([, table = '', value]) => [table, Number(value)],
  )
