/**
 * `streamforge up`, which `npm start` runs: the whole platform on this machine. Edge in this thread, streams in another, PostgreSQL beside them,
 * a simulator as its first client, and, when all that runs, Temporal and a worker. Ends cleanly with Ctrl-C; the next start goes on with all data.
 */
import { join } from 'node:path'
import type { Config } from '../../db/config.ts'
import { objectsSettings } from '../../db/objects/open.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../db/postgres/server.ts'
import { loadSecrets, type Secrets } from '../../db/secrets.ts'
import { openServedLake } from '../../edge/iceberg/open-lake.ts'
import { type Edge, startEdge } from '../../edge/main.ts'
import { CannotListen } from '../../edge/runtime/node.ts'
import { createLogger } from '../../observability/log.ts'
import { createProcessRegistry } from '../../observability/process-metrics.ts'
import { INPUT_TOPICS, TOPICS, topicNamed } from '../../streams/contract/topics.ts'
import { lakeSettings } from '../../streams/lake-writer/settings.ts'
import { runSimulator } from '../../streams/sources/run-simulator.ts'
import { EMBEDDED_FOLDERS, openStores, type StoreSettings, storeSettings } from '../../streams/stores.ts'
import { type SupervisedThread, startStreamsThread, superviseThread } from '../../streams/streams-thread.ts'
import { banner } from '../banner.ts'
import { checkBelonging, EDGE_WRITES, STREAMS_WRITE } from '../belonging.ts'
import { lineTeller } from '../cluster/log-lines.ts'
import type { Cluster, startCluster } from '../cluster/start.ts'
import { prepareWorkflows, TEMPORAL_FOLDER } from '../cluster/workflows.ts'
import { CommandFailed, type CommandIo, defineCommand, parseArguments, UsageError, wholeNumber } from '../command.ts'
import { lockDataFolder } from '../data-folder.ts'
import { openDatabase } from '../database.ts'
import { ownLoginLink } from '../edge-api.ts'
import { startEmbeddedCdc } from '../embedded-cdc.ts'
import { FOREIGN_USAGE, requireForeignTopics } from '../foreign-topics.ts'
import { addressesOf } from '../processes.ts'
import { runningFile } from '../running-file.ts'
import { configFrom } from '../settings.ts'
import { Started } from '../started.ts'
import { requireTopics } from '../topics.ts'
import { version } from '../version.ts'

export const up = defineCommand({
  name: 'up',
  usage: `streamforge up [options]

Starts edge, streams, the embedded stores, a simulator, and then Temporal with a worker for the batch workflows, and runs until Ctrl-C. The next start goes on with all data.

  --port N          where the edge listens (default: STREAMFORGE_PORT, else 8080; 0: any free port)
  --data DIR        the data folder (default: STREAMFORGE_DATA_DIR, else ./data)
  --rate N          events per second of the simulator (default: STREAMFORGE_RATE, else 50)
  --no-simulate     no simulator
  --cdc             follows the tables of CDC_SOURCE_URL; without that, of a demo shop that is kept in a database of its own
  --cluster         the cluster form: Kafka, Redis and PostgreSQL of this machine, an edge and streams processes; those that KAFKA_BROKERS, REDIS_URL and DATABASE_URL
                    name are not started
  --streams N       with --cluster: how many streams processes (default: 2)
${FOREIGN_USAGE}
With npm: npm start -- --port 9000 --no-simulate`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, {
      port: { type: 'string' },
      data: { type: 'string' },
      rate: { type: 'string' },
      'foreign-topics': { type: 'string' },
      'no-simulate': { type: 'boolean', default: false },
      cdc: { type: 'boolean', default: false },
      cluster: { type: 'boolean', default: false },
      streams: { type: 'string' },
    })
    if (positionals.length > 0) throw new UsageError(`up takes options only, not "${positionals[0]}".`)
    if (values.streams !== undefined && !values.cluster) throw new UsageError('--streams goes with --cluster.')
    if (values.cdc && values.cluster)
      throw new UsageError('--cdc goes with the embedded form; beside --cluster run "streamforge cdc start".')
    const streams = wholeNumber('--streams', values.streams ?? '2', 1, STREAMS_MAX)
    // A person at a terminal gets one calm screen, and log lines only where something is wrong, unless the environment says otherwise.
    const env = io.isTty ? { STREAMFORGE_LOG_LEVEL: 'warn', ...io.env } : io.env
    const config = configFrom(env, {
      port: values.port,
      dataDir: values.data,
      rate: values['no-simulate'] ? 0 : values.rate,
      foreignTopics: values['foreign-topics'],
      cdc: values.cdc ? 'on' : undefined,
    })
    const simulate = config.rate > 0
    const platform: Platform = values.cluster
      ? await startClusterPlatform(config, { streams, env }, io)
      : await startPlatform(config, env, io)
    try {
      // The platform runs without a link as well: the screen says how to sign in.
      const loginLink = await ownLoginLink(platform.edge.url, { config, clock: io.clock }).catch(() => null)
      io.out(banner({ ...platform, config, simulate, loginLink }))
      await untilStopped(platform, { config, simulate, io })
    } finally {
      io.err('\nStopping: what was accepted is kept …\n')
      await platform.stop()
      io.err(`Stopped. "npm start${values.cluster ? ' -- --cluster' : ''}" goes on from here.\n`)
    }
    return platform.failure === null ? 0 : 1
  },
})

/** More than there are partitions would have nothing to do. */
const STREAMS_MAX = INPUT_TOPICS.reduce((sum, name) => sum + topicNamed(name).partitions, 0)

