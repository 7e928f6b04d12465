/** `streamforge dlq`: the dead letters — what died of what, one in full, and the way back for those that can be read now. */
import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Config, ConfigOverrides } from '../../db/config.ts'
import type { SchemaRegistry } from '../../streams/contract/codec.ts'
import { CDC_TOPICS, deadLetterTopic, INPUT_TOPICS } from '../../streams/contract/topics.ts'
import { BadFix } from '../../streams/dead-letters/bad-fix.ts'
import { positionOf } from '../../streams/dead-letters/dead-letter.ts'
import { describeValue } from '../../streams/dead-letters/describe-value.ts'
import { createFixer, type Fix, parseFix } from '../../streams/dead-letters/fix.ts'
import { replayLetters } from '../../streams/dead-letters/replay.ts'
import { createReviver, type Reviver } from '../../streams/dead-letters/revive.ts'
import { deadLetter, deadLetters, type FoundLetter, type Summary, summarize } from '../../streams/dead-letters/scan.ts'
import type { ForeignTopic } from '../../streams/foreign/foreign-topic.ts'
import { type EventLog, LogUnavailable } from '../../streams/log/event-log.ts'
import { EMBEDDED_FOLDERS, openLog, openSchemas, storeSettings } from '../../streams/stores.ts'
import { CommandFailed, type CommandIo, defineCommand, parseArguments, UsageError, wholeNumber } from '../command.ts'
import { FOREIGN_USAGE, foreignTopicsOf } from '../foreign-topics.ts'
import { findPlatform } from '../platform.ts'
import { jsonOption, mappingOption } from '../row-file.ts'
import { configFrom } from '../settings.ts'
import { printable } from '../text-table.ts'
import { momentOption } from '../time-option.ts'

const OPTIONS = {
  topic: { type: 'string' },
  reason: { type: 'string' },
  since: { type: 'string' },
  limit: { type: 'string' },
  all: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  mapping: { type: 'string' },
  schema: { type: 'string' },
  json: { type: 'boolean', default: false },
  data: { type: 'string' },
  'foreign-topics': { type: 'string' },
} as const

export const dlq = defineCommand({
  name: 'dlq',
  usage: `streamforge dlq list                what died of what, and the newest
streamforge dlq show ID             one in full: why it died, where it came from, its bytes
streamforge dlq replay ID…          tries again; what can be read now goes back to its topic, once
streamforge dlq replay --all        … for all, or with --topic and --reason for some

An ID is <topic>:<partition>:<offset> of the dead letter, as list shows it. Replaying is safe at any time: a letter that was replayed is not replayed again, and an event
that is in the results already is a duplicate. An event keeps its time, so one whose window has closed meanwhile is counted as late and kept on late.events.
Works on the log that KAFKA_BROKERS names, else on that of the platform on the data folder, also while it runs.

  --topic T         letters of this topic only, e.g. transactions.orders
  --reason TEXT     replay: of this reason, or with this text in the message
  --since TIME      list: those since then, ISO 8601 or e.g. 90m, 24h, 7d
  --limit N         list: how many of the newest (default 10)
  --dry-run         replay: only tells what would go back, and what still fails of what
  --mapping M       replay: what they say becomes an event by this preset or mapping file, as in "streamforge replay"
  --schema FILE     replay: the Avro schema (JSON) that they were written with, whatever id they name
  --json            for programs; replay prints a line for each letter
  --data DIR        data folder (default: STREAMFORGE_DATA_DIR, else ./data)
${FOREIGN_USAGE}`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, OPTIONS)
    const [verb, ...ids] = positionals
    const config = await configOf(io, {
      dataDir: pathOf(values.data, io),
      foreignTopics: pathOf(values['foreign-topics'], io),
    })
    const foreign = await foreignTopicsOf(config)
    const sources = [...INPUT_TOPICS, ...CDC_TOPICS, ...foreign.map(({ name }) => name)]
    const asked = { ...values, ids, config, foreign, sources }
    if (verb === 'list') return list(asked, io)
    if (verb === 'show') return show(asked, io)
    if (verb === 'replay') return replay(asked, io)
    throw new UsageError('dlq takes "list", "show" and an id, or "replay".')
  },
})

