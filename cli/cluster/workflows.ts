/**
 * Temporal and the worker beside a platform on this machine, in both forms of `up`: a Temporal of its own, unless the environment names one, and a worker as a child process.
 *
 * Invariants: they begin after the rest, and nothing waits for them: what they lack is told in a sentence, and everything else runs. What dies is started again. The worker stops before its Temporal,
 * and both before the database. Where Temporal listens is kept over restarts of the platform, if nobody has taken it meanwhile: it is a bookmark.
 */
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Config } from '../../db/config.ts'
import type { Clock } from '../../streams/time/clock.ts'
import { writeJsonFile } from '../json-file.ts'
import type { WorkflowsState } from '../platform.ts'
import { type Addresses, temporalAddresses } from '../processes.ts'
import { ServerUnavailable } from '../servers/cache.ts'
import { clearFolder, freePorts, isFree } from '../servers/process.ts'
import {
  startTemporal,
  TEMPORAL_NAMESPACE,
  type TemporalServer,
  temporalPresence,
  temporalProgram,
} from '../servers/temporal.ts'
import { type RoleChild, startRole } from './role.ts'
import { type Supervised, supervise } from './supervise.ts'

/** In the data folder of the form. */
export const TEMPORAL_FOLDER = 'temporal'

export interface Workflows {
  /** For the screen, in a few words. */
  line(): string
  /** For `running.json`. */
  describe(): Addresses & { workflows: WorkflowsState }
  /** Begins, and returns at once. */
  start(): void
  stop(): Promise<void>
}

export interface WorkflowsOptions {
  config: Config
  /** Of a Temporal of ours: its state. */
  folder: string
  /** For the worker: where database and objects are, and whatever else its settings are. */
  env: Readonly<Record<string, string | undefined>>
  /** Further arguments of the worker. */
  args: readonly string[]
  /** What `describe` tells has changed. */
  onChange(): void
  say(sentence: string): void
  /** A line of the worker's log. */
  onLine(name: string, line: string): void
  clock: Clock
  cwd: string
}

const NAME = 'Temporal'
const TELL_EVERY_MS = 60_000
/** A worker that can't begin is tried again so often, ever more slowly; then it takes a person. */
const ATTEMPTS = 6
const FIRST_PAUSE_MS = 1_000

/** Where Temporal is, or will be. */
interface Place {
  address: string
  namespace: string
  uiUrl: string
}

/** Finds out what there is: quickly, as the platform's start waits for it. */
export async function prepareWorkflows(options: WorkflowsOptions): Promise<Workflows> {
  const { config, folder } = options
  if (!config.workflows) return none({ state: 'off' }, 'off (STREAMFORGE_WORKFLOWS)')
  if (config.temporalAddress !== '') {
    const { temporalAddress: address, temporalNamespace: namespace, temporalUiUrl: uiUrl } = config
    return run(options, { address, namespace, uiUrl }, null)
  }
  const [presence, ports] = await Promise.all([temporalPresence(config.serversDir), keptPorts(folder)])
  return run(options, placeOf(ports), { ports, mustBuild: presence === 'to fetch' })
}

const none = (workflows: WorkflowsState, line: string): Workflows => ({
  line: () => line,
  describe: () => ({ workflows }),
  start() {},
  stop: async () => {},
})

