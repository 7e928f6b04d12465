/**
 * Who is signed in. The access token lives in the page's memory alone; the refresh token, which buys the next one once, in the tab's storage, so that a reload
 * needs no new sign-in and closing the tab ends it.
 *
 * Invariant: whoever asks for a token waits until there is one, however long a person takes to sign in. Only the edge's own "no" ends a session; an edge that is away does not.
 */
import { tabStorage } from './kept.ts'

export type Role = 'viewer' | 'operator' | 'admin'

export interface Identity {
  username: string
  role: Role
}

export interface Session {
  /** Null until somebody is signed in. */
  readonly identity: Identity | null
  /** Whether changes may be asked for: an operator's, or an admin's. */
  readonly mayChange: boolean
  /** An access token that is still good for a while. Waits for a sign-in where it has to. @throws when the edge can't be reached */
  token(): Promise<string>
  /** The edge has refused this token: the next one asked for is another. */
  refused(token: string): void
  /** @throws Error with a sentence to show */
  signIn(username: string, password: string): Promise<void>
  signOut(): Promise<void>
}

export interface SessionHooks {
  /** Somebody has to sign in. `sentence`: why, where that is worth saying. */
  onNeeded(sentence: string): void
  onSignedIn(identity: Identity): void
}

interface Granted {
  access_token: string
  expires_in: number
  refresh_token: string
  username: string
  role: Role
}

const KEY = 'streamforge-refresh'
/** A token this close to its end may be too old on arrival. */
const MARGIN_MS = 30_000

/** @param loginCode of a one-time link, which goes before what the tab remembers */
export function createSession(hooks: SessionHooks, loginCode: string | null): Session {
  let identity: Identity | null = null
  let access: { token: string; until: number } | null = null
  let renewing: Promise<string | null> | null = null
  let waiting: Waiting | null = null
  let code = loginCode

  function granted(grant: Granted): string {
    identity = { username: grant.username, role: grant.role }
    access = { token: grant.access_token, until: performance.now() + grant.expires_in * 1000 - MARGIN_MS }
    tabStorage.write(KEY, grant.refresh_token)
    hooks.onSignedIn(identity)
    waiting?.resolve(access.token)
    waiting = null
    return access.token
  }

  /** @returns null when somebody has to sign in */
  async function renew(): Promise<string | null> {
    let sentence = ''
    if (code !== null) {
      const answer = await ask('/auth/link', { code })
      code = null
      if (answer.grant) return granted(answer.grant)
      sentence = answer.detail
    }
    const refresh_token = tabStorage.read(KEY)
    if (refresh_token !== null) {
      const answer = await ask('/auth/refresh', { refresh_token })
      if (answer.grant) return granted(answer.grant)
      tabStorage.write(KEY, null)
      sentence ||= 'The session is over.'
    }
    access = null
    hooks.onNeeded(sentence)
    return null
  }

  return {
    get identity() {
      return identity
    },
    get mayChange() {
      return identity !== null && identity.role !== 'viewer'
    },
    async token() {
      if (access && performance.now() < access.until) return access.token
      if (waiting) return waiting.promise
      renewing ??= renew().finally(() => {
        renewing = null
      })
      const token = await renewing
      if (token !== null) return token
      waiting ??= createWaiting()
      return waiting.promise
    },
    refused(token) {
      if (access?.token === token) access = null
    },
    async signIn(username, password) {
      const answer = await ask('/auth/login', { username, password })
      if (!answer.grant) throw new Error(answer.detail)
      granted(answer.grant)
    },
    async signOut() {
      const refresh_token = tabStorage.read(KEY)
      tabStorage.write(KEY, null)
      if (refresh_token !== null) await post('/auth/logout', { refresh_token }).catch(() => undefined)
    },
  }
}

interface Waiting {
  promise: Promise<string>
  resolve(token: string): void
}

function createWaiting(): Waiting {
  let resolve!: Waiting['resolve']
  const promise = new Promise<string>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

const post = (path: string, body: object): Promise<Response> =>
  fetch(`/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

/** What the edge grants, or its sentence why not. @throws when it gave no answer of its own: it is away, or busy */
async function ask(path: string, body: object): Promise<{ grant: Granted | null; detail: string }> {
  const response = await post(path, body)
  const answer = (await response.json().catch(() => null)) as { data?: Granted; detail?: string } | null
  if (response.ok && answer?.data) return { grant: answer.data, detail: '' }
  const detail = answer?.detail ?? `The edge answered ${response.status}.`
  if (response.status === 429 || response.status >= 500) throw new Error(detail)
  return { grant: null, detail }
}
