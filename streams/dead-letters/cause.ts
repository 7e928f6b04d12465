/**
 * What dead letters died of, as a group: topic, reason, and what their messages have in common.
 * Invariant: letters that differ only in numbers and in what is quoted from their values are of one cause, under an id that stays the same for ever.
 */
import { stableId } from '../contract/stable-id.ts'
import type { DeadLetter } from './dead-letter.ts'

/** Without what differs from record to record: numbers, and what is quoted from the value. */
export const generalForm = (message: string): string => message.replace(/"[^"]*"|'[^']*'/g, '"…"').replace(/\d+/g, 'N')

/** Names the group that a letter belongs to. */
export const groupOf = ({ source, reason, message }: Pick<DeadLetter, 'source' | 'reason' | 'message'>): string =>
  stableId(source.topic, reason, generalForm(message))
