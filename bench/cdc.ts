/**
 * Change data capture: a backlog of changes read into the log as fast as that goes, beside PostgreSQL's own `pg_recvlogical`, which writes the same changes to /dev/null and makes nothing of them;
 * then changes as they happen, and how long after its commit each is durable in the log. Changes that are missing or doubled end it.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { connect, type Sql } from '../db/postgres/connect.ts'
import { readChange } from '../streams/contract/cdc.ts'
import { CDC_TABLES } from '../streams/contract/topics.ts'
import { openEmbeddedLog } from '../streams/log/embedded.ts'
import type { CdcFigures, CdcPart } from './cdc-process.ts'
import { startPart } from './child.ts'
import { percentile } from './measure.ts'
import { type Benchmark, BenchmarkUnavailable, number } from './report.ts'
import { startDatabase, withFolder } from './stores.ts'

const TOPIC = 'cdc.public.products'
const ROWS = 1_000
const ROWS_PER_TRANSACTION = 20
const SETTINGS = { slot: 'streamforge', publication: 'streamforge', tables: [...CDC_TABLES] }

export const cdc: Benchmark = {
  name: 'cdc',
  options: {
    changes: { type: 'string', default: '200000' },
    /** Of the second part: changes a second, and for how long. */
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '15' },
  },
  async run(options, show) {
    const [changes, rate, seconds] = [Number(options.changes), Number(options.rate), Number(options.seconds)]
    if (spawnSync('pg_recvlogical', ['--version']).error)
      throw new BenchmarkUnavailable('There is no pg_recvlogical on the PATH: apt-get install postgresql-client.')
    await withFolder(async (folder) => {
      const server = await startDatabase(folder)
      const { sql, close } = connect(server.url, { max: 2 })
      try {
        await makeTables(sql)
        const settings = { ...SETTINGS, url: server.url }
        const part = (count: number) =>
          startPart<CdcFigures>(new URL('./cdc-process.ts', import.meta.url), {
            folder,
            settings,
            changes: count,
          } satisfies CdcPart)
        // Makes the slot, behind a snapshot. The other slot begins at the same place.
        const snapshot = part(1)
        await snapshot.next()
        await sql`SELECT pg_create_logical_replication_slot('beside', 'pgoutput')`
        await update(sql, 1)
        await snapshot.next()
        await snapshot.end()

        for (let left = changes; left > 0; left -= ROWS_PER_TRANSACTION) await update(sql, ROWS_PER_TRANSACTION)
        const ours = part(changes)
        await ours.next()
        const figures = await ours.next()
        await ours.end()
        const theirs = await recvlogical(sql, server.url)
        show({
          benchmark: `cdc, a backlog of ${number(changes)} updates`,
          target: '',
          result: `**${number(changes / figures.seconds)} changes/s, ${number(changes / figures.cpuSeconds)} per CPU second**`,
          details: [
            `${figures.seconds.toFixed(1)} s, ${figures.cpuSeconds.toFixed(1)} CPU s of the source, PostgreSQL's decoding beside it`,
            `peak RSS ${number(figures.peakMiB)} MiB`,
            `pg_recvlogical of the same changes to /dev/null: ${number(changes / theirs.seconds)} changes/s, ${theirs.cpuSeconds.toFixed(1)} CPU s`,
          ],
        })

        const live = part(rate * seconds)
        await live.next()
        const startMs = performance.now()
        for (let done = 0; done < rate * seconds; done += ROWS_PER_TRANSACTION) {
          const waitMs = (done / rate) * 1_000 - (performance.now() - startMs)
          if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
          await update(sql, Math.min(ROWS_PER_TRANSACTION, rate * seconds - done))
        }
        const { cpuSeconds } = await live.next()
        await live.end()
        const lags = await lagsOf(folder, { all: 1 + changes + rate * seconds, last: rate * seconds })
        show({
          benchmark: `cdc, ${number(rate)} updates/s as they happen`,
          target: '',
          result: `**durable in the log ${percentile(lags, 0.5)} ms after the commit** (median; p95 ${percentile(lags, 0.95)} ms, p99 ${percentile(lags, 0.99)} ms)`,
          details: [`${number(lags.length)} changes`, `${cpuSeconds.toFixed(1)} CPU s in ${seconds} s`],
        })
      } finally {
        await close()
        await server.stop()
      }
    })
  },
}

async function makeTables(sql: Sql): Promise<void> {
  for (const table of CDC_TABLES)
    await sql.unsafe(
      `CREATE TABLE ${table} (id bigint PRIMARY KEY, name text, price numeric(12,2), stock int, updated_at timestamptz)`,
    )
  await sql`INSERT INTO products SELECT n, 'product ' || n, n, n, now() FROM generate_series(1, ${ROWS}::int) AS n`
}

let turn = 0
const update = (sql: Sql, count: number): Promise<unknown> => {
  const from = (turn++ * ROWS_PER_TRANSACTION) % (ROWS - ROWS_PER_TRANSACTION)
  return sql`UPDATE products SET stock = stock + 1, updated_at = now() WHERE id > ${from} AND id <= ${from + count}`
}

/** From its start to its end: it has nothing to load. */
async function recvlogical(sql: Sql, url: string): Promise<{ seconds: number; cpuSeconds: number }> {
  const [{ lsn } = { lsn: '' }] = await sql<{ lsn: string }[]>`SELECT pg_current_wal_lsn()::text AS lsn`
  const startMs = performance.now()
  const child = spawn(
    'sh',
    [
      '-c',
      'pg_recvlogical -d "$SOURCE_URL" -S beside --start --no-loop -E "$0" -o proto_version=1 -o publication_names=streamforge -f /dev/null; times',
      lsn,
    ],
    { env: { ...process.env, SOURCE_URL: url }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let said = ''
  child.stdout.on('data', (text: Buffer) => {
    said += text
  })
  await once(child, 'close')
  // The second line of `times` is that of its children: user and system time.
  const [, minutes, secs, systemMinutes, systemSecs] = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(said) ?? []
  return {
    seconds: (performance.now() - startMs) / 1_000,
    cpuSeconds: Number(minutes) * 60 + Number(secs) + Number(systemMinutes) * 60 + Number(systemSecs),
  }
}

/** From the commit to the append, ms, of the last changes. @throws Error where not all are there, once */
async function lagsOf(folder: string, { all, last }: { all: number; last: number }): Promise<number[]> {
  const log = await openEmbeddedLog({ folder: join(folder, 'log') })
  const changes: { at: number; lag: number }[] = []
  for (let partition = 0; partition < 4; partition++) {
    for (let offset = 0; ; ) {
      const records = await log.read({ topic: TOPIC, partition }, offset, 5_000)
      if (records.length === 0) break
      for (const record of records) {
        const read = readChange(record)
        if (read.kind === 'change' && read.change.op === 'u')
          changes.push({ at: read.change.source.ts_ms, lag: record.appendedAtMs - read.change.source.ts_ms })
      }
      offset = records.at(-1)!.offset + 1
    }
  }
  await log.close()
  if (changes.length !== all) throw new Error(`The log has ${changes.length} changes, not ${all}.`)
  return changes
    .sort((a, b) => a.at - b.at)
    .slice(-last)
    .map(({ lag }) => lag)
}
