/** The edge's API as the doctor asks it, with the token, and what its answers have. */
import { ask } from './ask.ts'
import type { Place } from './place.ts'

/** @throws Broken where nobody answers */
export function get(place: Pick<Place, 'edgeUrl' | 'token' | 'answerMs'>, path: string): Promise<Response> {
  const { edgeUrl, token } = place
  return ask(`${edgeUrl}${path}`, place, { at: edgeUrl, headers: { authorization: `Bearer ${token}` } })
}

/** What an answer's envelope has; an empty object where it is none. */
export async function dataOf<T>(response: Response): Promise<Partial<T>> {
  const body = (await response.json().catch(() => null)) as { data?: T } | null
  return body?.data ?? {}
}

/** The sentence of a refusal. */
export async function refusalOf(response: Response): Promise<string> {
  const { detail, title } = ((await response.json().catch(() => null)) ?? {}) as { detail?: string; title?: string }
  return `${response.status}: ${detail ?? title ?? 'no reason given'}`
}
