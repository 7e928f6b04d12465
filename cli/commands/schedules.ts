/** `streamforge schedules`: what runs by itself, and a person's hand on it. */
import { defineCommand, parseArguments, UsageError } from '../command.ts'
import { TEMPORAL_OPTIONS, TEMPORAL_USAGE } from '../temporal.ts'
import { backfill, pause, resume, trigger } from './schedules/act.ts'
import { ls } from './schedules/ls.ts'

/** Which options a verb has beside --data. */
const OPTIONS = {
  ls: ['json'],
  pause: ['reason'],
  resume: [],
  trigger: ['input'],
  backfill: ['from', 'to'],
} as const satisfies Readonly<Record<string, readonly string[]>>
type Verb = keyof typeof OPTIONS

export const schedules = defineCommand({
  name: 'schedules',
  usage: `streamforge schedules ls              which there are, when they run next, and when they last did
streamforge schedules pause ID        starts nothing until it is resumed, whichever worker starts meanwhile
streamforge schedules resume ID
streamforge schedules trigger ID      starts its workflow now, or when the run under way has ended
streamforge schedules backfill ID     starts it for days that are over, one after the other

Workers make the schedules when they start, and change them where a new version declares them otherwise. All times are UTC.

  --json            ls: for programs
  --reason TEXT     pause: why; everybody sees it
  --input JSON      trigger: another input than the schedule's, e.g. '{"date":"2026-11-20"}'
  --from DAY        backfill: the first day that is to be done, e.g. 2026-11-17; or ISO 8601, the time at which a run would have been due
  --to DAY          backfill: the last one
${TEMPORAL_USAGE}`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      json: { type: 'boolean' },
      reason: { type: 'string' },
      input: { type: 'string' },
      from: { type: 'string' },
      to: { type: 'string' },
      ...TEMPORAL_OPTIONS,
    })
    const [verb, id, ...more] = positionals
    if (!isVerb(verb))
      throw new UsageError(
        'schedules takes "ls", or "pause", "resume", "trigger" or "backfill" and the id of a schedule.',
      )
    const taken: readonly string[] = OPTIONS[verb]
    const given = [...new Set(Object.values(OPTIONS).flat())].find(
      (name) => values[name] !== undefined && !taken.includes(name),
    )
    if (given !== undefined) throw new UsageError(`schedules ${verb} has no option --${given}.`)
    const { data, from, to } = values
    if (verb === 'ls') {
      if (id !== undefined) throw new UsageError(`schedules ls takes options only, not "${id}".`)
      return ls({ json: values.json ?? false, data }, io)
    }
    if (id === undefined || more.length > 0)
      throw new UsageError(
        `schedules ${verb} takes one id, e.g. daily-aggregation; "streamforge schedules ls" has them.`,
      )
    if (verb === 'pause') return pause({ id, data, reason: values.reason }, io)
    if (verb === 'resume') return resume({ id, data }, io)
    if (verb === 'trigger') return trigger({ id, data, input: inputOf(values.input) }, io)
    if (from === undefined || to === undefined)
      throw new UsageError('schedules backfill takes --from and --to, e.g. --from 2026-11-17 --to 2026-11-19.')
    return backfill({ id, data, from, to }, io)
  },
})

const isVerb = (text: string | undefined): text is Verb => text !== undefined && Object.hasOwn(OPTIONS, text)

function inputOf(text: string | undefined): object | undefined {
  if (text === undefined) return undefined
  try {
    const input: unknown = JSON.parse(text)
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input
  } catch {
    // Told below.
  }
  throw new UsageError(`--input takes a JSON object, e.g. '{"date":"2026-11-20"}', not ${text}.`)
}
