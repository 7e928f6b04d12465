/** The body of a request in Segment's form: one message, or a batch with what it says about all of them. */
import { Problem } from '../../problem.ts'
import { parseEntries } from '../entries.ts'
import { type Fields, field, fieldsOf, textOf } from './loose.ts'
import type { Call, Envelope } from './mapping.ts'

/** Segment's limits. Mobile SDKs fill their batches up to the bytes, whatever the number of messages. */
export const BATCH_BYTES_MAX = 500 * 1024
export const BATCH_MESSAGES_MAX = 2_500

/** The body as an object. @throws Problem */
export function parseBody(text: string, contentType: string | null): Fields {
  // A character is a byte at least, so most texts need not be counted.
  if (text.length > BATCH_BYTES_MAX || (text.length > BATCH_BYTES_MAX / 3 && bytesOf(text) > BATCH_BYTES_MAX)) {
    throw new Problem('body_too_large', `The body is larger than ${BATCH_BYTES_MAX} bytes. Send fewer messages.`)
  }
  const entries = parseEntries(text, contentType, 1)
  const body = entries.form === 'single' ? fieldsOf(entries.values[0]) : null
  if (!body)
    throw new Problem('malformed_body', 'Expected a JSON object in the form of Segment: a message, or {batch: […]}.')
  return body
}

/** @param call null: a batch. @throws Problem */
export function messagesOf(body: Fields, call: Call | null): { messages: readonly unknown[]; envelope: Envelope } {
  if (call) return { messages: [body], envelope: { call, context: null, sentAt: field(body, 'sentAt') } }
  const messages = field(body, 'batch')
  if (!Array.isArray(messages)) {
    throw new Problem('malformed_body', 'A batch is a JSON object with the array `batch` in it.')
  }
  if (messages.length > BATCH_MESSAGES_MAX) {
    throw new Problem('too_many_events', `More than ${BATCH_MESSAGES_MAX} messages in one batch. Send them in several.`)
  }
  return { messages, envelope: { call, context: fieldsOf(field(body, 'context')), sentAt: field(body, 'sentAt') } }
}

/** The SDKs of browsers and phones send their key in here only. */
export const writeKeyIn = (body: Fields): string | null => textOf(field(body, 'writeKey')) ?? null

const bytesOf = (text: string): number => new TextEncoder().encode(text).length