/** Where the environment names no Kafka, the log is that of the platform on the data folder: it says itself which Kafka it is on. */
async function configOf({ env }: CommandIo, options: ConfigOverrides): Promise<Config> {
  const config = configFrom(env, options)
  if (config.kafkaBrokers.length > 0) return config
  const kafkaBrokers = (await findPlatform(config.dataDir))?.kafka_brokers
  return kafkaBrokers === undefined ? config : configFrom(env, { ...options, kafkaBrokers })
}

interface Asked {
  ids: readonly string[]
  config: Config
  foreign: readonly ForeignTopic[]
  /** Names of the topics whose dead letters there are. */
  sources: readonly string[]
  topic?: string | undefined
  reason?: string | undefined
  since?: string | undefined
  limit?: string | undefined
  all: boolean
  'dry-run': boolean
  mapping?: string | undefined
  schema?: string | undefined
  json: boolean
}

interface Opened {
  log: EventLog
  registry: SchemaRegistry
  reviver: Reviver
}

async function list(asked: Asked, io: CommandIo): Promise<number> {
  refuse(asked, ['reason', 'all', 'dry-run', 'mapping', 'schema'], 'list')
  if (asked.ids.length > 0) throw new UsageError(`dlq list takes options only, not "${asked.ids[0]}".`)
  const topics = topicsOf(asked)
  const limit = asked.limit === undefined ? 10 : wholeNumber('--limit', asked.limit, 0, 10_000)
  const sinceMs = sinceOf(asked.since, io)
  const found = await withLog(asked, io, ({ log }) => summarize(log, topics, { sinceMs, limit }))
  io.out(asked.json ? `${JSON.stringify(forPrograms(found))}\n` : forPeople(found))
  return 0
}

async function show(asked: Asked, io: CommandIo): Promise<number> {
  refuse(asked, ['topic', 'reason', 'since', 'limit', 'all', 'dry-run', 'mapping', 'schema'], 'show')
  const [id, ...more] = asked.ids
  if (id === undefined || more.length > 0) throw new UsageError('dlq show takes one id, as "dlq list" shows it.')
  checkId(asked, id)
  return withLog(asked, io, async ({ log, registry }) => {
    const { letter, replayed } = await letterAt(log, id)
    const { source, key, reason, message, headers } = letter
    const value = await describeValue(letter.value, registry)
    if (asked.json) {
      const from = { ...source, appended_at: iso(source.appendedAtMs), appendedAtMs: undefined }
      io.out(
        `${JSON.stringify({ id, reason, message, died_at: iso(letter.diedAtMs), replayed, source: from, key, headers, bytes: letter.value.length, format: value.format, value: value.json ?? value.text })}\n`,
      )
      return 0
    }
    const rows: [string, string][] = [
      ['reason', message === '' ? reason : `${reason}: ${message}`],
      ['died', `${iso(letter.diedAtMs)}${replayed ? ', replayed since' : ''}`],
      ['from', `${source.topic}[${source.partition}] offset ${source.offset}, accepted ${iso(source.appendedAtMs)}`],
      ['key', key ?? '(none)'],
      ...Object.entries(headers).map(([name, text]): [string, string] => ['header', `${name}: ${text}`]),
      [
        'value',
        `${letter.value.length} bytes${letter.cutFromBytes === null ? '' : ` of ${letter.cutFromBytes}`}, ${value.format}`,
      ],
    ]
    io.out(`${rows.map(([name, text]) => `${name.padEnd(8)}${printable(text)}`).join('\n')}\n\n${value.text}\n`)
    return 0
  })
}

