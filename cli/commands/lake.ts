/** `streamforge lake`: what the lake has, how other programs connect to it, and its upkeep by hand. */
import { defineCommand, parseArguments, UsageError, wholeNumber } from '../command.ts'
import { LAKE_OPTIONS, LAKE_USAGE } from '../lake.ts'
import { momentOption } from '../time-option.ts'
import { connect } from './lake/connect.ts'
import { describe } from './lake/describe.ts'
import { files } from './lake/files.ts'
import { ls } from './lake/ls.ts'
import { compact, expire, orphans } from './lake/maintain.ts'
import { snapshots } from './lake/snapshots.ts'
import { snapshotId } from './sql.ts'

/** Which options a verb has beside --json and --data. */
const OPTIONS = {
  ls: [],
  describe: [],
  snapshots: ['limit'],
  files: ['snapshot', 'as-of', 'columns', 'limit'],
  connect: [],
  compact: ['dry-run', 'sort-by', 'target-mb'],
  expire: ['dry-run', 'older-than', 'keep'],
  orphans: ['dry-run', 'older-than'],
} as const satisfies Readonly<Record<string, readonly string[]>>
type Verb = keyof typeof OPTIONS

const HOUR_MS = 3_600_000
/** Time travel reaches back so far, unless told. */
const EXPIRED_AFTER_MS = 7 * 24 * HOUR_MS

export const lake = defineCommand({
  name: 'lake',
  usage: `streamforge lake ls                 tables with their rows, files, size and last commit
streamforge lake describe TABLE     its columns, partitions, properties and current snapshot
streamforge lake snapshots TABLE    its snapshots, the newest first
streamforge lake files TABLE        the files of a snapshot, with partition and bounds
streamforge lake connect            settings for PyIceberg, Trino, Spark and DuckDB, ready to paste
streamforge lake compact TABLE      makes few large files of many small ones
streamforge lake expire TABLE       removes old snapshots, and the files that only they need
streamforge lake orphans TABLE      removes files that no snapshot names, left by writers that were killed

"streamforge sql" asks the tables.

  --json            for programs; ids are texts, since they may have 19 digits
  --limit N         snapshots, files: shows the first N; 0: all (default: 20 snapshots, 100 files; in JSON all)
  --snapshot ID     files: of that snapshot
  --as-of TIME      files: of the snapshot of that time: ISO 8601, or 90m, 24h, 7d ago
  --columns A,B     files: shows the bounds of these columns
  --dry-run         compact, expire, orphans: tells what would be done, and does nothing
  --sort-by A,B     compact: sorts the rows by these columns (default: user_id and event_time, where the table has them)
  --target-mb N     compact: size of a file (default: the table's write.target-file-size-bytes, else 134)
  --older-than TIME expire: snapshots made before (default: 7d ago); orphans: files of that age (default: 3d, at least 1h)
  --keep N          expire: as many of the newest stay whatever their age (default: 1)
${LAKE_USAGE}`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      json: { type: 'boolean', default: false },
      limit: { type: 'string' },
      snapshot: { type: 'string' },
      'as-of': { type: 'string' },
      columns: { type: 'string' },
      'dry-run': { type: 'boolean' },
      'sort-by': { type: 'string' },
      'target-mb': { type: 'string' },
      'older-than': { type: 'string' },
      keep: { type: 'string' },
      ...LAKE_OPTIONS,
    })
    const [verb, table, ...more] = positionals
    if (!isVerb(verb))
      throw new UsageError(
        'lake takes "ls", "connect", or "describe", "snapshots", "files", "compact", "expire" or "orphans" and a table.',
      )
    const taken: readonly string[] = OPTIONS[verb]
    const given = [...new Set(Object.values(OPTIONS).flat())].find(
      (name) => values[name] !== undefined && !taken.includes(name),
    )
    if (given !== undefined) throw new UsageError(`lake ${verb} has no option --${given}.`)
    const { json, data } = values
    if (verb === 'ls' || verb === 'connect') {
      if (table !== undefined) throw new UsageError(`lake ${verb} takes options only, not "${table}".`)
      return (verb === 'ls' ? ls : connect)({ json, data }, io)
    }
    if (table === undefined || more.length > 0) throw new UsageError(`lake ${verb} takes one table, e.g. raw.orders.`)
    const limit = values.limit === undefined ? undefined : wholeNumber('--limit', values.limit, 0, 1e9)
    if (verb === 'describe') return describe({ json, data, table }, io)
    if (verb === 'snapshots') return snapshots({ json, data, table, limit }, io)
    const nowMs = io.clock.now()
    const upkeep = { json, data, table, dryRun: values['dry-run'] ?? false }
    const olderThanMs = values['older-than'] && momentOption('--older-than', values['older-than'], nowMs)
    if (verb === 'compact') {
      const targetMb = values['target-mb'] && wholeNumber('--target-mb', values['target-mb'], 1, 10_000)
      const sortBy = values['sort-by'] === undefined ? undefined : namesIn(values['sort-by'])
      return compact({ ...upkeep, sortBy, targetBytes: targetMb ? targetMb * 1e6 : undefined }, io)
    }
    if (verb === 'expire') {
      const keep = wholeNumber('--keep', values.keep ?? '1', 1, 1e6)
      return expire({ ...upkeep, keep, olderThanMs: olderThanMs || nowMs - EXPIRED_AFTER_MS }, io)
    }
    if (verb === 'orphans') {
      if (olderThanMs && nowMs - olderThanMs < HOUR_MS)
        throw new UsageError('--older-than takes at least 1h: a younger file may belong to a commit on its way.')
      return orphans({ ...upkeep, safetyAgeMs: olderThanMs ? nowMs - olderThanMs : undefined }, io)
    }
    if (values.snapshot !== undefined && values['as-of'] !== undefined)
      throw new UsageError('--snapshot and --as-of can not both be given.')
    return files(
      {
        json,
        data,
        table,
        limit,
        choice: {
          ...(values.snapshot !== undefined && { snapshotId: snapshotId(values.snapshot) }),
          ...(values['as-of'] !== undefined && { asOfMs: momentOption('--as-of', values['as-of'], nowMs) }),
        },
        columns: values.columns === undefined ? undefined : namesIn(values.columns),
      },
      io,
    )
  },
})

const isVerb = (text: string | undefined): text is Verb => text !== undefined && Object.hasOwn(OPTIONS, text)
const namesIn = (list: string): string[] => list.split(',').map((name) => name.trim())
