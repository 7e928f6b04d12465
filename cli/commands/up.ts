/**
 * `streamforge up`, which `npm start` runs: the whole platform on this machine. Edge in this thread, streams in another, PostgreSQL beside them,
 * and a simulator as its first client. Ends cleanly with Ctrl-C; the next start goes on with all data.
 */
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Config, ConfigError, loadConfig } from '../../db/config.ts'
import { openEmbeddedFeatures } from '../../db/features/embedded.ts'
import { connect } from '../../db/postgres/connect.ts'
import { migrate } from '../../db/postgres/migrate.ts'
import { claimLog } from '../../db/postgres/platform.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../db/postgres/server.ts'
import { loadSecrets, type Secrets } from '../../db/secrets.ts'
import { type Edge, startEdge } from '../../edge/main.ts'
import { CannotListen } from '../../edge/node.ts'
import { createLogger } from '../../observability/log.ts'
import { openEmbeddedLog } from '../../streams/log/embedded.ts'
import { openEmbeddedRegistry } from '../../streams/log/embedded-registry.ts'
import { EMBEDDED_FOLDERS } from '../../streams/main.ts'
import { runSimulator } from '../../streams/sources/run-simulator.ts'
import { type StreamsThread, startStreamsThread } from '../../streams/streams-thread.ts'
import { banner } from '../banner.ts'
import { CommandFailed, type CommandIo, defineCommand, parseArguments, UsageError } from '../command.ts'
import { lockDataFolder } from '../data-folder.ts'
import { RUNNING_FILE } from '../platform.ts'
import { version } from '../version.ts'

export const up = defineCommand({
  name: 'up',
  summary: 'run the whole platform on this machine (npm start)',
  usage: `streamforge up [options]

Starts edge, streams, the embedded stores and a simulator, and runs until Ctrl-C. The next start goes on with all data.

  --port N          where the edge listens (default: STREAMFORGE_PORT, else 8080; 0: any free port)
  --data DIR        the data folder (default: STREAMFORGE_DATA_DIR, else ./data)
  --rate N          events per second of the simulator (default: STREAMFORGE_RATE, else 50)
  --no-simulate     no simulator
With npm: npm start -- --port 9000 --no-simulate`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      port: { type: 'string' },
      data: { type: 'string' },
      rate: { type: 'string' },
      'no-simulate': { type: 'boolean', default: false },
    })
    if (positionals.length > 0) throw new UsageError(`up takes options only, not "${positionals[0]}".`)
    // A person at a terminal gets one calm screen, and log lines only where something is wrong, unless the environment says otherwise.
    const env = io.isTty ? { STREAMFORGE_LOG_LEVEL: 'warn', ...io.env } : io.env
    const config = configFrom(env, { port: values.port, dataDir: values.data, rate: values.rate })
    const simulate = !values['no-simulate'] && config.rate > 0
    const platform = await startPlatform(config, io)
    try {
      io.out(banner({ ...platform, config, simulate }))
      await untilStopped(platform, { config, simulate, io })
    } finally {
      io.err('\nStopping: what was accepted is kept …\n')
      await platform.stop()
      io.err('Stopped. "npm start" goes on from here.\n')
    }
    return platform.failure === null ? 0 : 1
  },
})

function configFrom(env: CommandIo['env'], overrides: Parameters<typeof loadConfig>[1]): Config {
  try {
    return loadConfig(env, overrides)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    // Problems of options alone are wrong arguments like any other.
    if (error.problems.every((problem) => problem.startsWith('--')))
      throw new UsageError(`${error.problems.join('. ')}.`)
    throw new CommandFailed(error.message)
  }
}

export interface Platform {
  edge: Edge
  secrets: Secrets
  streams: StreamsThread
  /** Why it had to end, where it was not asked to. */
  failure: string | null
  /** Resolves when a part without which nothing goes on has ended. */
  broken: Promise<string>
  stop(): Promise<void>
}

