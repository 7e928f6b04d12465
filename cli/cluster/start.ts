/**
 * The whole cluster form on one machine, for `streamforge up --cluster`: servers, topics, streams processes, a lake-writer and an edge, each a process of its own.
 *
 * Invariants: it stops in the order of need: the edge, so that nothing new comes; streams and lake-writer, which drain; then the servers. Temporal and the worker begin last and stop meanwhile. A part that dies is started again
 * and that is said. Everything listens on loopback; what asks for a password has one that was made for this data folder.
 */
import { join } from 'node:path'
import type { Config } from '../../db/config.ts'
import { loadSecrets, type Secrets } from '../../db/secrets.ts'
import { createLogger } from '../../observability/log.ts'
import type { CommandIo } from '../command.ts'
import { lockDataFolder } from '../data-folder.ts'
import { addressesOf, withoutPassword } from '../processes.ts'
import { runningFile } from '../running-file.ts'
import { Started } from '../started.ts'
import { lineTeller } from './log-lines.ts'
import { endOrphans } from './orphans.ts'
import { type RoleChild, startRole } from './role.ts'
import { CLUSTER_FOLDER, type Server, type Servers, startServers } from './servers.ts'
import { type Supervised, supervise } from './supervise.ts'
import { prepareWorkflows, TEMPORAL_FOLDER } from './workflows.ts'

export interface Cluster {
  edge: { url: string; firstLogin: RoleChild['firstLogin'] }
  secrets: Secrets
  /** What runs, for the screen. */
  parts: readonly Server[]
  /** In a few words. */
  workflows: string
  stop(): Promise<void>
}

type Io = Pick<CommandIo, 'clock' | 'err' | 'isTty' | 'env' | 'cwd'>

/** @throws CommandFailed; then everything that was started is stopped again */
export async function startCluster(
  config: Config,
  { streams, env }: { streams: number; env: Io['env'] },
  io: Io,
): Promise<Cluster> {
  const { dataDir } = config
  const { clock } = io
  const say = (sentence: string) => io.err(`${sentence}\n`)
  const started = new Started(createLogger({ level: config.logLevel, component: 'up' }))
  try {
    started.add(await lockDataFolder(dataDir), (lock) => lock.release())
    const secrets = await loadSecrets(dataDir, config)
    await endOrphans(dataDir, { clock, say })
    say('Starting Kafka, Redis and PostgreSQL …')
    const servers = await startServers({ config, secrets, started, say, clock })
    say(`Starting an edge and ${streams} streams ${streams === 1 ? 'process' : 'processes'} …`)
    const roleEnv = roleEnvironment(config, env, servers)
    /** Between start and stop. */
    let settled = false
    const log = lineTeller({ say, isTty: io.isTty, isSettled: () => settled })
    let changed = (): void => {}
    const workflows = started.add(
      await prepareWorkflows({
        config,
        folder: join(dataDir, CLUSTER_FOLDER, TEMPORAL_FOLDER),
        env: roleEnv,
        args: ['--metrics-port', metricsPort(config, streams + 1)],
        onChange: () => changed(),
        say,
        onLine: log,
        clock,
        cwd: io.cwd,
      }),
      (w) => w.stop(),
    )
    const role = (name: string, argsFor: (previous: RoleChild | null) => string[]) =>
      supervise<RoleChild>({
        name,
        clock,
        say,
        start: (previous) =>
          startRole({
            args: [...argsFor(previous), '--data', dataDir],
            env: roleEnv,
            cwd: io.cwd,
            onLine: (line) => log(name.toLowerCase().replace(' ', '-'), line),
          }),
      })
    const [edge, ...workers] = await startRoles(
      [
        role('Edge', (previous) => ['edge', '--port', previous ? portOf(previous) : String(config.port)]),
        ...Array.from({ length: streams }, (_, i) =>
          role(`Streams ${i + 1}`, () => ['streams', '--metrics-port', metricsPort(config, i)]),
        ),
        ...(config.lake
          ? [role('Lake-writer', () => ['lake-writer', '--metrics-port', metricsPort(config, streams)])]
          : []),
      ],
      started,
    )
    const { firstLogin } = edge.current
    const url = edge.current.url ?? ''
    const running = started.add(
      runningFile(dataDir, clock.now(), () => ({
        edge_url: url,
        ...addresses(config, servers, url),
        objects_url: roleEnv.STREAMFORGE_OBJECTS_URL,
        ...workflows.describe(),
      })),
      (file) => file.remove(),
    )
    await running.write()
    changed = () => running.update()
    workflows.start()
    // While the others drain.
    started.add(workflows, (w) => void w.stop())
    const roles = [edge, ...workers].map(({ current }, i) => ({
      name: i === 0 ? 'Edge' : i <= streams ? `Streams ${i}` : 'Lake-writer',
      address: i === 0 ? url : current.url ? `${current.url}/health` : '',
      pid: current.pid,
    }))
    settled = true
    return {
      edge: { url, firstLogin },
      secrets,
      parts: [...roles, ...servers.list()],
      workflows: workflows.line(),
      stop() {
        settled = false
        return started.stop()
      },
    }
  } catch (error) {
    await started.stop()
    throw error
  }
}

type Role = Supervised<RoleChild>

/** The edge and the streams, all at once; where one fails, those that came up are noted too, so that they are stopped. */
async function startRoles(
  starting: readonly Promise<Role>[],
  started: Started,
): Promise<[edge: Role, ...streams: Role[]]> {
  const results = await Promise.allSettled(starting)
  const [edge, ...streams] = results.map((r) => (r.status === 'fulfilled' ? r.value : null))
  // The streams together: what one hands back, another that is about to stop would only take up for nothing.
  started.add(streams, (all) => Promise.all(all.map((part) => part?.stop())))
  started.add(edge, (part) => part?.stop())
  for (const result of results) if (result.status === 'rejected') throw result.reason
  return [edge, ...streams] as [Role, ...Role[]]
}

function roleEnvironment(config: Config, env: Io['env'], servers: Servers): Record<string, string | undefined> {
  return {
    // A broker of this machine is not far away: who is killed is missed soon.
    ...(config.kafkaBrokers.length === 0 && { KAFKA_SESSION_TIMEOUT_MS: '6000' }),
    // Checkpoints belong to the results in this database; those of the embedded form lie beside them.
    STREAMFORGE_OBJECTS_URL: `file://${join(config.dataDir, CLUSTER_FOLDER, 'objects')}`,
    ...env,
    // As given on the command line.
    ...(config.foreignTopics !== '' && { STREAMFORGE_FOREIGN_TOPICS: config.foreignTopics }),
    ...servers.env,
  }
}

const metricsPort = ({ metricsPort }: Config, index: number): string =>
  metricsPort === null ? 'off' : String(metricsPort === 0 ? 0 : metricsPort + index)

/** Clients know the first one's address. */
const portOf = ({ url }: RoleChild): string => new URL(url ?? '').port

function addresses(config: Config, { env, databaseUrl }: Servers, edgeUrl: string) {
  return {
    kafka_brokers: env.KAFKA_BROKERS,
    ...(!config.redisUrl && { redis_url: withoutPassword(env.REDIS_URL ?? '') }),
    // With the password, so that programs can connect, as in the embedded form; not that of DATABASE_URL.
    postgres_url: databaseUrl,
    schema_registry_url: `${edgeUrl}/schema-registry`,
    ...addressesOf(config),
  }
}
