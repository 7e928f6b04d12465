/**
 * What a compaction of a large table takes in memory: files of 48 MB with long texts, a few per day and gigabytes in all, sorted and rewritten in groups. One file is made, the others are copies
 * of it, which is cheap and is the same work to the compaction.
 */
import { appendFiles, type Columns, type DataFile, type Lake, openWriter, tableName } from '../../db/lake/index.ts'
import { startPart } from '../child.ts'
import { type Benchmark, number } from '../report.ts'
import { startDatabase, withFolder } from '../stores.ts'
import type { CompactFigures, CompactSettings } from './compact-process.ts'
import { columnsOf, createEvents, openBenchLake } from './table.ts'

const FILE_BYTES = 48_000_000
const BATCH_ROWS = 10_000
/** Of a page's URL, random: what does not compress fills files with few rows. */
const TEXT_BYTES = 240
const TABLE = 'bench.large'

export const lakeMemory: Benchmark = {
  name: 'lake/memory',
  options: {
    gb: { type: 'string', default: '5' },
    days: { type: 'string', default: '5' },
    /** DuckDB's limit, megabytes; absent: what compaction takes by default. */
    memory: { type: 'string' },
    /** Passed to the measured process. */
    node: { type: 'string' },
  },
  async run(options, show) {
    const [gb, days] = [Number(options.gb), Number(options.days)]
    await withFolder(async (folder) => {
      const server = await startDatabase(folder)
      const { lake, close } = await openBenchLake(folder, server.url)
      try {
        const { files, bytes, rows } = await writeLargeTable(lake, { bytes: gb * 1e9, days })
        const settings: CompactSettings = {
          ...{ folder, postgresUrl: server.url, tables: [TABLE] },
          options: { minFiles: 2, ...(options.memory && { memoryMb: Number(options.memory) }) },
        }
        const flags = options.node ? [String(options.node)] : []
        const part = startPart<CompactFigures>(new URL('./compact-process.ts', import.meta.url), settings, flags)
        const done = await part.next()
        await part.end()
        if (done.rows !== rows || done.filesBefore !== files)
          throw new Error(`${done.rows} rows of ${done.filesBefore} files were compacted, not ${rows} of ${files}.`)
        show({
          benchmark: `lake/memory, a table of ${(bytes / 1e9).toFixed(1)} GB compacted, sorted`,
          target: '≤ 1 GB resident',
          result: `**peak RSS ${number(done.peakMiB)} MiB**`,
          details: [
            `${number(rows)} rows, ${files} files into ${done.filesAfter} in ${done.groups} groups`,
            `${done.seconds.toFixed(0)} s, ${(bytes / 1e6 / done.seconds).toFixed(0)} MB/s`,
            `${done.cpuSeconds.toFixed(0)} CPU s, ${((done.cpuSeconds / rows) * 1e6).toFixed(1)} CPU s/M`,
          ],
        })
      } finally {
        await close()
        await server.stop()
      }
    })
  },
}

async function writeLargeTable(lake: Lake, { bytes, days }: { bytes: number; days: number }) {
  const { metadata } = await createEvents(lake, TABLE)
  const writer = await openWriter(lake, metadata)
  let random = 1
  for (let from = 0; from * TEXT_BYTES < FILE_BYTES; from += BATCH_ROWS) {
    const columns: Record<string, Columns[string]> = { ...columnsOf({ from, rows: BATCH_ROWS, days: 1 }) }
    const noise = new Uint32Array((BATCH_ROWS * TEXT_BYTES) / 4)
    for (let i = 0; i < noise.length; i++) noise[i] = random = (Math.imul(random, 1_664_525) + 1_013_904_223) >>> 0
    const text = Buffer.from(noise.buffer).toString('base64')
    columns.page_url = Array.from({ length: BATCH_ROWS }, (_, i) => text.slice(i * TEXT_BYTES, (i + 1) * TEXT_BYTES))
    await writer.append(columns, BATCH_ROWS)
  }
  const [first] = await writer.finish()
  const local = await lake.files.local(first!.path, '')
  const count = Math.max(days * 2, Math.ceil(bytes / first!.bytes))
  const firstDay = Number(first!.partition[0])
  const files: DataFile[] = []
  for (let i = 0; i < count; i++) {
    const path = first!.path.replace(/[^/]*$/, `copy-${i}.parquet`)
    files.push({ ...first!, path, partition: [firstDay + (i % days)] })
    await lake.files.writeFile(path, local)
  }
  await appendFiles(lake, tableName(TABLE), files)
  return { files: count, bytes: count * first!.bytes, rows: count * first!.recordCount }
}
