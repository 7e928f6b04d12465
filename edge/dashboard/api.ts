/** Talking to the edge: JSON answers, the live stream, and the access token where reading needs one. */

const BASE = '/api/v1'
const TOKEN = 'streamforge-token'

export class ApiError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

function headers(): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN)
  return token ? { authorization: `Bearer ${token}` } : {}
}

async function failure(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => null)) as { detail?: string } | null
  return new ApiError(response.status, problem?.detail ?? `The edge answered ${response.status}.`)
}

/** `data` of an answer. @throws ApiError */
export async function get<Data>(path: string): Promise<Data> {
  const response = await fetch(BASE + path, { headers: headers() })
  if (!response.ok) throw await failure(response)
  return ((await response.json()) as { data: Data }).data
}

/** @throws ApiError */
export async function signIn(username: string, password: string): Promise<void> {
  const response = await fetch(`${BASE}/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username, password }),
  })
  if (!response.ok) throw await failure(response)
  const { data } = (await response.json()) as { data: { access_token: string } }
  sessionStorage.setItem(TOKEN, data.access_token)
}

export interface ServerEvent {
  event: string
  data: string
}

/** The live stream's events until it ends. By fetch, since EventSource can't send a token. @throws ApiError */
export async function* liveEvents(): AsyncGenerator<ServerEvent> {
  const response = await fetch(`${BASE}/live`, { headers: { ...headers(), accept: 'text/event-stream' } })
  if (!response.ok || !response.body) throw await failure(response)
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    text += value
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n')
      text = text.slice(end + 2)
      const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
      const data = field('data')
      if (data !== undefined) yield { event: field('event') ?? 'message', data }
    }
  }
}
