/** `streamforge cdc`: change data capture. `start` is a role, a process of its own; `status` and `resnapshot` ask and tell the database that is followed. */
import { createLogger } from '../../observability/log.ts'
import { createRegistry } from '../../observability/metrics.ts'
import { changeTopic } from '../../streams/contract/cdc.ts'
import { toIso } from '../../streams/contract/time-text.ts'
import { CannotFollow, publishedTables } from '../../streams/sources/cdc/catalog.ts'
import { watchCdc } from '../../streams/sources/cdc/health.ts'
import { formatLsn } from '../../streams/sources/cdc/lsn.ts'
import { resnapshot } from '../../streams/sources/cdc/resnapshot.ts'
import { cdcSettings, snapshotSlot, writtenTopics } from '../../streams/sources/cdc/settings.ts'
import { currentLsn, readSlot } from '../../streams/sources/cdc/slot.ts'
import { startCdc } from '../../streams/sources/cdc/start.ts'
import { readTails, type Tail } from '../../streams/sources/cdc/tails.ts'
import { createCdcTelemetry } from '../../streams/sources/cdc/telemetry.ts'
import { openLog } from '../../streams/stores.ts'
import { askDatabase, cdcStores, followedDatabase, refusal } from '../cdc.ts'
import { CommandFailed, type CommandIo, defineCommand, parseArguments, UsageError } from '../command.ts'
import { defineRole, METRICS_USAGE } from '../role-process.ts'
import { configAt } from '../settings.ts'
import { requireTopics } from '../topics.ts'
import { version } from '../version.ts'

const USAGE = `streamforge cdc start [options]     follows the tables of CDC_SOURCE_URL until SIGTERM or Ctrl-C: a snapshot first, then every change
streamforge cdc status              the slot, how far behind it is, the tables, and what the log has of them
streamforge cdc resnapshot          reads the tables anew: the remedy for a slot that was lost

Changes go to the topics cdc.<schema>.<table>, in Debezium's form. STREAMFORGE_CDC_TABLES names the tables, STREAMFORGE_CDC_SLOT and _PUBLICATION what is made in their database.
status and resnapshot work on the demo shop of the platform on the data folder where no CDC_SOURCE_URL is set.

${METRICS_USAGE}
  --data DIR        data folder (default: STREAMFORGE_DATA_DIR, else ./data)
  --json            status: for programs`

const start = defineRole({
  name: 'cdc',
  usage: USAGE,
  needsDatabase: false,
  says: {
    run: 'The CDC source runs',
    need: 'The CDC source needs',
    stopped: 'The CDC source has stopped',
    tooLate: 'The log did not answer in time; what was not acknowledged is read again',
  },
  lacks: ({ cdcSourceUrl }) =>
    cdcSourceUrl ? [] : ['CDC_SOURCE_URL, e.g. CDC_SOURCE_URL=postgres://cdc:password@127.0.0.1:5432/shop'],
  expects: [CannotFollow],
  async prepare({ config, logger, metrics, clock, owner }) {
    // What others write is not its concern, nor may it be allowed to see it.
    await requireTopics(config, writtenTopics(config.cdcTables), logger)
    const health = watchCdc({ owner, clock })
    const settings = cdcSettings(config, config.cdcSourceUrl!.reveal())
    const { observer } = health
    return {
      health,
      start: () =>
        startCdc({ stores: cdcStores(config), settings, version: version(), logger, metrics, observer, clock }),
    }
  },
})

export const cdc = defineCommand({
  name: 'cdc',
  usage: USAGE,
  async run([verb, ...args], io) {
    if (verb === 'start') return start.run(args, io)
    if (verb === 'status') return status(args, io)
    if (verb === 'resnapshot') return takeAnew(args, io)
    throw new UsageError('cdc takes "start", "status" or "resnapshot".')
  },
})

const OPTIONS = { data: { type: 'string' }, json: { type: 'boolean', default: false } } as const

function configOf(args: readonly string[], io: CommandIo) {
  const { values, positionals } = parseArguments(args, OPTIONS)
  if (positionals.length > 0) throw new UsageError(`cdc takes options only, not "${positionals[0]}".`)
  return { config: configAt(values, io), json: values.json }
}

