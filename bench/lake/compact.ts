/**
 * Compaction of many small files into one a day, sorted by user and time, beside Trino's `optimize` (which does not sort) and Spark's `rewrite_data_files` (which does). Each
 * compacts its own copy of the same table; they take turns, so that what else the machine does hits all alike. The first turn, on a table of its own, is told apart: it is what a
 * batch job costs that is started for it, servers and sessions already up; the others are of one that has run before. Whoever loses, doubles or changes a row ends it.
 */
import { join } from 'node:path'
import { icebergCatalog, ServerUnavailable, startTrino } from '../../cli/servers/index.ts'
import { loadConfig } from '../../db/config.ts'
import { type Lake, loadTable, planScan, tableName } from '../../db/lake/index.ts'
import { createTrino } from '../../db/trino/client.ts'
import { SORTED_BY } from '../../streams/contract/lake-tables.ts'
import { type Part, startPart } from '../child.ts'
import { percentile, treeCpuSeconds } from '../measure.ts'
import { type Benchmark, BenchmarkUnavailable, number } from '../report.ts'
import { startDatabase, withFolder } from '../stores.ts'
import type { CompactFigures, CompactSettings } from './compact-process.ts'
import { assertSame, contentsOf } from './contents.ts'
import { copyTable, type SmallFiles, writeSmallFiles } from './small-files.ts'
import { startSpark } from './spark.ts'
import { openBenchLake } from './table.ts'

const DAYS = 4
const HEAP_GB = 2
const TIMEOUT_MS = 300_000

interface Turn {
  seconds: number
  cpuSeconds: number
}

interface Compactor {
  /** Of its tables. */
  id: string
  name: string
  /** @param table `bench.name` */
  compact(table: string): Promise<Turn>
  stop(): Promise<void>
}

interface Place {
  folder: string
  postgresUrl: string
  lake: Lake
}

export const lakeCompact: Benchmark = {
  name: 'lake/compact',
  options: {
    rows: { type: 'string', default: '1000000' },
    files: { type: 'string', default: '252' },
    runs: { type: 'string', default: '3' },
    trino: { type: 'boolean', default: false },
    spark: { type: 'boolean', default: false },
    /** Passed to our measured process, e.g. `--cpu-prof`. */
    node: { type: 'string' },
  },
  async run(options, show) {
    const [rows, files, rounds] = [Number(options.rows), Number(options.files), Number(options.runs)]
    await withFolder(async (folder) => {
      const server = await startDatabase(folder)
      const { lake, close } = await openBenchLake(folder, server.url)
      const place = { folder, postgresUrl: server.url, lake }
      const compactors: Compactor[] = []
      try {
        const small = await writeSmallFiles(lake, 'bench.small', { rows, commits: Math.ceil(files / DAYS), days: DAYS })
        const flags = options.node ? [String(options.node)] : []
        compactors.push(ours(place, rounds, flags))
        if (options.trino) compactors.push(await unlessUnavailable(trino(place)))
        if (options.spark) compactors.push(await unlessUnavailable(spark(place)))
        const all = await takeTurns(place, small, compactors, rounds)
        const firsts = all.map(([first]) => first!)
        const turns = all.map(([, ...others]) => others)
        const median = (i: number, of: (turn: Turn) => number) => percentile(turns[i]!.map(of), 0.5)
        for (const [i, { id, name }] of compactors.entries()) {
          const seconds = median(i, (turn) => turn.seconds)
          const cpu = median(i, (turn) => turn.cpuSeconds)
          const first = firsts[i]!.seconds
          const faster = (theirs: number, mine: number) => `${(theirs / mine).toFixed(1)} times`
          show({
            benchmark: `lake/compact, ${number(rows)} rows in ${number(small.commits.flat().length)} files, ${name}`,
            target: i === 0 ? '5 times as fast as Spark, ahead of Trino' : '',
            result: `**${seconds.toFixed(2)} s**, ${number(rows / seconds)} rows/s${
              i === 0
                ? ''
                : `; ours **${faster(first, firsts[0]!.seconds)}** as fast the first time, **${faster(
                    seconds,
                    median(0, (turn) => turn.seconds),
                  )}** warm`
            }`,
            details: [
              `${((cpu / rows) * 1e6).toFixed(2)} CPU s/M, ${number(rows / cpu)} rows per CPU-second`,
              `the first ${first.toFixed(2)} s, then ${turns[i]!.map((turn) => turn.seconds.toFixed(2)).join(', ')} s`,
              `${await filesOf(lake, tableFor(id, rounds))} files afterwards`,
            ],
          })
        }
      } finally {
        for (const { stop } of compactors) await stop()
        await close()
        await server.stop()
      }
    })
  },
}