/** Brings everything up in the order of need; when a step fails, what was started is stopped again. */
export async function startPlatform(config: Config, io: Pick<CommandIo, 'clock' | 'err'>): Promise<Platform> {
  const { dataDir } = config
  const folder = (name: keyof typeof EMBEDDED_FOLDERS): string => join(dataDir, EMBEDDED_FOLDERS[name])
  const logger = createLogger({ level: config.logLevel, service: 'edge' })
  /** Undone in reverse. */
  const started: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (let undo = started.pop(); undo; undo = started.pop()) {
      try {
        await undo()
      } catch (error) {
        logger.error({ err: error }, 'A part did not stop cleanly')
      }
    }
  }
  try {
    const lock = await lockDataFolder(dataDir)
    started.push(() => lock.release())
    const secrets = await loadSecrets(dataDir, config)
    const server = config.databaseUrl ? null : await startDatabase(folder('postgres'), secrets, io)
    if (server) started.push(() => server.stop())
    const databaseUrl = config.databaseUrl?.reveal() ?? (server as EmbeddedPostgres).url
    await reachDatabase(databaseUrl, config.databaseUrl !== null)
    const database = connect(databaseUrl, { max: 6, name: 'streamforge-edge', statementTimeoutMs: 15_000 })
    started.push(() => database.close())

    const log = await openEmbeddedLog({ folder: folder('log'), clock: io.clock })
    started.push(() => log.close())
    await claimLog(database.sql, await log.identity())
    const registry = openEmbeddedRegistry(folder('registry'))
    started.push(async () => registry.close())
    const features = await openEmbeddedFeatures(folder('features'))
    started.push(() => features.close())

    const owner = `embedded-${process.pid}`
    const streams = await startStreamsThread(
      { dataDir, databaseUrl, currency: config.currency, owner, logLevel: config.logLevel },
      { logger, clock: io.clock },
    )
    started.push(() => streams.stop())
    const edge = await startEdge({
      config,
      secrets,
      version: version(),
      logger,
      log,
      registry,
      features,
      sql: database.sql,
      metricSources: [streams],
      clock: io.clock,
    })
    started.push(() => edge.close())
    await announce(config, edge, databaseUrl, io.clock.now())
    started.push(() => rm(join(dataDir, RUNNING_FILE), { force: true }))
    const platform: Platform = {
      edge,
      secrets,
      streams,
      failure: null,
      broken: new Promise((resolve) => {
        void server?.exited.then(() => resolve('The embedded PostgreSQL has ended by itself'))
      }),
      stop,
    }
    return platform
  } catch (error) {
    await stop()
    if (error instanceof CannotListen) throw new CommandFailed(error.message)
    throw error
  }
}

async function startDatabase(folder: string, secrets: Secrets, io: Pick<CommandIo, 'err'>): Promise<EmbeddedPostgres> {
  try {
    return await startEmbeddedPostgres({
      folder,
      password: secrets.databasePassword.reveal(),
      log: (message) => io.err(`${message}\n`),
    })
  } catch (error) {
    throw new CommandFailed((error as Error).message)
  }
}

async function reachDatabase(url: string, isGiven: boolean): Promise<void> {
  try {
    await migrate(url)
  } catch (error) {
    if (!isGiven) throw error
    const { hostname, port } = new URL(url)
    throw new CommandFailed(
      `The database at ${hostname}:${port || 5432} (DATABASE_URL) can't be used: ${(error as Error).message}`,
    )
  }
}

/**
 * Written whole or not at all: commands may read it at any moment. For its owner only, as secrets.json is: the embedded database's password is in the URL, so that
 * programs can connect. One from DATABASE_URL is the environment's secret, and is left out.
 */
async function announce(config: Config, edge: Edge, databaseUrl: string, nowMs: number): Promise<void> {
  const { dataDir } = config
  const postgresUrl = new URL(databaseUrl)
  if (config.databaseUrl) postgresUrl.password = ''
  const file = {
    pid: process.pid,
    started_at: new Date(nowMs).toISOString(),
    edge_url: edge.url,
    postgres_url: postgresUrl.href,
    data_dir: dataDir,
  }
  const path = join(dataDir, RUNNING_FILE)
  await writeFile(`${path}.tmp`, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 })
  await rename(`${path}.tmp`, path)
}

async function untilStopped(
  platform: Platform,
  { config, simulate, io }: { config: Config; simulate: boolean; io: CommandIo },
): Promise<void> {
  const interrupted = new Promise<null>((resolve) => {
    if (io.signal.aborted) resolve(null)
    io.signal.addEventListener('abort', () => resolve(null), { once: true })
  })
  const ending = new AbortController()
  const simulator = simulate ? runOwnSimulator(platform, config.rate, ending.signal, io) : Promise.resolve()
  platform.failure = await Promise.race([platform.broken, interrupted])
  if (platform.failure !== null) io.err(`${platform.failure}.\n`)
  ending.abort()
  await simulator
}

/** The platform's own first client. Its failure is told and leaves the platform running. */
async function runOwnSimulator(
  { edge, secrets }: Platform,
  rate: number,
  signal: AbortSignal,
  io: CommandIo,
): Promise<void> {
  try {
    await runSimulator({
      edgeUrl: edge.url,
      writeKey: secrets.writeKey.reveal(),
      clock: io.clock,
      signal,
      seed: io.clock.now(),
      rate,
      patienceMs: 60_000,
    })
  } catch (error) {
    if (!signal.aborted) io.err(`The simulator has stopped: ${(error as Error).message}\n`)
  }
}
