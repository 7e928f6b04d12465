/** The platform's HTTP API as a client sees it: what is asked of it in tests, and when it has caught up. */
import type { Role } from '../../edge/ports.ts'
import { INPUT_TOPICS, topicNamed } from '../../streams/contract/topics.ts'
import { as } from './access.ts'
import { eventually } from './eventually.ts'

// biome-ignore lint/suspicious/noExplicitAny: an answer is whatever the server sent; the tests compare it with what it has to be
export type Answer = any

export interface Response_ {
  status: number
  body: Answer
}

type Query = Readonly<Record<string, string | number | undefined>>

/** GET under `/api/v1`. @throws Error for anything but an answer of 200 */
export async function get(url: string, path: string, query: Query = {}, role: Role = 'viewer'): Promise<Answer> {
  const { status, body } = await ask(url, path, query, role)
  if (status !== 200)
    throw new Error(`GET ${path} ${JSON.stringify(query)} answered ${status}: ${JSON.stringify(body)}`)
  return body
}

/** GET under `/api/v1`, whatever the answer is. */
export async function ask(url: string, path: string, query: Query = {}, role: Role = 'viewer'): Promise<Response_> {
  const at = new URL(`${url}/api/v1${path}`)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) at.searchParams.set(name, String(value))
  const response = await fetch(at, { headers: await as(role), signal: AbortSignal.timeout(30_000) })
  return { status: response.status, body: await response.json() }
}

/** POST of JSON under `/api/v1`; text goes as it is. */
export async function post(
  { url, writeKey }: { url: string; writeKey: string },
  path: string,
  body: unknown,
): Promise<Response_> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-write-key': writeKey },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  })
  return { status: response.status, body: await response.json() }
}

/** As many as there are partitions. While streams start their rows come one by one: of those that are not there yet nobody knows what they have left to read. */
const TASKS = INPUT_TOPICS.reduce((sum, topic) => sum + topicNamed(topic).partitions, 0)

/**
 * Resolves when everything accepted so far is computed and readable: all tasks are there, none has anything left to read, and each has begun a further flush since,
 * so that all of the one before is written.
 */
export async function caughtUp(url: string, timeoutMs = 60_000): Promise<Answer[]> {
  let seen: Map<string, string> | undefined
  return eventually('the streams have caught up', timeoutMs, async () => {
    const { status, body } = await ask(url, '/health/pipelines')
    // Behind faults, or on a busy machine, it may say for a while that some task makes no progress.
    if (status !== 200) return undefined
    const { data } = body
    const pipelines: Answer[] = data.pipelines
    const nameOf = (p: Answer): string => `${p.topic}/${p.partition}`
    // Of another topic than these, one may come later: it is looked at from then on.
    if (pipelines.length < TASKS || data.lag > 0 || (seen && pipelines.some((p) => !seen!.has(nameOf(p))))) {
      seen = undefined
      return undefined
    }
    seen ??= new Map(pipelines.map((p) => [nameOf(p), p.updated_at]))
    return pipelines.every((p) => p.updated_at > seen!.get(nameOf(p))!) && pipelines
  })
}

/** Runs the work for all items, a few at a time. */
export async function forEach<T>(items: Iterable<T>, work: (item: T) => Promise<void>, atOnce = 8): Promise<void> {
  const iterator = items[Symbol.iterator]()
  const lane = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}
