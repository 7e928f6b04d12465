/**
 * `streamforge doctor`: sends one tagged event through the platform and shows each hop with its time; where a hop fails it says what is wrong and what to do.
 * The event belongs to a user of its own, so it is easy to find and disturbs nobody's figures but the totals.
 */
import { randomUUID } from 'node:crypto'
import type { Config } from '../../db/config.ts'
import type { Clock } from '../../streams/time/clock.ts'
import type { TemporalTarget } from '../../workflows/client.ts'
import { ownToken } from '../access.ts'
import { type CommandIo, defineCommand, parseArguments, UsageError } from '../command.ts'
import { findEdge, findPlatform, TARGET_OPTIONS, TARGET_USAGE } from '../platform.ts'
import { findProcesses } from '../processes.ts'
import { configFrom } from '../settings.ts'

const HOP_TIMEOUT_MS = 10_000
const POLL_MS = 5

interface Hop {
  name: string
  /** @returns what to show beside the time. @throws with a sentence: what is wrong. */
  run(): Promise<string>
  /** What to do when it fails. */
  remedy: string
}

export const doctor = defineCommand({
  name: 'doctor',
  usage: `streamforge doctor [options]

Exit code 0 when every hop worked, 1 when one failed.

${TARGET_USAGE}
  --token TOKEN     of an edge elsewhere: what reads there (default: STREAMFORGE_TOKEN)`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, { ...TARGET_OPTIONS, token: { type: 'string' } })
    if (positionals.length > 0) throw new UsageError(`doctor takes options only, not "${positionals[0]}".`)
    const { edgeUrl, writeKey, isElsewhere } = await findEdge(values, io)
    const config = configFrom(io.env, { dataDir: values.data })
    const { dataDir } = config
    const token = await readingToken(config, { given: values.token, edgeUrl, isElsewhere, clock: io.clock })
    const workflows = values.url === undefined ? await workflowsOf(dataDir, io.clock) : null
    if (workflows?.note) io.out(`– ${workflows.note}\n`)
    for (const hop of [...journey({ edgeUrl, writeKey, token }, io.clock), ...(workflows?.hops ?? [])]) {
      const startedMs = performance.now()
      try {
        const seen = await hop.run()
        io.out(`✓ ${hop.name.padEnd(44)} ${(performance.now() - startedMs).toFixed(0).padStart(5)} ms   ${seen}\n`)
      } catch (error) {
        io.out(`✗ ${hop.name}\n`)
        io.err(`  ${(error as Error).message}\n  ${hop.remedy}\n`)
        return 1
      }
    }
    io.out('Every part works.\n')
    return 0
  },
})

interface Reading {
  given: string | undefined
  edgeUrl: string
  isElsewhere: boolean
  clock: CommandIo['clock']
}

/** @throws UsageError where the edge is elsewhere and no token is given */
async function readingToken(config: Config, { given, edgeUrl, isElsewhere, clock }: Reading): Promise<string> {
  const known = given ?? config.token?.reveal()
  if (known !== undefined) return known
  if (!isElsewhere || config.jwtSecret) return ownToken(config, clock)
  throw new UsageError(
    `The edge at ${edgeUrl} needs an access token to read: give --token or set STREAMFORGE_TOKEN ("streamforge token" prints one on its machine).`,
  )
}

interface Target {
  edgeUrl: string
  writeKey: string
  token: string
}

