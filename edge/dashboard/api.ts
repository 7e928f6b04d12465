/** What panels ask of the edge: the typed client, with the session's token, a second try where a token was refused, and one kind of error. */
import { createStreamForgeClient, type StreamForgeClient } from '../client/index.ts'
import type { Session } from './session.ts'

export type Api = StreamForgeClient

/** Its message is a sentence to show. */
export class ApiError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export const createApi = (session: Session): Api =>
  createStreamForgeClient({ token: () => session.token(), fetch: (request) => authorized(session, request) })

/** Sends a request with its token; where the edge refuses that one, once more with the next. @throws ApiError when there is no answer */
export async function authorized(session: Session, request: Request): Promise<Response> {
  try {
    const again = request.clone()
    const response = await fetch(request)
    const sent = request.headers.get('authorization')?.slice('Bearer '.length)
    if (response.status !== 401 || !sent) return response
    session.refused(sent)
    again.headers.set('authorization', `Bearer ${await session.token()}`)
    return await fetch(again)
  } catch (error) {
    if (request.signal.aborted) throw error
    throw new ApiError(0, 'The edge can not be reached at the moment.')
  }
}

interface Answer<Data> {
  data?: Data
  error?: unknown
  response: Response
}

/** The body of a good answer. @throws ApiError */
export async function answerOf<Data>(asking: Promise<Answer<Data>>): Promise<Data> {
  const { data, error, response } = await asking
  if (data !== undefined) return data
  const { detail } = (error ?? {}) as { detail?: string }
  throw new ApiError(response.status, detail ?? `The edge answered ${response.status}.`)
}

/** The `data` of a good answer. @throws ApiError */
export const dataOf = async <Data>(asking: Promise<Answer<{ data: Data }>>): Promise<Data> =>
  (await answerOf(asking)).data

/** Unknown is an answer here, not an error. @throws ApiError for anything else */
export async function orNull<V>(asking: Promise<V>): Promise<V | null> {
  try {
    return await asking
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null
    throw error
  }
}
