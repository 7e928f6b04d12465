/** `streamforge keys`: who may send events. A key is shown once, when it is made; the edge keeps its hash. */
import { type CommandIo, defineCommand, parseArguments, UsageError } from '../command.ts'
import { API_OPTIONS, API_USAGE, answerOf, type EdgeApi, findEdgeApi } from '../edge-api.ts'
import { textTable } from '../text-table.ts'

export const keys = defineCommand({
  name: 'keys',
  usage: `streamforge keys ls             the keys that hold
streamforge keys create NAME    makes a key, and shows it this once
streamforge keys revoke ID      for ever; what it has sent stays

A key is public where it ships in web pages: --origin keeps other pages from using it, --events-per-minute bounds what can be sent with it. With
--require-consent, events that do not say "consent": true are let go.

  --origin ORIGIN           create: of pages that may send with it, e.g. https://shop.example; several times for several (default: all)
  --servers-only            create: no page may send with it
  --events-per-minute N     create: its quota, for each edge process (default: none)
  --require-consent         create: an event must say that whom it is about agrees
  --revoked                 ls: the last that were revoked as well
  --json                    for programs
${API_USAGE}`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      ...API_OPTIONS,
      origin: { type: 'string', multiple: true },
      'servers-only': { type: 'boolean' },
      'events-per-minute': { type: 'string' },
      'require-consent': { type: 'boolean' },
      revoked: { type: 'boolean' },
      json: { type: 'boolean' },
    })
    const [verb, subject, ...more] = positionals
    if (!isVerb(verb) || (verb === 'ls') !== (subject === undefined) || more.length > 0)
      throw new UsageError('keys takes "ls", "create NAME" or "revoke ID".')
    const foreign = OPTIONS.find((name) => values[name] !== undefined && !TAKES[verb].includes(name))
    if (foreign !== undefined) throw new UsageError(`keys ${verb} has no option --${foreign}.`)
    if (values.origin && values['servers-only'])
      throw new UsageError('keys create takes --origin or --servers-only, not both.')
    const wish = {
      subject: subject ?? '',
      origins: values['servers-only'] ? [] : (values.origin ?? null),
      eventsPerMinute: quotaOf(values['events-per-minute']),
      requiresConsent: values['require-consent'] ?? false,
      revoked: values.revoked ?? false,
      json: values.json ?? false,
    }
    await DO[verb](await findEdgeApi(values, 'operator', io), wish, io)
    return 0
  },
})

const OPTIONS = ['origin', 'servers-only', 'events-per-minute', 'require-consent', 'revoked', 'json'] as const
const TAKES: Readonly<Record<Verb, readonly string[]>> = {
  ls: ['revoked', 'json'],
  create: ['origin', 'servers-only', 'events-per-minute', 'require-consent', 'json'],
  revoke: [],
}
type Verb = 'ls' | 'create' | 'revoke'
const isVerb = (text: string | undefined): text is Verb => text !== undefined && Object.hasOwn(TAKES, text)

interface Wish {
  /** The name of a new key, or the id of one that there is. */
  subject: string
  origins: string[] | null
  eventsPerMinute: number | null
  requiresConsent: boolean
  revoked: boolean
  json: boolean
}

/** @throws UsageError */
function quotaOf(text: string | undefined): number | null {
  if (text === undefined) return null
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new UsageError(`--events-per-minute takes a whole number from 1 on, not "${text}".`)
}

const DO: Record<Verb, (edge: EdgeApi, wish: Wish, io: CommandIo) => Promise<void>> = {
  async ls({ client }, { revoked, json }, io) {
    const query = { revoked: revoked ? ('true' as const) : ('false' as const) }
    const { data } = await answerOf(client.GET('/write-keys', { params: { query } }))
    if (json) io.out(`${JSON.stringify(data)}\n`)
    else
      io.out(
        textTable(
          ['ID', 'NAME', 'PAGES', 'EVENTS/MIN', 'CONSENT', 'SINCE', 'REVOKED'],
          data.map((key) => [
            key.id,
            key.name,
            key.origins === null ? 'all' : key.origins.join(' ') || 'none',
            key.events_per_minute === null ? '' : `${key.events_per_minute}`,
            key.requires_consent ? 'required' : '',
            key.created_at ?? '',
            key.revoked_at ?? '',
          ]),
        ),
      )
  },
  async create({ client }, { subject, origins, eventsPerMinute, requiresConsent, json }, io) {
    const body = {
      name: subject,
      origins,
      events_per_minute: eventsPerMinute,
      requires_consent: requiresConsent,
    }
    const { data } = await answerOf(client.POST('/write-keys', { body }))
    if (json) io.out(`${JSON.stringify(data)}\n`)
    else
      io.out(`${data.key}\nThis key is shown this once. Its id is ${data.id}: "streamforge keys revoke ${data.id}".\n`)
  },
  async revoke({ client }, { subject }, io) {
    await answerOf(client.DELETE('/write-keys/{id}', { params: { path: { id: subject } } }))
    io.out(`The key ${subject} no longer holds; other edge processes follow within seconds.\n`)
  },
}