function journey({ edgeUrl, writeKey, token }: Target, clock: Clock): Hop[] {
  const tag = `doctor-${randomUUID()}`
  const get = (path: string): Promise<Response> =>
    fetch(`${edgeUrl}/api/v1${path}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(HOP_TIMEOUT_MS),
    })
  const readable = async (path: string, isThere: (body: unknown) => boolean): Promise<void> => {
    const deadline = clock.now() + HOP_TIMEOUT_MS
    for (;;) {
      const response = await get(path)
      const body: unknown = await response.json().catch(() => null)
      if (response.ok && isThere(body)) return
      if (clock.now() > deadline)
        throw new Error(
          `GET ${path} did not show the event within ${HOP_TIMEOUT_MS / 1000} s (last answer ${response.status}).`,
        )
      await clock.sleep(POLL_MS)
    }
  }
  const dataOf = (body: unknown): Record<string, unknown> =>
    (body as { data?: Record<string, unknown> } | null)?.data ?? {}

  return [
    {
      name: `The edge answers at ${edgeUrl}`,
      async run() {
        const response = await get('/health').catch((error: Error) => {
          throw new Error(
            `Nobody answers at ${edgeUrl}: ${(error.cause as Error | undefined)?.message ?? error.message}.`,
          )
        })
        if (!response.ok) throw new Error(`GET /health answered ${response.status}.`)
        const { version } = dataOf(await response.json())
        return typeof version === 'string' ? `version ${version}` : ''
      },
      remedy: 'Is the platform running? "npm start" starts it, "streamforge status" tells where it listens.',
    },
    {
      name: 'An event is accepted and durable in the log',
      async run() {
        const response = await fetch(`${edgeUrl}/api/v1/events`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-write-key': writeKey },
          body: JSON.stringify({
            event_id: tag,
            event_type: 'custom',
            user_id: tag,
            page_url: '/doctor',
            event_time: new Date(clock.now()).toISOString(),
          }),
          signal: AbortSignal.timeout(HOP_TIMEOUT_MS),
        })
        const body = (await response.json()) as { accepted?: number; detail?: string; title?: string }
        if (response.status !== 202 || body.accepted !== 1)
          throw new Error(
            `POST /events answered ${response.status}: ${body.detail ?? body.title ?? JSON.stringify(body)}.`,
          )
        return `event_id ${tag}`
      },
      remedy:
        'On 401 the write key is wrong: see secrets.json in the data folder, or STREAMFORGE_WRITE_KEY. On 503 the log can not be written: is the disk full?',
    },
    {
      name: 'The streams have computed its features',
      async run() {
        await readable(`/features/${tag}`, (body) => Object.keys(dataOf(body)).length > 0)
        return 'log → streams → feature store → edge'
      },
      remedy:
        'The streams are down or behind: "streamforge status" shows their lag, the log of the platform the reason.',
    },
    {
      name: 'Its session is readable from PostgreSQL',
      async run() {
        await readable(`/sessions/${tag}`, (body) => {
          const data = (body as { data?: unknown } | null)?.data
          return Array.isArray(data)
            ? data.length > 0
            : Object.values((data ?? {}) as object).some((v) => Array.isArray(v) && v.length > 0)
        })
        return 'log → streams → PostgreSQL → edge'
      },
      remedy: 'The database does not take results: its messages are in postgres.log in the data folder.',
    },
    {
      name: 'Metrics are served',
      async run() {
        const response = await get('/metrics/overview')
        if (!response.ok) throw new Error(`GET /metrics/overview answered ${response.status}.`)
        return ''
      },
      remedy: 'The edge can not query PostgreSQL: its messages are in postgres.log in the data folder.',
    },
  ]
}

interface WorkflowsCheck {
  /** What is not checked, and why that is no fault. */
  note?: string
  hops: Hop[]
}

/** Of the platform on a data folder: they begin after the rest, and may be off by choice. @returns null where nothing is known of them */
async function workflowsOf(dataDir: string, clock: Clock): Promise<WorkflowsCheck | null> {
  const [platform, processes] = await Promise.all([findPlatform(dataDir), findProcesses(dataDir)])
  const { state, problem = '' } = platform?.workflows ?? {}
  const worker = processes.find(({ role }) => role === 'worker')
  const { temporal_address: address, ...of } = platform?.temporal_address ? platform : (worker?.addresses ?? {})
  if (state === 'missing' || state === 'failed') {
    const fail = (): Promise<string> => Promise.reject(new Error(problem))
    const remedy = 'Everything else runs without them; STREAMFORGE_WORKFLOWS=off says that this is meant.'
    return { hops: [{ name: 'Workflows run', run: fail, remedy }] }
  }
  if (state === 'building')
    return { note: 'Workflows: Temporal is being fetched or built, once; ask again in some minutes.', hops: [] }
  if (state === 'off') return { note: 'Workflows are off (STREAMFORGE_WORKFLOWS).', hops: [] }
  if (address === undefined) return null
  const target = { address, namespace: of.temporal_namespace ?? 'default' }
  const queue = of.temporal_task_queue ?? ''
  return {
    hops: [
      {
        name: `Temporal answers at ${address}`,
        run: () => asking(target, clock, async () => of.temporal_ui_url ?? ''),
        remedy:
          'One that the platform has started is started again when it ends; its messages are in temporal/server.log in the data folder.',
      },
      {
        name: `A worker waits for work on the queue ${queue}`,
        run: () =>
          asking(target, clock, async ({ pollersOf }) => {
            const deadline = clock.now() + HOP_TIMEOUT_MS
            for (;;) {
              const pollers = await pollersOf(queue)
              if (pollers.length > 0) return pollers.join(', ')
              if (clock.now() > deadline)
                throw new Error(`No worker has asked for work on the queue ${queue} in the last minute.`)
              await clock.sleep(POLL_MS)
            }
          }),
        remedy: worker?.url
          ? `Workflows that are started wait for one. The one here tells how it is at ${worker.url}/health.`
          : 'Workflows that are started wait for one: "streamforge worker" is one.',
      },
    ],
  }
}

async function asking(
  target: TemporalTarget,
  clock: Clock,
  ask: (temporal: { pollersOf(queue: string): Promise<string[]> }) => Promise<string>,
): Promise<string> {
  // Only here is the client needed.
  const { connectTemporal } = await import('../../workflows/client.ts')
  const { pollersOf } = await import('../../workflows/pollers.ts')
  const client = await connectTemporal(target)
  try {
    return await ask({ pollersOf: (queue) => pollersOf(client, queue, clock.now()) })
  } finally {
    await client.close()
  }
}