const tableFor = (id: string, round: number): string => `bench.${id}_${round}`

/** @returns turns by compactor */
async function takeTurns({ lake }: Place, small: SmallFiles, compactors: readonly Compactor[], rounds: number) {
  const wanted = await contentsOf(lake, 'bench.small')
  const turns = compactors.map((): Turn[] => [])
  for (let round = 0; round <= rounds; round++)
    for (const [i, { id, name, compact }] of compactors.entries()) {
      const table = tableFor(id, round)
      await copyTable(lake, small, table)
      const turn = await compact(table)
      console.error(`${name}, ${table}: ${turn.seconds.toFixed(2)} s, ${turn.cpuSeconds.toFixed(2)} CPU s`)
      assertSame(`${table}, compacted by ${name}`, await contentsOf(lake, table), wanted)
      turns[i]!.push(turn)
    }
  return turns
}

async function filesOf(lake: Lake, table: string): Promise<number> {
  return (await planScan(lake, (await loadTable(lake, tableName(table))).metadata)).files.length
}

function ours({ folder, postgresUrl }: Place, rounds: number, flags: readonly string[]): Compactor {
  const id = 'streamforge'
  let part: Part<CompactFigures> | undefined
  return {
    id,
    name: 'StreamForge, sorted',
    async compact() {
      if (part) return part.ask()
      const tables = Array.from({ length: rounds + 1 }, (_, round) => tableFor(id, round))
      const settings: CompactSettings = { folder, postgresUrl, tables }
      part = startPart<CompactFigures>(new URL('./compact-process.ts', import.meta.url), settings, flags)
      return part.next()
    },
    stop: async () => part?.end(),
  }
}

async function trino({ folder, postgresUrl, lake }: Place): Promise<Compactor> {
  const { serversDir, javaHome } = loadConfig(process.env)
  const server = await startTrino({
    folder: join(folder, 'trino'),
    catalogs: { lake: icebergCatalog({ postgresUrl, catalogName: 'lake', warehouse: lake.files.warehouse }) },
    heapMb: HEAP_GB * 1_024,
    inEarnest: true,
    serversDir,
    javaHome,
    log: console.error,
  })
  const client = createTrino({ url: server.url, user: 'bench', catalog: 'lake', timeoutMs: TIMEOUT_MS })
  return {
    id: 'trino',
    name: 'Trino optimize, not sorted',
    compact: (table) => timed(server.pid, () => client.query(`ALTER TABLE ${table} EXECUTE optimize`)),
    stop: () => server.kill(),
  }
}

async function spark({ postgresUrl, lake }: Place): Promise<Compactor> {
  const { serversDir } = loadConfig(process.env)
  const session = await startSpark({ serversDir, postgresUrl, warehouse: lake.files.warehouse, heapGb: HEAP_GB })
  const order = SORTED_BY.map((column) => `${column} ASC NULLS LAST`).join(', ')
  const call = (table: string) =>
    `CALL lake.system.rewrite_data_files(table => '${table}', strategy => 'sort', sort_order => '${order}')`
  return {
    id: 'spark',
    name: 'Spark rewrite_data_files, sorted',
    compact: (table) => timed(session.pid, () => session.sql(call(table))),
    stop: () => session.stop(),
  }
}

async function timed(pid: number, work: () => Promise<unknown>): Promise<Turn> {
  const cpuBefore = treeCpuSeconds(pid)
  const startedAt = performance.now()
  await work()
  return { seconds: (performance.now() - startedAt) / 1000, cpuSeconds: treeCpuSeconds(pid) - cpuBefore }
}

async function unlessUnavailable(compactor: Promise<Compactor>): Promise<Compactor> {
  try {
    return await compactor
  } catch (error) {
    throw error instanceof ServerUnavailable ? new BenchmarkUnavailable(error.message) : error
  }
}