function run(
  { config, folder, env, args, onChange, say, onLine, clock, cwd }: WorkflowsOptions,
  first: Place,
  own: { ports: Ports; mustBuild: boolean } | null,
): Workflows {
  const { serversDir } = config
  let place = first
  let workflows: WorkflowsState = { state: own?.mustBuild ? 'building' : 'starting' }
  const stopping = new AbortController()
  const { signal } = stopping
  /** What runs: Temporal, then the worker. */
  const parts: { stop(): Promise<void> }[] = []
  let beginning: Promise<void> = Promise.resolve()
  let stopped: Promise<void> | undefined

  const become = (next: WorkflowsState): void => {
    workflows = next
    if (!signal.aborted) onChange()
  }

  async function begin(): Promise<void> {
    try {
      if (own) parts.push(await superviseTemporal(own))
      if (signal.aborted) return
      if (workflows.state === 'building') say(`Temporal is there; its UI is at ${place.uiUrl}.`)
      become({ state: 'starting' })
      parts.push(await superviseWorker())
      become({ state: 'running' })
    } catch (error) {
      if (signal.aborted) return
      const problem = (error as Error).message
      say(`Workflows do not run; everything else does. ${problem}`)
      become({ state: error instanceof ServerUnavailable ? 'missing' : 'failed', problem })
    }
  }

  async function superviseTemporal({ ports, mustBuild }: { ports: Ports; mustBuild: boolean }) {
    if (mustBuild) await tellWhile(temporalProgram({ serversDir, log: say, signal }))
    const start = (at: Ports) => startTemporal({ folder, serversDir, ...at, signal })
    return supervise<TemporalServer>({
      name: NAME,
      say,
      clock,
      async start(previous) {
        // Its successor keeps the port: that is where the worker looks for it.
        if (previous) return start(previous)
        const server = await start(ports).catch(async (error) => {
          if (signal.aborted || error instanceof ServerUnavailable) throw error
          // Another program may have taken a port meanwhile.
          return start(await newPorts(folder))
        })
        place = placeOf(server)
        return server
      },
    })
  }

  /** Minutes: whoever looks at the screen is not left alone. */
  async function tellWhile(building: Promise<unknown>): Promise<void> {
    const done = new AbortController()
    const startedMs = clock.now()
    const telling = (async () => {
      for (;;) {
        await clock.sleep(TELL_EVERY_MS, done.signal)
        if (done.signal.aborted) return
        say(`Temporal is still being fetched or built (${Math.round((clock.now() - startedMs) / 60_000)} min) …`)
      }
    })()
    try {
      await building
    } finally {
      done.abort()
      await telling
    }
  }

  async function superviseWorker(): Promise<Supervised<RoleChild>> {
    const start = () =>
      startRole({
        args: ['worker', ...args, '--data', config.dataDir],
        env: { ...env, ...environmentOf(place) },
        cwd,
        onLine: (line) => onLine('worker', line),
        signal,
      })
    let pauseMs = FIRST_PAUSE_MS
    for (let attempt = 1; ; attempt++) {
      try {
        return await supervise<RoleChild>({ name: 'Worker', start, say, clock })
      } catch (error) {
        if (attempt === ATTEMPTS || signal.aborted) throw error
        await clock.sleep(pauseMs, signal)
        pauseMs *= 2
      }
    }
  }

  return {
    line() {
      const { state } = workflows
      if (state === 'building') return 'in some minutes: Temporal is fetched first, once'
      if (own) return `${place.uiUrl}   (Temporal)`
      return `on the Temporal at ${place.address}${place.uiUrl === '' ? '' : `, ${place.uiUrl}`}`
    },
    describe: () => ({
      ...temporalAddresses({ ...config, ...configOf(place) }),
      workflows,
    }),
    start() {
      beginning = begin()
    },
    stop() {
      stopped ??= (async () => {
        stopping.abort()
        await beginning
        for (let part = parts.pop(); part; part = parts.pop()) await part.stop()
      })()
      return stopped
    },
  }
}

const configOf = ({ address, namespace, uiUrl }: Place) => ({
  temporalAddress: address,
  temporalNamespace: namespace,
  temporalUiUrl: uiUrl,
})

/** The same as {@link configOf}, for a process. */
const environmentOf = ({ address, namespace, uiUrl }: Place): Record<string, string> => ({
  TEMPORAL_ADDRESS: address,
  TEMPORAL_NAMESPACE: namespace,
  TEMPORAL_UI_URL: uiUrl,
})

const savedPorts = z.object({ port: z.number().int(), uiPort: z.number().int() })
type Ports = z.output<typeof savedPorts>
const PORTS_FILE = 'ports.json'

const placeOf = ({ port, uiPort }: Ports): Place => ({
  address: `127.0.0.1:${port}`,
  namespace: TEMPORAL_NAMESPACE,
  uiUrl: `http://127.0.0.1:${uiPort}`,
})

/** Those of the last start, where they are free. */
async function keptPorts(folder: string): Promise<Ports> {
  // What a killed platform has left behind still listens on them.
  await clearFolder({ name: NAME, folder })
  const path = join(folder, PORTS_FILE)
  const kept = await readFile(path, 'utf8')
    .then((text) => savedPorts.parse(JSON.parse(text)))
    .catch(() => null)
  return kept && (await isFree(kept.port)) && (await isFree(kept.uiPort)) ? kept : newPorts(folder)
}

async function newPorts(folder: string): Promise<Ports> {
  const [port, uiPort] = (await freePorts(2)) as [number, number]
  await mkdir(folder, { recursive: true })
  await writeJsonFile(join(folder, PORTS_FILE), { port, uiPort })
  return { port, uiPort }
}
