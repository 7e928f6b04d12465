/**
 * The live stream as the page follows it, for as long as the page is there: by fetch, since EventSource can't send a token. After an interruption it goes on behind
 * the last message that came, so no alert is missed; a connection on which nothing comes any more is given up and made anew.
 */
import { ApiError, authorized } from './api.ts'
import type { Session } from './session.ts'

export interface ServerEvent {
  event: string
  data: string
}

export interface LiveHandlers {
  onEvent(event: ServerEvent): void
  /** The stream has ended or could not be had; it is tried again by itself. */
  onAway(sentence: string): void
}

const RETRY_FIRST_MS = 500
const RETRY_MAX_MS = 10_000
/** The edge sends a snapshot a second. */
const SILENT_MS = 20_000

export async function followLive(session: Session, { onEvent, onAway }: LiveHandlers): Promise<never> {
  let lastId: string | null = null
  // What can't be shown is a mistake of the page, to be seen on its console: the connection is well.
  const handle = (event: ServerEvent): void => {
    try {
      onEvent(event)
    } catch (error) {
      reportError(error)
    }
  }
  for (let waitMs = RETRY_FIRST_MS; ; waitMs = Math.min(waitMs * 2, RETRY_MAX_MS)) {
    // A stream lasts as long as its token; the next one goes on at once.
    let isToGoOn = false
    try {
      for await (const { id, ...event } of messages(session, lastId)) {
        waitMs = RETRY_FIRST_MS
        lastId = id ?? lastId
        isToGoOn = event.event === 'bye' && event.data.includes('token_expired')
        handle(event)
      }
      if (isToGoOn) continue
      onAway('Not connected, trying again …')
    } catch (error) {
      const isOverloaded = error instanceof ApiError && error.status === 503
      onAway(isOverloaded ? error.message : 'Not connected, trying again …')
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
}

interface Message extends ServerEvent {
  id: string | null
}

/** @throws ApiError, or whatever broke the connection */
async function* messages(session: Session, lastId: string | null): AsyncGenerator<Message> {
  // However long somebody takes to sign in.
  const token = await session.token()
  const silence = new AbortController()
  let timer = setTimeout(() => silence.abort(), SILENT_MS)
  try {
    const response = await authorized(
      session,
      new Request('/api/v1/live', {
        headers: {
          accept: 'text/event-stream',
          authorization: `Bearer ${token}`,
          ...(lastId !== null && { 'last-event-id': lastId }),
        },
        signal: silence.signal,
      }),
    )
    if (!response.ok || !response.body) {
      const problem = (await response.json().catch(() => null)) as { detail?: string } | null
      throw new ApiError(response.status, problem?.detail ?? `The edge answered ${response.status}.`)
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      clearTimeout(timer)
      timer = setTimeout(() => silence.abort(), SILENT_MS)
      text += value
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const message = parse(text.slice(0, end))
        text = text.slice(end + 2)
        if (message) yield message
      }
    }
  } finally {
    clearTimeout(timer)
    silence.abort()
  }
}

/** @returns null for what carries no data: a comment, or the time to wait before another try */
function parse(block: string): Message | null {
  const fields = new Map<string, string>()
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ''))
  }
  const data = fields.get('data')
  return data === undefined ? null : { event: fields.get('event') ?? 'message', data, id: fields.get('id') ?? null }
}
