/**
 * One tagged event on its way through every part, each hop with its time. It belongs to a user of its own, so it is easy to find and disturbs nobody's
 * figures but the totals.
 */
import { randomUUID } from 'node:crypto'
import { ask } from './ask.ts'
import { Broken, type Check, type Family, ok } from './check.ts'
import { clockFinding, SKEW_MATTERS, SKEW_REMEDY } from './clocks.ts'
import { dataOf, get, refusalOf } from './edge-api.ts'
import type { Place } from './place.ts'

const POLL_MS = 20

export function journey(place: Place): Family {
  const { edgeUrl } = place
  const tag = `doctor-${randomUUID()}`
  return {
    part: 'edge',
    checks: [
      {
        name: `answers at ${edgeUrl}`,
        matters: 'Clients can neither send nor read.',
        remedy: 'Is the platform running? "npm start" starts it, "streamforge status" tells where it listens.',
        gate: true,
        async run() {
          const response = await get(place, '/health')
          if (!response.ok) throw new Broken(`GET /health answered ${await refusalOf(response)}.`)
          const { version } = await dataOf<{ version: string }>(response)
          return ok(version === undefined ? '' : `version ${version}`)
        },
      },
      clock(place),
      {
        name: 'the access token is known',
        matters: 'Without one nothing can be read.',
        remedy:
          'A token ends by itself, and at once when STREAMFORGE_JWT_SECRET changes: "streamforge token" prints a new one on the platform\'s machine.',
        gate: true,
        async run() {
          const response = await get(place, '/auth/me')
          if (!response.ok) throw new Broken(`GET /auth/me answered ${await refusalOf(response)}`)
          const { username, role } = await dataOf<{ username: string; role: string }>(response)
          return ok(`${username}, ${role}`)
        },
      },
      {
        name: 'an event is accepted and durable in the log',
        matters: 'What clients send is refused.',
        remedy:
          'On 401 the write key is wrong: see secrets.json in the data folder, STREAMFORGE_WRITE_KEY, or "streamforge keys ls". On 429 its quota is spent. On 503 the log can not be written: is the disk full, is Kafka there?',
        gate: true,
        run: () => send(place, tag),
      },
      {
        name: 'the streams have computed its features',
        matters: 'Features and alerts stand still; what is accepted meanwhile waits in the log.',
        remedy: 'The streams are down or behind: "streamforge status" shows their lag, their log the reason.',
        async run() {
          await readable(place, `/features/${tag}`, (data) => Object.keys(data).length > 0)
          return ok('log → streams → feature store → edge')
        },
      },
      {
        name: 'its session is readable from PostgreSQL',
        matters: 'Results are not stored, or not served.',
        remedy: 'The database does not take results: its messages are in postgres.log in the data folder.',
        async run() {
          await readable(place, `/sessions/${tag}`, (data) =>
            [data, ...Object.values(data)].some((value) => Array.isArray(value) && value.length > 0),
          )
          return ok('log → streams → PostgreSQL → edge')
        },
      },
      {
        name: 'metrics are served',
        matters: 'The dashboard is empty.',
        remedy: 'The edge can not query PostgreSQL: its messages are in postgres.log in the data folder.',
        async run() {
          const response = await get(place, '/api/v1/metrics/overview')
          if (!response.ok) throw new Broken(`GET /metrics/overview answered ${await refusalOf(response)}`)
          return ok()
        },
      },
    ],
  }
}

function clock(place: Place): Check {
  return {
    name: 'its clock',
    matters: SKEW_MATTERS,
    remedy: SKEW_REMEDY,
    async run() {
      const beforeMs = place.clock.now()
      const response = await get(place, '/health')
      // HTTP tells whole seconds.
      const theirMs = Date.parse(response.headers.get('date') ?? '')
      if (Number.isNaN(theirMs)) return { status: 'unseen', why: 'its answers have no date' }
      return clockFinding({ theirMs, toMs: 1_000, beforeMs, afterMs: place.clock.now() })
    },
  }
}

async function send(place: Place, tag: string) {
  const { edgeUrl, writeKey, clock } = place
  const response = await ask(`${edgeUrl}/api/v1/events`, place, {
    at: edgeUrl,
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-write-key': writeKey },
    body: JSON.stringify({
      event_id: tag,
      event_type: 'custom',
      user_id: tag,
      page_url: '/doctor',
      event_time: new Date(clock.now()).toISOString(),
    }),
  })
  if (response.status !== 202) throw new Broken(`POST /events answered ${await refusalOf(response)}`)
  const verdict = (await response.json()) as { accepted?: number }
  if (verdict.accepted !== 1) throw new Broken(`POST /events answered ${JSON.stringify(verdict)}.`)
  return ok(`event_id ${tag}`)
}

/** Asks until it is there; the doctor's own deadline ends it. */
async function readable(
  place: Place,
  path: string,
  isThere: (data: Record<string, unknown>) => boolean,
): Promise<void> {
  for (;;) {
    const response = await get(place, `/api/v1${path}`)
    if (response.ok && isThere(await dataOf(response))) return
    if (!response.ok && response.status !== 404 && response.status !== 503)
      throw new Broken(`GET ${path} answered ${await refusalOf(response)}`)
    await place.clock.sleep(POLL_MS)
  }
}
