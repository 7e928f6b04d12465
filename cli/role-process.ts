/**
 * A role that works as a process of its own and serves nothing but itself (streams, lake-writer, worker, cdc): arguments, settings, a page for health and metrics, its announcement, and an end
 * that comes also where the servers are gone. What a role does is its `prepare`.
 *
 * Invariants: it is announced before it works, and until it has ended; who is asked to stop while it begins stops as soon as it has begun.
 */
import { hostname } from 'node:os'
import type { Config } from '../db/config.ts'
import { ObjectStoreError } from '../db/objects/object-store.ts'
import { CannotListen, type Served, serve } from '../edge/runtime/node.ts'
import { createLogger, type Logger } from '../observability/log.ts'
import type { Registry } from '../observability/metrics.ts'
import { createProcessRegistry } from '../observability/process-metrics.ts'
import { createMonitor, type MonitorDeps } from '../streams/monitor.ts'
import type { Clock } from '../streams/time/clock.ts'
import type { Ready } from './cluster/role.ts'
import { type Command, CommandFailed, type CommandIo, defineCommand, parseArguments, UsageError } from './command.ts'
import { addressesOf, announceProcess, type RoleProcess } from './processes.ts'
import { configFrom } from './settings.ts'
import { Started } from './started.ts'
import { version } from './version.ts'

export interface RoleContext {
  config: Config
  /** A secret; empty for a role that needs none. */
  databaseUrl: string
  logger: Logger
  metrics: Registry
  clock: Clock
  /** Whose it is, in logs and stores: the machine and the process. */
  owner: string
  /** `up` has started it, and starts it again should it end: it may wait for what is not there yet. */
  isChild: boolean
}

export interface RunningRole {
  /** Resolves when it has ended; rejects when it can't go on. */
  readonly done: Promise<void>
  stop(): unknown
}

export interface PreparedRole {
  /** For the page. */
  health: MonitorDeps['tasks']
  start(): Promise<RunningRole>
}

export interface Role {
  name: RoleProcess['role']
  usage: string
  /** Sentences: "The streams run", "The streams need DATABASE_URL …", "The streams have stopped". */
  says: { run: string; need: string; stopped: string; tooLate: string }
  /** Whether `--foreign-topics` is an option of it. */
  takesForeignTopics?: boolean
  /** Whether it can't do without DATABASE_URL (default: it can't). */
  needsDatabase?: boolean
  /** Settings that it can't do without, beside DATABASE_URL: each the variable with an example, where it is missing. */
  lacks?(config: Config): string[]
  /** Errors that are sentences for whoever started it, beside an object store's. */
  expects?: readonly (abstract new (
    ...args: never[]
  ) => Error)[]
  /** Before anything is computed, announced or served. @throws CommandFailed */
  prepare(context: RoleContext): Promise<PreparedRole>
}

export const METRICS_USAGE = `  --metrics-port N  where metrics and health are served (default: STREAMFORGE_METRICS_PORT, else any free port, which is told; "off": nowhere)`

const DATABASE_EXAMPLE = 'DATABASE_URL, e.g. DATABASE_URL=postgres://user:password@127.0.0.1:5432/streamforge'

export function defineRole(role: Role): Command {
  const { name, usage, says } = role
  return defineCommand({
    name,
    usage,
    async run(args, io) {
      const config = configOf(role, args, io)
      const { clock } = io
      const lacksDatabase = config.databaseUrl === null && role.needsDatabase !== false
      const missing = [...(role.lacks?.(config) ?? []), ...(lacksDatabase ? [DATABASE_EXAMPLE] : [])]
      if (missing.length > 0) throw new CommandFailed(`${says.need} ${missing.join(', and ')}.`)
      const logger = createLogger({ level: config.logLevel, component: name })
      const metrics = createProcessRegistry({ component: name, version: version(), dataDir: config.dataDir })
      const owner = `${hostname()}-${process.pid}`
      const started = new Started(logger)
      // The last thing: until then the process is one that runs here.
      let leave = async (): Promise<void> => {}
      try {
        const databaseUrl = config.databaseUrl?.reveal() ?? ''
        const isChild = io.tellParent !== undefined
        const { health, start } = await role.prepare({ config, databaseUrl, logger, metrics, clock, owner, isChild })
        const monitor = await startMonitor(config, { tasks: health, metrics })
        if (monitor) started.add(monitor, (m) => m.close())
        const url = monitor?.url ?? null
        const addresses = addressesOf(config)
        leave = await announceProcess(config.dataDir, { role: name, url, startedMs: clock.now(), addresses })
        const running = await start()
        io.tellParent?.({ ready: true, url, firstLogin: null } satisfies Ready)
        io.out(`${says.run}${url ? `; metrics and health at ${url}` : ''}.\n`)
        io.signal.addEventListener('abort', () => void running.stop(), { once: true })
        if (io.signal.aborted) void running.stop()
        if (await endsInTime(running.done, io)) logger.info({ owner }, says.stopped)
        else logger.warn({ owner }, says.tooLate)
        return 0
      } catch (error) {
        const isExpected = [ObjectStoreError, ...(role.expects ?? [])].some((kind) => error instanceof kind)
        throw isExpected ? new CommandFailed((error as Error).message) : error
      } finally {
        await started.stop()
        await leave()
      }
    },
  })
}

const OPTIONS = {
  data: { type: 'string' },
  'metrics-port': { type: 'string' },
  'foreign-topics': { type: 'string' },
} as const

function configOf({ name, takesForeignTopics = false }: Role, args: readonly string[], { env }: CommandIo): Config {
  const { 'foreign-topics': _, ...without } = OPTIONS
  const { values, positionals } = parseArguments(args, takesForeignTopics ? OPTIONS : (without as typeof OPTIONS))
  if (positionals.length > 0) throw new UsageError(`${name} takes options only, not "${positionals[0]}".`)
  return configFrom(env, {
    dataDir: values.data,
    metricsPort: values['metrics-port'],
    foreignTopics: values['foreign-topics'],
  })
}

/** They wait 10 s for their stores; then only the group is left to leave. */
const STOP_MAX_MS = 20_000

/** Whoever is asked to stop ends, also where the servers are gone already. @returns whether it has ended by then */
async function endsInTime(done: Promise<void>, { signal, clock }: CommandIo): Promise<boolean> {
  const late = new AbortController()
  const tooLate = new Promise<void>((resolve) => {
    const wait = () => void clock.sleep(STOP_MAX_MS, late.signal).then(resolve)
    if (signal.aborted) wait()
    else signal.addEventListener('abort', wait, { once: true })
  })
  try {
    return await Promise.race([done.then(() => true), tooLate.then(() => false)])
  } finally {
    late.abort()
  }
}

async function startMonitor({ host, metricsPort }: Config, deps: MonitorDeps): Promise<Served | null> {
  if (metricsPort === null) return null
  try {
    return await serve({ fetch: createMonitor(deps), host, port: metricsPort, portOption: '--metrics-port' })
  } catch (error) {
    if (error instanceof CannotListen) throw new CommandFailed(error.message)
    throw error
  }
}
