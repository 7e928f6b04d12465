/** One dead letter, opened: why it died, its bytes and its trace; and the way back for all that died of the same, with a fix where one is needed. */
import type { DeadLetterDetail, ReplayReport } from '../../client/index.ts'
import { type Api, dataOf } from '../api.ts'
import { button, el, facts, link, tag } from '../dom.ts'
import { count, counted, dateTime } from '../format.ts'
import type { Session } from '../session.ts'
import { createSheet, section } from '../sheet.ts'

export interface LetterSheetDeps {
  api: Api
  session: Session
  /** Letters went back. */
  onReplayed(): void
}

type Fix = { mapping?: string | Record<string, unknown>; schema?: Record<string, unknown> }

/** Of letters that one press brings back. */
const LIMIT = 1_000
const REFUSED = 3

/** @returns opens a letter by its id */
export function createLetterSheet({ api, session, onReplayed }: LetterSheetDeps): (id: string) => void {
  const sheet = createSheet<DeadLetterDetail>({
    name: 'letter',
    title: 'Dead letter',
    loading: 'Loading the letter …',
    load: (id) => dataOf(api.GET('/dead-letters/{id}', { params: { path: { id } } })),
    show: (letter) => ({
      title: `${letter.reason.replaceAll('_', ' ')}, ${letter.source.topic}`,
      sections: [
        section('Why it died', ...why(letter)),
        section('What it says', el('pre', { class: 'bytes', tabindex: 0 }, letter.value || 'Nothing: it is empty.')),
        section(
          'The way back',
          session.mayChange
            ? wayBack(letter, api, onReplayed)
            : el('p', { class: 'hint' }, 'Bringing records back takes the account of an operator.'),
        ),
      ],
    }),
  })
  return sheet.open
}

const why = (letter: DeadLetterDetail): HTMLElement[] => [
  el('p', { class: 'lead' }, letter.message || 'Whoever put it aside did not say.'),
  facts([
    ['State', letter.replayed ? tag('brought back', 'good') : tag('put aside', 'warn')],
    ['Died at (UTC)', dateTime(letter.died_at)],
    ['Accepted at (UTC)', dateTime(letter.source.accepted_at)],
    ['In the log', `partition ${letter.source.partition}, offset ${letter.source.offset}`],
    ['Key', letter.key ?? 'none'],
    [
      'Value',
      `${counted(letter.bytes, 'byte')}${letter.cut_from_bytes === null ? '' : ` of ${count(letter.cut_from_bytes)}`}, ${letter.format}`,
    ],
    ['Trace', letter.trace_url === null ? (letter.trace_id ?? 'none') : link(letter.trace_url, 'open')],
  ]),
]

function wayBack(letter: DeadLetterDetail, api: Api, onReplayed: () => void): HTMLElement {
  const mapping = el('textarea', { id: 'fix-mapping', rows: 5, spellcheck: 'false' })
  const schema = el('textarea', { id: 'fix-schema', rows: 5, spellcheck: 'false' })
  const answer = el('div', { class: 'answer', role: 'status' })
  const bring = button('Bring them back', () => void ask(false), { class: 'button', disabled: true })
  const form = el(
    'form',
    { class: 'way-back' },
    el(
      'p',
      { class: 'hint' },
      'All that died of the same are tried again: with the present decoder, or with a fix. An event that is in the results already stays counted once.',
    ),
    el(
      'details',
      {},
      el('summary', {}, 'With a fix'),
      el(
        'label',
        { for: 'fix-mapping' },
        'Mapping from what they say to an event: a preset’s name, or JSON as imports take it',
      ),
      mapping,
      el('label', { for: 'fix-schema' }, 'Avro schema that they were written with, as JSON'),
      schema,
    ),
    el('div', { class: 'actions' }, el('button', { class: 'button primary' }, 'Try'), bring),
    answer,
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void ask(true)
  })
  // What was tried is what goes back.
  form.addEventListener('input', () => {
    bring.disabled = true
  })

  async function ask(dry_run: boolean): Promise<void> {
    bring.disabled = true
    answer.textContent = dry_run ? 'Trying …' : 'Bringing them back …'
    try {
      const fix: Fix = {}
      if (mapping.value.trim() !== '') fix.mapping = mappingOf(mapping.value.trim())
      if (schema.value.trim() !== '') fix.schema = jsonOf('schema', schema.value)
      const asked = { group: letter.group, dry_run, limit: LIMIT }
      const body = Object.keys(fix).length > 0 ? { ...asked, fix } : asked
      const found = await dataOf(api.POST('/dead-letter-replays', { body }))
      answer.replaceChildren(...reportOf(found))
      bring.disabled = !(dry_run && found.replayed > 0) && !found.more
      if (!dry_run) onReplayed()
    } catch (error) {
      answer.replaceChildren(el('p', { class: 'trouble' }, (error as Error).message))
    }
  }
  return form
}

/** A preset's name is no JSON. */
const mappingOf = (text: string) => (/^[\w-]+$/.test(text) ? text : jsonOf('mapping', text))

/** @throws Error with a sentence to show */
function jsonOf(name: string, text: string): Record<string, unknown> {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`The ${name} is not valid JSON: ${(error as Error).message}`)
  }
}

function reportOf({ dry_run, replayed, replayed_before, refused, more, examples }: ReplayReport): HTMLElement[] {
  const sentence = [
    `${counted(replayed, 'record')} ${dry_run ? 'would go back' : 'went back'}`,
    refused > 0 && `${count(refused)} still can not be read`,
    replayed_before > 0 && `${count(replayed_before)} went back before`,
  ].filter(Boolean)
  return [
    el('p', {}, tag(dry_run ? 'tried' : 'done', refused > 0 ? 'warn' : 'good'), ` ${sentence.join(', ')}.`),
    ...(more ? [el('p', { class: 'hint' }, 'There are more: ask again to go on.')] : []),
    ...wentBack(examples),
    ...stillDead(examples),
  ]
}

type Examples = ReplayReport['examples']

/** One is enough to see what the others become. */
const wentBack = (examples: Examples): HTMLElement[] =>
  examples
    .flatMap(({ event }) => (event === null ? [] : [event]))
    .slice(0, 1)
    .map((event) => {
      const said = Object.fromEntries(Object.entries(event).filter(([, value]) => value !== null))
      return el('pre', { class: 'bytes', tabindex: 0 }, JSON.stringify(said, null, 2))
    })

const stillDead = (examples: Examples): HTMLElement[] =>
  examples
    .filter(({ outcome }) => outcome === 'refused')
    .slice(0, REFUSED)
    .map(({ id, message }) => el('p', { class: 'hint' }, `${id}: ${message}`))
