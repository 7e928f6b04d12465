/**
 * A real Trino 476 (one node) without Docker: server and Iceberg plugin by Maven, kept in the cache, on a JDK of at least 24; one folder holds its configuration and log.
 *
 * Invariants: it listens on 127.0.0.1 alone and asks nobody for a password; passwords of catalogs are in files for the owner's eyes only; it keeps nothing, so that starting
 * again begins afresh.
 */
import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTrino } from '../../db/trino/client.ts'
import { cached, ServerUnavailable } from './cache.ts'
import { findJava } from './java.ts'
import { clearFolder, freePorts, type ServerProcess, startServer } from './process.ts'
import { lastLines, run, works } from './run.ts'

/** As in trino/pom.xml. */
const VERSION = '476'
const JAVA_MIN = 24
const HOST = '127.0.0.1'
const START_TIMEOUT_MS = 180_000

export interface TrinoOptions {
  /** Of the server: configuration, log and scratch; made if missing. */
  folder: string
  /** Catalogs by name, with their properties; see {@link icebergCatalog}. */
  catalogs: Readonly<Record<string, CatalogProperties>>
  /** 0 or absent: a free one. */
  port?: number
  /** The heap of the Java process. */
  heapMb?: number
  /** Java with all its compilers and its default collector, as one would run a server: slower to start, and faster after. For benchmarks. */
  inEarnest?: boolean
  serversDir: string
  /** Tried first, when not empty. */
  javaHome?: string
  /** For one-line messages about what takes time. */
  log?: (message: string) => void
}

export type CatalogProperties = Readonly<Record<string, string | number | boolean>>

export interface TrinoServer extends ServerProcess {
  /** `http://127.0.0.1:port` */
  readonly url: string
  readonly port: number
  readonly folder: string
}

export interface IcebergCatalog {
  /** Of the JDBC catalog: `postgres://user:password@host:port/database`. Its tables must be there: Trino makes none. */
  postgresUrl: string
  /** What its rows carry as `catalog_name`. */
  catalogName: string
  /** Where new schemas go: `file:///folder` or `s3://bucket/prefix`. */
  warehouse: string
  /** For `s3://` locations; null: Amazon's endpoint of the region. Absent: only files of this machine can be read. */
  s3?: { endpoint: string | null; region: string; accessKeyId: string; secretAccessKey: string }
  /** Further properties, or other values for ours. */
  properties?: CatalogProperties
}

/** Properties of a catalog over the JDBC catalog in PostgreSQL. Its driver comes with the Iceberg plugin. */
export function icebergCatalog({
  postgresUrl,
  catalogName,
  warehouse,
  s3,
  properties,
}: IcebergCatalog): CatalogProperties {
  const { hostname, port, pathname, username, password } = new URL(postgresUrl)
  return {
    'connector.name': 'iceberg',
    'iceberg.catalog.type': 'jdbc',
    'iceberg.jdbc-catalog.driver-class': 'org.postgresql.Driver',
    'iceberg.jdbc-catalog.connection-url': `jdbc:postgresql://${hostname}:${port || 5432}${pathname}`,
    'iceberg.jdbc-catalog.connection-user': decodeURIComponent(username),
    'iceberg.jdbc-catalog.connection-password': decodeURIComponent(password),
    'iceberg.jdbc-catalog.catalog-name': catalogName,
    'iceberg.jdbc-catalog.schema-version': 'V1',
    'iceberg.jdbc-catalog.default-warehouse-dir': warehouse,
    'iceberg.register-table-procedure.enabled': true,
    'fs.native-local.enabled': true,
    'local.location': '/',
    ...(s3 && {
      'fs.native-s3.enabled': true,
      ...(s3.endpoint !== null && { 's3.endpoint': s3.endpoint, 's3.path-style-access': true }),
      's3.region': s3.region,
      's3.aws-access-key': s3.accessKeyId,
      's3.aws-secret-key': s3.secretAccessKey,
    }),
    ...properties,
  }
}

/** @throws ServerUnavailable when Trino or a Java for it can't be had; Error when the server does not start. */
export async function startTrino(options: TrinoOptions): Promise<TrinoServer> {
  const folder = resolve(options.folder)
  await clearFolder({ name: 'Trino', folder })
  const java = await findJava(JAVA_MIN, options.javaHome ?? '')
  if (java === null) {
    throw new ServerUnavailable(
      `A local Trino ${VERSION} needs a JDK of at least ${JAVA_MIN}, and there is none in JAVA_HOME, /opt, /usr/lib/jvm or on the PATH. https://adoptium.net has one for every system.`,
    )
  }
  const home = await trinoHome(options)
  const [freePort] = await freePorts(1)
  const port = options.port || freePort!
  const heapMb = options.heapMb ?? 1_024
  await writeConfiguration(folder, home, port, heapMb, options.catalogs)
  const url = `http://${HOST}:${port}`
  const server = await startServer(
    { name: 'Trino', folder, program: java, args: jvm(folder, home, heapMb, options.inEarnest) },
    () => answersQuery(url),
    START_TIMEOUT_MS,
  )
  return { ...server, url, port, folder }
}

