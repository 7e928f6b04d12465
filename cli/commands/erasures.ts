/** `streamforge erasures`: persons who are to be forgotten. The id is an argument, as it is for every program that is told whom: the shell's history has it then, unless it comes from standard input. */
import { text } from 'node:stream/consumers'
import { type CommandIo, defineCommand, parseArguments, UsageError } from '../command.ts'
import { API_OPTIONS, API_USAGE, answerOf, type EdgeApi, findEdgeApi } from '../edge-api.ts'
import { textTable } from '../text-table.ts'

export const erasures = defineCommand({
  name: 'erasures',
  usage: `streamforge erasures request USER-ID   has a person erased from everything; asked twice it is one erasure, one that failed goes on;
                                        where one waits for the log alone, another is of what has come since
streamforge erasures ls
streamforge erasures show ID           how far it is; of one that is complete, the certificate

A user id brings the anonymous ids that were seen with it and with nobody else. It takes until the log's retention has passed, 30 days at most: "show" says until when.
docs/privacy.md tells what is erased where.

  --stdin           request: the id is standard input, without the line end, so that the shell's history has it not
  --json            for programs
${API_USAGE}`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      ...API_OPTIONS,
      stdin: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    })
    const [verb, id, ...more] = positionals
    const isGiven = (id !== undefined) !== (verb === 'request' && values.stdin)
    if (!isVerb(verb) || isGiven !== (verb !== 'ls') || more.length > 0)
      throw new UsageError('erasures takes "request USER-ID", "ls" or "show ID".')
    if (values.stdin && verb !== 'request') throw new UsageError(`erasures ${verb} has no option --stdin.`)
    const subject = values.stdin ? (await text(io.input ?? process.stdin)).replace(/\r?\n$/, '') : (id ?? '')
    await DO[verb](await findEdgeApi(values, 'admin', io), { subject, json: values.json }, io)
    return 0
  },
})

interface Wish {
  subject: string
  json: boolean
}
type Verb = 'request' | 'ls' | 'show'
const isVerb = (verb: string | undefined): verb is Verb => verb !== undefined && Object.hasOwn(DO, verb)

const DO: Record<Verb, (edge: EdgeApi, wish: Wish, io: CommandIo) => Promise<void>> = {
  async request({ client }, { subject, json }, io) {
    const { data } = await answerOf(client.POST('/privacy/erasures', { body: { user_id: subject } }))
    io.out(json ? `${JSON.stringify(data)}\n` : `The erasure ${data.id} is ${WORDS[data.state]}.\n`)
  },
  async ls({ client }, { json }, io) {
    const { data } = await answerOf(client.GET('/privacy/erasures', {}))
    if (json) io.out(`${JSON.stringify(data)}\n`)
    else
      io.out(
        textTable(
          ['ID', 'STATE', 'REQUESTED', 'BY', 'UNTIL'],
          data.map((each) => [
            each.id,
            WORDS[each.state],
            each.requested_at,
            each.requested_by,
            each.completed_at ?? each.waits_until ?? '',
          ]),
        ),
      )
  },
  async show({ client }, { subject, json }, io) {
    const { data } = await answerOf(client.GET('/privacy/erasures/{id}', { params: { path: { id: subject } } }))
    if (json) {
      io.out(`${JSON.stringify(data)}\n`)
      return
    }
    const rows: [string, string | null][] = [
      ['erasure', data.id],
      ['state', WORDS[data.state]],
      ['of', `sha256 ${data.subject_hash} (of "${data.salt}:<user id>")`],
      ['requested', `${data.requested_at} by ${data.requested_by}`],
      ['log until', data.state === 'waiting_for_log' ? data.waits_until : null],
      ['complete', data.completed_at],
      ['failure', data.failure],
    ]
    for (const [name, value] of rows) if (value !== null) io.out(`${name.padEnd(10)} ${value}\n`)
    for (const { step, at, ...counts } of data.steps) io.out(`${at}  ${step.padEnd(14)} ${JSON.stringify(counts)}\n`)
  },
}

const WORDS = {
  requested: 'requested',
  running: 'under way',
  waiting_for_log: 'done but for the log',
  complete: 'complete',
  failed: 'failed',
} as const
