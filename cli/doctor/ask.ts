/** A question by HTTP as the doctor asks it: there is an answer in time, or a sentence. */
import { reasonOf } from '../reason.ts'
import { Broken } from './check.ts'
import type { Place } from './place.ts'

interface Question extends RequestInit {
  /** Who is asked, as the sentence names them; empty where the check's own name does. */
  at?: string
}

/** @throws Broken where nobody answers */
export function ask(
  url: string,
  { answerMs }: Pick<Place, 'answerMs'>,
  { at = url, ...request }: Question = {},
): Promise<Response> {
  return fetch(url, { ...request, signal: AbortSignal.timeout(answerMs) }).catch((error: Error) => {
    throw new Broken(`Nobody answers${at && ` at ${at}`}: ${reasonOf(error)}.`)
  })
}
