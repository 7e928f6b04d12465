/**
 * From the body's text to its events, still unvalidated: one object, an array, or NDJSON.
 *
 * Invariant: in NDJSON a line that can't be read becomes an entry of its own, so that its neighbours are kept and indexes stay right.
 */
import { Problem } from '../problem.ts'

/** A line of NDJSON that can't be an event. */
export class UnreadableLine {
  readonly line: number
  readonly why: string
  constructor(line: number, why = 'is not valid JSON') {
    this.line = line
    this.why = why
  }
}

export interface Entries {
  /** `single`: the body was one object, so its verdict is the answer's. */
  form: 'single' | 'many'
  values: unknown[]
}

const JSON_TYPE = /^application\/(?:[a-z.+-]+\+)?json$/
const NDJSON_TYPE = /^application\/(?:x-ndjson|ndjson|jsonl|x-jsonlines|json-seq)$/

export const isNdjson = (contentType: string | null): boolean => NDJSON_TYPE.test(typeOf(contentType))

const typeOf = (contentType: string | null): string => (contentType?.split(';', 1)[0] ?? '').trim().toLowerCase()

/** @param contentType the header's value, null when there is none. @throws Problem */
export function parseEntries(text: string, contentType: string | null, eventsMax: number): Entries {
  const type = typeOf(contentType)
  if (NDJSON_TYPE.test(type)) return linesOf(text, eventsMax)
  if (type === '' || JSON_TYPE.test(type)) return jsonOf(parseJson(text), eventsMax)
  // sendBeacon can't set a JSON type without a preflight, so plain text may be either.
  if (type === 'text/plain') return parseBeacon(text, eventsMax)
  throw new Problem(
    'unsupported_media_type',
    `Content-Type ${type.slice(0, 100)} is not supported: send application/json (curl: -H 'content-type: application/json'), application/x-ndjson, or text/plain.`,
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (text.trim() === '')
      throw new Problem('malformed_body', 'The body is empty. Send one event, an array, or NDJSON.')
    const lines = text.includes('\n') ? ' One JSON object per line goes as application/x-ndjson.' : ''
    throw new Problem('malformed_body', `The body is not valid JSON: ${jsonFault(error)}.${lines}`)
  }
}

/** The engine's message, which says where; without the excerpt of the body that some versions add. */
function jsonFault(error: unknown): string {
  const message = error instanceof Error ? error.message : 'unreadable'
  return message
    .replace(/, (?:\.\.\.)?"[\s\S]*$/, '')
    .replace(/ in JSON at position/, ' at position')
    .slice(0, 120)
}

function jsonOf(parsed: unknown, eventsMax: number): Entries {
  if (!Array.isArray(parsed)) return { form: 'single', values: [parsed] }
  if (parsed.length === 0) throw new Problem('malformed_body', 'The array is empty. Send at least one event.')
  if (parsed.length > eventsMax) throw tooMany(eventsMax)
  return { form: 'many', values: parsed }
}

function linesOf(text: string, eventsMax: number): Entries {
  const values: unknown[] = []
  let line = 0
  let start = 0
  while (start <= text.length) {
    let end = text.indexOf('\n', start)
    if (end < 0) end = text.length
    const content = text.slice(start, end).trim()
    start = end + 1
    line++
    if (content === '') continue
    if (values.length === eventsMax) throw tooMany(eventsMax)
    try {
      values.push(JSON.parse(content))
    } catch {
      values.push(new UnreadableLine(line))
    }
  }
  if (values.length === 0) throw new Problem('malformed_body', 'The body has no lines. Send one JSON object per line.')
  return { form: 'many', values }
}

function parseBeacon(text: string, eventsMax: number): Entries {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    const lines = eventsMax > 1 && text.includes('\n') ? linesOf(text, eventsMax) : null
    // Lines of which none is an object are no NDJSON, but JSON that is broken.
    if (lines?.values.some((v) => typeof v === 'object' && v !== null && !(v instanceof UnreadableLine))) return lines
    parsed = parseJson(text)
  }
  return jsonOf(parsed, eventsMax)
}

const tooMany = (eventsMax: number) =>
  new Problem(
    'too_many_events',
    eventsMax === 1
      ? 'Expected one JSON object. Several messages go to /v1/batch, in the array `batch` of such an object.'
      : `More than ${eventsMax} events in one request. Send them in several.`,
  )