async function replay(asked: Asked, io: CommandIo): Promise<number> {
  refuse(asked, ['since', 'limit'], 'replay')
  const { ids, reason, all } = asked
  const ways = [ids.length > 0, asked.topic !== undefined || reason !== undefined, all].filter(Boolean).length
  if (ways !== 1) throw new UsageError('dlq replay takes ids, or --topic and --reason, or --all.')
  for (const id of ids) checkId(asked, id)
  const topics = topicsOf(asked)
  const fix = await fixOf(asked, io)
  return withLog(asked, io, async ({ log, registry, reviver: present }) => {
    const reviver = fix ? createFixer(fix, { registry, currency: asked.config.currency }) : present
    const chosen = ids.length > 0 ? lettersAt(log, ids) : lettersOf(log, topics, reason)
    const counts = { replayed: 0, replayed_before: 0, refused: 0 }
    const verb = asked['dry-run'] ? 'would go back' : 'went back'
    for await (const result of replayLetters(stoppable(chosen, io.signal), {
      log,
      reviver,
      dryRun: asked['dry-run'],
    })) {
      counts[result.outcome]++
      const { id } = result.letter
      if (asked.json) io.out(`${JSON.stringify({ ...result, letter: undefined, id, dry_run: asked['dry-run'] })}\n`)
      else if (result.outcome === 'refused')
        io.out(`${id} still fails: ${result.reason}: ${printable(result.message)}\n`)
      else if (ids.length > 0) {
        const to =
          result.outcome === 'replayed' && result.to
            ? ` as ${result.to.topic}[${result.to.partition}] offset ${result.to.offset}`
            : ''
        io.out(`${id} ${result.outcome === 'replayed' ? `${verb}${to}` : 'was replayed before: nothing is done'}\n`)
      }
    }
    if (!asked.json) {
      const before = counts.replayed_before > 0 ? `, ${counts.replayed_before} were replayed before` : ''
      io.out(`${counts.replayed} ${verb}, ${counts.refused} still fail${before}.\n`)
    }
    return counts.refused > 0 ? 1 : 0
  })
}

/** @returns null where the present decoder is to try */
async function fixOf({ mapping, schema }: Asked, io: CommandIo): Promise<Fix | null> {
  if (mapping === undefined && schema === undefined) return null
  try {
    return parseFix({
      ...(mapping !== undefined && { mapping: (await mappingOption('dlq', mapping, io)).spec }),
      ...(schema !== undefined && {
        schema: await jsonOption('schema', schema, 'not a file that can be read', io.cwd),
      }),
    })
  } catch (error) {
    if (error instanceof BadFix) throw new UsageError(`--${error.message}`)
    throw error
  }
}

async function* lettersOf(
  log: EventLog,
  topics: readonly string[],
  reason: string | undefined,
): AsyncGenerator<FoundLetter> {
  for (const topic of topics) {
    for await (const found of deadLetters(log, topic)) {
      const { letter } = found
      if (reason === undefined || letter.reason === reason || letter.message.includes(reason)) yield found
    }
  }
}

async function* lettersAt(log: EventLog, ids: readonly string[]): AsyncGenerator<FoundLetter> {
  // All are looked up first: a wrong one must not be found out after half of the others were replayed.
  const found: FoundLetter[] = []
  for (const id of new Set(ids)) found.push(await letterAt(log, id))
  yield* found
}

/** What is under way is finished; the same command goes on from there. */
async function* stoppable(letters: AsyncIterable<FoundLetter>, signal: AbortSignal): AsyncGenerator<FoundLetter> {
  for await (const found of letters) {
    if (signal.aborted) return
    yield found
  }
}

async function letterAt(log: EventLog, id: string): Promise<FoundLetter> {
  const found = await deadLetter(log, id)
  if (!found)
    throw new CommandFailed(
      `There is no dead letter ${id}, or retention has removed it. "streamforge dlq list" shows what there is.`,
    )
  return found
}

