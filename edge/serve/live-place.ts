/** The ids of the live stream: how far a client has been told of changed alerts. They come from the database, so any edge on it, also after a restart, goes on from there. Pure. */
import type { ChangePlace } from '../ports.ts'

export const placeText = ({ transaction, alertId }: ChangePlace): string => `${transaction}-${alertId}`

/** @returns null for what is none of ours */
export function placeOf(text: string): ChangePlace | null {
  const [, transaction, alertId] = /^(\d{1,18})-([\x20-\x7e]{0,200})$/.exec(text) ?? []
  return transaction === undefined || alertId === undefined ? null : { transaction, alertId }
}

/** An event of the stream. Data is JSON, which has no line breaks. */
export const eventText = (event: string, data: unknown, place: ChangePlace | null): string =>
  `event: ${event}\n${place === null ? '' : `id: ${placeText(place)}\n`}data: ${JSON.stringify(data)}\n\n`