/** The unpacked server: `lib` and `plugin/iceberg`. @throws ServerUnavailable naming what is missing */
export async function trinoHome({ serversDir, log }: Pick<TrinoOptions, 'serversDir' | 'log'>): Promise<string> {
  return cached({
    serversDir,
    name: `trino-${VERSION}`,
    async build(aside) {
      for (const [program, args] of [
        ['mvn', ['-version']],
        ['tar', ['--version']],
      ] as const) {
        if (await works(program, args)) continue
        throw new ServerUnavailable(
          `A local Trino is fetched with Maven and unpacked with tar, and "${program}" is not on the PATH. On Debian and Ubuntu: apt-get install maven tar.`,
        )
      }
      log?.(`Fetching Trino ${VERSION} with Maven, once (about half a gigabyte) …`)
      const pom = fileURLToPath(new URL('./trino/pom.xml', import.meta.url))
      const fetched = await run('mvn', ['-q', '-B', '-f', pom, `-Dstreamforge.out=${aside}`, 'package'])
      if (fetched.code !== 0) {
        throw new ServerUnavailable(
          `Maven could not fetch Trino ${VERSION}: it needs to reach a Maven repository. It said:\n${lastLines(fetched)}`,
        )
      }
      const archive = join(aside, 'server.tar.gz')
      const server = join(aside, 'server')
      await mkdir(server)
      const unpacked = await run('tar', ['-xzf', archive, '-C', server, '--strip-components=1'])
      if (unpacked.code !== 0) throw new Error(`tar could not unpack Trino ${VERSION}:\n${lastLines(unpacked)}`)
      await rename(join(server, 'lib'), join(aside, 'lib'))
      await rename(join(aside, 'plugin', `trino-iceberg-${VERSION}`), join(aside, 'plugin', 'iceberg'))
      // The other plugins would only take time at each start.
      for (const rest of [archive, server, join(aside, 'markers'), join(aside, 'target')]) {
        await rm(rest, { recursive: true, force: true })
      }
    },
  })
}

/** As Trino's own launcher would start it, but for the collector and the compiler: half the memory, and quicker to start. */
function jvm(folder: string, home: string, heapMb: number, inEarnest = false): string[] {
  return [
    `-Xmx${heapMb}m`,
    '-Xms256m',
    ...(inEarnest ? [] : ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']),
    '-XX:+ExitOnOutOfMemoryError',
    '-XX:-OmitStackTraceInFastThrow',
    '-Dfile.encoding=UTF-8',
    '-Djdk.attach.allowAttachSelf=true',
    '--add-modules=jdk.incubator.vector',
    '--sun-misc-unsafe-memory-access=allow',
    '--enable-native-access=ALL-UNNAMED',
    `-Dnode.environment=streamforge`,
    `-Dnode.id=${randomUUID()}`,
    `-Dnode.data-dir=${join(folder, 'data')}`,
    `-Dconfig=${join(folder, 'config.properties')}`,
    `-Dlog.levels-file=${join(folder, 'log.properties')}`,
    '-cp',
    `${join(home, 'lib')}/*`,
    'io.trino.server.TrinoServer',
  ]
}

async function writeConfiguration(
  folder: string,
  home: string,
  port: number,
  heapMb: number,
  catalogs: TrinoOptions['catalogs'],
): Promise<void> {
  const catalogFolder = join(folder, 'catalog')
  await rm(catalogFolder, { recursive: true, force: true })
  await mkdir(catalogFolder, { recursive: true, mode: 0o700 })
  await mkdir(join(folder, 'data'), { recursive: true })
  const write = (name: string, properties: CatalogProperties) =>
    writeFile(join(folder, name), propertiesText(properties), { mode: 0o600 })
  await write('config.properties', {
    coordinator: true,
    'node-scheduler.include-coordinator': true,
    'http-server.http.port': port,
    'node.internal-address': HOST,
    'node.bind-ip': HOST,
    'discovery.uri': `http://${HOST}:${port}`,
    'plugin.dir': join(home, 'plugin'),
    'catalog.config-dir': catalogFolder,
    'query.max-memory-per-node': `${Math.floor(heapMb * 0.4)}MB`,
    'memory.heap-headroom-per-node': `${Math.floor(heapMb * 0.3)}MB`,
    'task.concurrency': powerOfTwo(availableParallelism()),
    'web-ui.enabled': false,
  })
  await write('log.properties', { 'io.trino': 'WARN', 'io.airlift': 'WARN' })
  for (const [name, properties] of Object.entries(catalogs)) await write(`catalog/${name}.properties`, properties)
}

const powerOfTwo = (n: number): number => 2 ** Math.floor(Math.log2(Math.min(n, 32)))

/** Java's properties files: backslashes escape, and lines end values. */
export function propertiesText(properties: CatalogProperties): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${String(value).replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n`)
    .join('')
}

/** Catalogs are there and the node has been found as a worker: from then on queries run. */
async function answersQuery(url: string): Promise<boolean> {
  const response = await fetch(`${url}/v1/info`, { signal: AbortSignal.timeout(5_000) })
  if (((await response.json()) as { starting: boolean }).starting) return false
  const { rows } = await createTrino({ url, user: 'streamforge-start', timeoutMs: 10_000 }).query('SELECT 1')
  return rows.length === 1
}
