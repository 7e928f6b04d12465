/** `streamforge lake`: what the lake has, and how other programs connect to it. Reads only. */
import { defineCommand, parseArguments, UsageError, wholeNumber } from '../command.ts'
import { LAKE_OPTIONS, LAKE_USAGE } from '../lake.ts'
import { momentOption } from '../time-option.ts'
import { connect } from './lake/connect.ts'
import { describe } from './lake/describe.ts'
import { files } from './lake/files.ts'
import { ls } from './lake/ls.ts'
import { snapshots } from './lake/snapshots.ts'
import { snapshotId } from './sql.ts'

const VERBS = { ls, describe, snapshots, files, connect } as const
type Verb = keyof typeof VERBS

/** Which options a verb has beside --json and --data. */
const OPTIONS: Readonly<Record<Verb, readonly string[]>> = {
  ls: [],
  describe: [],
  snapshots: ['limit'],
  files: ['snapshot', 'as-of', 'columns', 'limit'],
  connect: [],
}

export const lake = defineCommand({
  name: 'lake',
  usage: `streamforge lake ls                 tables with their rows, files, size and last commit
streamforge lake describe TABLE     its columns, partitions, properties and current snapshot
streamforge lake snapshots TABLE    its snapshots, the newest first
streamforge lake files TABLE        the files of a snapshot, with partition and bounds
streamforge lake connect            settings for PyIceberg, Trino, Spark and DuckDB, ready to paste

"streamforge sql" asks the tables.

  --json            for programs; ids are texts, since they may have 19 digits
  --limit N         snapshots, files: shows the first N; 0: all (default: 20 snapshots, 100 files; in JSON all)
  --snapshot ID     files: of that snapshot
  --as-of TIME      files: of the snapshot of that time: ISO 8601, or 90m, 24h, 7d ago
  --columns A,B     files: shows the bounds of these columns
${LAKE_USAGE}`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      json: { type: 'boolean', default: false },
      limit: { type: 'string' },
      snapshot: { type: 'string' },
      'as-of': { type: 'string' },
      columns: { type: 'string' },
      ...LAKE_OPTIONS,
    })
    const [verb, table, ...more] = positionals
    if (!isVerb(verb))
      throw new UsageError('lake takes "ls", "connect", or "describe", "snapshots" or "files" and a table.')
    const given = (['limit', 'snapshot', 'as-of', 'columns'] as const).find(
      (name) => values[name] !== undefined && !OPTIONS[verb].includes(name),
    )
    if (given !== undefined) throw new UsageError(`lake ${verb} has no option --${given}.`)
    const { json, data } = values
    if (verb === 'ls' || verb === 'connect') {
      if (table !== undefined) throw new UsageError(`lake ${verb} takes options only, not "${table}".`)
      return VERBS[verb]({ json, data }, io)
    }
    if (table === undefined || more.length > 0) throw new UsageError(`lake ${verb} takes one table, e.g. raw.orders.`)
    const limit = values.limit === undefined ? undefined : wholeNumber('--limit', values.limit, 0, 1e9)
    if (verb === 'describe') return describe({ json, data, table }, io)
    if (verb === 'snapshots') return snapshots({ json, data, table, limit }, io)
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
          ...(values['as-of'] !== undefined && { asOfMs: momentOption('--as-of', values['as-of'], io.clock.now()) }),
        },
        columns: values.columns?.split(',').map((name) => name.trim()),
      },
      io,
    )
  },
})

const isVerb = (text: string | undefined): text is Verb => text !== undefined && Object.hasOwn(VERBS, text)