/** Exit code 1 where somebody has to do something. */
async function status(args: readonly string[], io: CommandIo): Promise<number> {
  const { config, json } = configOf(args, io)
  const settings = await followedDatabase(config)
  const { slot, isReading, tables, lsn } = await askDatabase(settings, async (sql) => ({
    slot: await readSlot(sql, settings.slot),
    isReading: (await readSlot(sql, snapshotSlot(settings.slot))) !== null,
    tables: await publishedTables(sql, settings.publication),
    lsn: await currentLsn(sql),
  }))
  const { log } = await openLog(cdcStores(config), { clock: io.clock })
  let tails: Map<string, Tail>
  try {
    tails = await readTails(log, settings.tables.map(changeTopic))
  } finally {
    await log.close()
  }
  const all = [...tails.values()]
  const followed = all.some(({ last }) => last !== null && !last.isSnapshot)
  const state = isReading
    ? 'snapshot'
    : slot
      ? slot.isLost
        ? 'lost'
        : slot.activePid === null
          ? 'stopped'
          : 'streaming'
      : followed
        ? 'lost'
        : 'not begun'
  const found = {
    state,
    slot: settings.slot,
    publication: settings.publication,
    lag_bytes: slot?.lagBytes ?? null,
    acknowledged_lsn: slot ? formatLsn(slot.confirmedLsn) : null,
    server_lsn: formatLsn(lsn),
    wal_status: slot?.walStatus ?? null,
    safe_wal_bytes: slot?.safeBytes ?? null,
    tables: settings.tables.map((table) => {
      const here = all.filter(({ at }) => at.topic === changeTopic(table))
      const lastMs = Math.max(...here.map(({ appendedAtMs }) => appendedAtMs ?? 0))
      const published = tables.find((one) => one.table === table)
      return {
        table,
        topic: changeTopic(table),
        last_record: lastMs > 0 ? toIso(lastMs) : null,
        columns: published?.columns ?? null,
      }
    }),
  }
  io.out(json ? `${JSON.stringify(found, null, 2)}\n` : shown(found))
  if (state === 'lost')
    io.err('Changes were lost. "streamforge cdc resnapshot" brings the log to the tables\' present state.\n')
  return state === 'lost' ? 1 : 0
}

function shown(found: {
  state: string
  slot: string
  lag_bytes: number | null
  acknowledged_lsn: string | null
  server_lsn: string
  wal_status: string | null
  tables: { table: string; topic: string; last_record: string | null; columns: readonly string[] | null }[]
}): string {
  const lines = [
    `state          ${found.state}`,
    `slot           ${found.slot}${found.wal_status === null ? '' : ` (WAL ${found.wal_status})`}`,
    `acknowledged   ${found.acknowledged_lsn ?? 'nothing yet'}, of ${found.server_lsn}`,
    `behind         ${found.lag_bytes === null ? 'unknown' : `${found.lag_bytes.toLocaleString('en')} bytes of WAL`}`,
    '',
    ...found.tables.flatMap(({ table, topic, last_record, columns }) => [
      `${table} → ${topic}; last record ${last_record ?? 'none'}`,
      `  ${columns?.join(', ') ?? 'not in the publication'}`,
    ]),
  ]
  return `${lines.join('\n')}\n`
}

async function takeAnew(args: readonly string[], io: CommandIo): Promise<number> {
  const { config } = configOf(args, io)
  const { clock, signal } = io
  const settings = await followedDatabase(config)
  const { log } = await openLog(cdcStores(config), { clock })
  const logger = createLogger({ level: 'silent', component: 'cli' })
  let rows = 0
  const observer = {
    ...createCdcTelemetry(createRegistry({ labels: { component: 'cdc' } }), logger, clock),
    snapshotRows(topic: string, count: number) {
      rows += count
      io.err(`${topic}: ${count.toLocaleString('en')} rows\n`)
    },
  }
  try {
    await resnapshot(settings, { log, clock, observer, signal, writing: { version: version(), now: clock.now } })
  } catch (error) {
    if (signal.aborted)
      throw new CommandFailed('The snapshot was broken off. Begin it anew: until then nothing is followed.')
    throw refusal(error)
  } finally {
    await log.close()
  }
  io.out(`${rows.toLocaleString('en')} rows are in the log; a source that runs goes on behind them.\n`)
  return 0
}
