/** `streamforge edge`: ingestion and serving as a process of its own. Any number of them may stand behind a load balancer. */
import { ObjectStoreError } from '../../db/objects/object-store.ts'
import { objectsSettings } from '../../db/objects/open.ts'
import { loadSecrets } from '../../db/secrets.ts'
import { openServedLake } from '../../edge/iceberg/open-lake.ts'
import { startEdge } from '../../edge/main.ts'
import { CannotListen } from '../../edge/runtime/node.ts'
import { createLogger } from '../../observability/log.ts'
import { createProcessRegistry } from '../../observability/process-metrics.ts'
import { INPUT_TOPICS, topicNamed } from '../../streams/contract/topics.ts'
import { openStores, storeSettings } from '../../streams/stores.ts'
import { checkBelonging, EDGE_WRITES } from '../belonging.ts'
import type { Ready } from '../cluster/role.ts'
import { CommandFailed, defineCommand, parseArguments, UsageError } from '../command.ts'
import { openDatabase } from '../database.ts'
import { foreignTopicsOf } from '../foreign-topics.ts'
import { addressesOf, announceProcess } from '../processes.ts'
import { configFrom } from '../settings.ts'
import { Started } from '../started.ts'
import { requireTopics } from '../topics.ts'
import { version } from '../version.ts'

export const edge = defineCommand({
  name: 'edge',
  usage: `streamforge edge [options]

Takes events and serves results, until SIGTERM or Ctrl-C; then requests in flight are finished. Needs DATABASE_URL; KAFKA_BROKERS and REDIS_URL name the cluster's log
and feature store. Several edges need the same STREAMFORGE_WRITE_KEY and STREAMFORGE_JWT_SECRET, or the same data folder.
STREAMFORGE_OBJECTS_URL says where the files of the lake are that it serves at /iceberg.

  --port N          where it listens (default: STREAMFORGE_PORT, else 8080; 0: any free port)
  --data DIR        where secrets are kept (default: STREAMFORGE_DATA_DIR, else ./data)`,
  async run(args, io) {
    const { values, positionals } = parseArguments(args, { port: { type: 'string' }, data: { type: 'string' } })
    if (positionals.length > 0) throw new UsageError(`edge takes options only, not "${positionals[0]}".`)
    const config = configFrom(io.env, { port: values.port, dataDir: values.data })
    if (!config.databaseUrl)
      throw new CommandFailed(
        'The edge needs DATABASE_URL, e.g. DATABASE_URL=postgres://user:password@127.0.0.1:5432/streamforge.',
      )
    const logger = createLogger({ level: config.logLevel, component: 'edge' })
    const started = new Started(logger)
    // The last thing: until then the process is one that runs here.
    let leave = async (): Promise<void> => {}
    try {
      // What others write is not the edge's concern, nor may it be allowed to see it.
      await requireTopics(config, INPUT_TOPICS.map(topicNamed), logger)
      const secrets = await loadSecrets(config.dataDir, config)
      const database = started.add(
        await openDatabase(config.databaseUrl.reveal(), 'DATABASE_URL', {
          max: 6,
          name: 'streamforge-edge',
          statementTimeoutMs: 15_000,
        }),
        (d) => d.close(),
      )
      const metrics = createProcessRegistry({ component: 'edge', version: version(), dataDir: config.dataDir })
      const settings = storeSettings(config)
      const stores = started.add(await openStores(settings, { logger, metrics, clock: io.clock }), (s) => s.close())
      await checkBelonging(database.sql, stores, settings, EDGE_WRITES)
      const running = started.add(
        await startEdge({
          config,
          secrets,
          version: version(),
          logger,
          ...stores,
          metrics,
          sql: database.sql,
          lake: await openServedLake(database.sql, objectsSettings(config)),
          foreign: await foreignTopicsOf(config),
          clock: io.clock,
        }),
        (e) => e.close(),
      )
      const addresses = { schema_registry_url: `${running.url}/schema-registry`, ...addressesOf(config) }
      leave = await announceProcess(config.dataDir, {
        role: 'edge',
        url: running.url,
        startedMs: io.clock.now(),
        addresses,
      })
      const { firstLogin } = running
      io.tellParent?.({ ready: true, url: running.url, firstLogin } satisfies Ready)
      io.out(`The edge listens on ${running.url}.\n`)
      if (firstLogin)
        io.out(`Admin login: ${firstLogin.username} / ${firstLogin.password} (shown this once: keep it)\n`)
      await new Promise<void>((resolve) => {
        if (io.signal.aborted) resolve()
        io.signal.addEventListener('abort', () => resolve(), { once: true })
      })
      return 0
    } catch (error) {
      if (error instanceof CannotListen || error instanceof ObjectStoreError) throw new CommandFailed(error.message)
      throw error
    } finally {
      await started.stop()
      await leave()
    }
  },
})