/** Opens the log and the schemas, tells for whom they are missing, and closes them. */
async function withLog(asked: Asked, io: CommandIo, work: (opened: Opened) => Promise<number>): Promise<number>
async function withLog<R>(asked: Asked, io: CommandIo, work: (opened: Opened) => Promise<R>): Promise<R>
async function withLog<R>(
  { config, foreign }: Asked,
  { clock }: CommandIo,
  work: (opened: Opened) => Promise<R>,
): Promise<R> {
  const settings = { ...storeSettings(config), foreign }
  if (!settings.kafka) await mustBeThere(join(config.dataDir, EMBEDDED_FOLDERS.log))
  try {
    const { log } = await openLog(settings, { clock })
    try {
      const { registry, close } = await openSchemas(settings)
      try {
        return await work({
          log,
          registry,
          reviver: createReviver({ registry, currency: config.currency, clock, foreign }),
        })
      } finally {
        await close()
      }
    } finally {
      await log.close()
    }
  } catch (error) {
    if (error instanceof CommandFailed) throw error
    const { name, message } = error as Error
    if (error instanceof LogUnavailable || name === 'RegistryUnavailable' || /^The log /.test(message))
      throw new CommandFailed(message)
    throw error
  }
}

async function mustBeThere(folder: string): Promise<void> {
  try {
    await access(folder)
  } catch {
    throw new CommandFailed(
      `There is no log in ${folder}. Name the platform's data folder with --data, or its Kafka with KAFKA_BROKERS.`,
    )
  }
}

function topicsOf({ topic, sources }: Asked): string[] {
  if (topic === undefined) return sources.map(deadLetterTopic)
  const source = topic.replace(/^dlq\./, '')
  if (!sources.includes(source)) throw new UsageError(`--topic takes one of ${sources.join(', ')}, not "${topic}".`)
  return [deadLetterTopic(source)]
}

function checkId({ sources }: Asked, id: string): void {
  const known = sources.map(deadLetterTopic)
  if (!known.includes(positionOf(id)?.topic ?? ''))
    throw new UsageError(`An id is <topic>:<partition>:<offset>, e.g. ${known[0]}:0:17, not "${id}".`)
}

/** Options that this verb doesn't have. */
function refuse(asked: Asked, names: readonly (keyof Asked)[], verb: string): void {
  const given = names.find((name) => asked[name] !== undefined && asked[name] !== false)
  if (given !== undefined) throw new UsageError(`dlq ${verb} has no option --${given}.`)
}

const sinceOf = (text: string | undefined, { clock }: CommandIo): number =>
  text === undefined ? Number.NEGATIVE_INFINITY : momentOption('--since', text, clock.now())

const pathOf = (data: string | undefined, { cwd }: CommandIo): string | undefined =>
  data === undefined ? undefined : resolve(cwd, data)

const iso = (ms: number): string => new Date(ms).toISOString()

function forPeople({ causes, newest, letters }: Summary): string {
  if (letters === 0) return 'There are no dead letters.\n'
  const lines: string[] = []
  for (const cause of causes) {
    const replayed = cause.replayed > 0 ? ` (${cause.replayed} replayed)` : ''
    lines.push(
      `${cause.letters}${replayed}  ${cause.topic}  ${cause.reason}: ${printable(cause.message)}`,
      `    ${iso(cause.firstMs)} to ${iso(cause.lastMs)}, e.g. ${cause.example}`,
    )
  }
  if (newest.length > 0) lines.push('', 'Newest:')
  for (const { letter, replayed } of newest) {
    lines.push(
      `  ${letter.id}  ${iso(letter.diedAtMs)}  ${letter.reason}: ${printable(letter.message).slice(0, 100)}${replayed ? '  (replayed)' : ''}`,
    )
  }
  return `${lines.join('\n')}\n`
}

const forPrograms = ({ causes, newest, letters }: Summary) => ({
  letters,
  causes: causes.map(({ id, firstMs, lastMs, ...cause }) => ({
    group: id,
    ...cause,
    first: iso(firstMs),
    last: iso(lastMs),
  })),
  newest: newest.map(({ letter, replayed }) => ({
    id: letter.id,
    topic: letter.source.topic,
    reason: letter.reason,
    message: letter.message,
    died_at: iso(letter.diedAtMs),
    replayed,
  })),
})