/** What runs, in either form. */
export interface Platform {
  edge: Pick<Edge, 'url' | 'firstLogin'>
  secrets: Secrets
  /** Processes of the cluster form. */
  parts?: Cluster['parts']
  /** In a few words. */
  workflows: string
  /** Why it had to end, where it was not asked to. */
  failure: string | null
  /** Resolves when a part without which nothing goes on has ended. */
  broken: Promise<string>
  stop(): Promise<void>
}

/** In the cluster form nothing ends it: what dies is started again. Its servers' clients are loaded in that form only. */
async function startClusterPlatform(...start: Parameters<typeof startCluster>): Promise<Platform> {
  const { startCluster } = await import('../cluster/start.ts')
  return { ...(await startCluster(...start)), failure: null, broken: new Promise(() => {}) }
}

/** Brings everything up in the order of need; when a step fails, what was started is stopped again. */
export async function startPlatform(
  config: Config,
  env: CommandIo['env'],
  io: Pick<CommandIo, 'clock' | 'err' | 'isTty' | 'cwd'>,
): Promise<Platform> {
  const { dataDir } = config
  const { clock } = io
  const logger = createLogger({ level: config.logLevel, component: 'edge' })
  const deps = { logger, clock }
  const started = new Started(logger)
  try {
    started.add(await lockDataFolder(dataDir), (lock) => lock.release())
    await requireTopics(config, TOPICS, logger)
    const secrets = await loadSecrets(dataDir, config)
    const server = config.databaseUrl
      ? null
      : started.add(await startDatabase(join(dataDir, EMBEDDED_FOLDERS.postgres), secrets, io), (s) => s.stop())
    const database = started.add(
      await openDatabase(
        config.databaseUrl?.reveal() ?? (server as EmbeddedPostgres).url,
        server ? 'embedded' : 'DATABASE_URL',
        {
          max: 6,
          name: 'streamforge-edge',
          statementTimeoutMs: 15_000,
        },
      ),
      (d) => d.close(),
    )
    let isSettled = false
    let changed = (): void => {}
    const say = (sentence: string): void => io.err(`${sentence}\n`)
    const workflows = started.add(
      await prepareWorkflows({
        config,
        folder: join(dataDir, TEMPORAL_FOLDER),
        env: {
          ...env,
          DATABASE_URL: database.url,
          ...(config.foreignTopics !== '' && { STREAMFORGE_FOREIGN_TOPICS: config.foreignTopics }),
        },
        args: [],
        onChange: () => changed(),
        say,
        onLine: lineTeller({ say, isTty: io.isTty, isSettled: () => isSettled }),
        clock,
        cwd: io.cwd,
      }),
      (w) => w.stop(),
    )
    const metrics = createProcessRegistry({ component: 'edge', version: version(), dataDir })
    const settings = { ...storeSettings(config), foreign: await requireForeignTopics(config, logger) }
    const stores = started.add(await openStores(settings, { logger, metrics, clock }), (s) => s.close())
    await checkBelonging(database.sql, stores, settings, new Map([...EDGE_WRITES, ...STREAMS_WRITE]))
    const { currency, logLevel } = config
    const [streams, lake, cdc] = await Promise.all([
      startStreamsThread(
        { stores: settings, databaseUrl: database.url, currency, owner: `embedded-${process.pid}`, logLevel },
        deps,
      ),
      config.lake ? startLake(config, settings, database.url, deps) : null,
      config.cdc ? startEmbeddedCdc(config, server ? database.url : null, deps) : null,
    ])
    const threads = [streams, lake, cdc].filter((thread) => thread !== null)
    started.add(threads, (all) => Promise.all(all.map((thread) => thread.stop())))
    const edge = started.add(
      await startEdge({
        config,
        secrets,
        version: version(),
        logger,
        ...stores,
        metrics,
        sql: database.sql,
        lake: await openServedLake(database.sql, objectsSettings(config)),
        metricSources: threads,
        foreign: settings.foreign,
        clock,
      }),
      (e) => e.close(),
    )
    const running = started.add(
      runningFile(dataDir, clock.now(), () => ({
        edge_url: edge.url,
        // The embedded database's password is in its URL, so that programs can connect; those of addresses that the environment gave are its secrets, and are left out.
        postgres_url: database.url,
        schema_registry_url: `${edge.url}/schema-registry`,
        ...addressesOf(config),
        ...workflows.describe(),
      })),
      (file) => file.remove(),
    )
    await running.write()
    changed = () => running.update()
    workflows.start()
    // While the others drain.
    started.add(workflows, (w) => void w.stop())
    isSettled = true
    return {
      workflows: workflows.line(),
      edge,
      secrets,
      failure: null,
      broken: new Promise((resolve) => {
        void server?.exited.then(() => resolve('The embedded PostgreSQL has ended by itself'))
      }),
      stop() {
        isSettled = false
        return started.stop()
      },
    }
  } catch (error) {
    await started.stop()
    if (error instanceof CannotListen) throw new CommandFailed(error.message)
    throw error
  }
}

/** In a thread of its own; `lake-writer/thread.ts` says why. */
function startLake(
  config: Config,
  stores: StoreSettings,
  databaseUrl: string,
  deps: Parameters<typeof superviseThread>[2],
): Promise<SupervisedThread> {
  const { currency, logLevel } = config
  const entry = new URL('../../streams/lake-writer/thread.ts', import.meta.url)
  const options = { stores, databaseUrl, currency, logLevel, lake: lakeSettings(config, 'small') }
  return superviseThread({ entry, name: 'lake-writer' }, options, deps)
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
