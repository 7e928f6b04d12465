/**
 * A real Kafka 4.1 (KRaft, one node) without Docker: jars by Maven, kept in the cache; one folder holds configuration and data of a server.
 *
 * Invariants: it listens on 127.0.0.1 alone; topics are never made by mistake of a client; starting again on the same folder and port goes on with its data.
 */
import { randomBytes } from 'node:crypto'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { cached, ServerUnavailable } from './cache.ts'
import { clearFolder, freePorts, type ServerProcess, startServer } from './process.ts'
import { exists, lastLines, run, type ToolResult, works } from './run.ts'

/** As in kafka/pom.xml. */
const VERSION = '4.1.0'
const HOST = '127.0.0.1'
const file = (name: string): string => fileURLToPath(new URL(`./kafka/${name}`, import.meta.url))

export interface KafkaOptions {
  /** Of the server: configuration, data and log; made if missing. */
  folder: string
  /** 0 or absent: a free one. */
  port?: number
  serversDir: string
  /** For one-line messages about what takes time. */
  log?: (message: string) => void
  /** The heap of the Java process. */
  heapMb?: number
  /** Further server properties, or other values for ours. */
  properties?: Readonly<Record<string, string | number>>
}

export interface KafkaServer extends ServerProcess {
  readonly brokers: readonly string[]
  readonly port: number
  readonly folder: string
}

/** @throws ServerUnavailable when the jars can't be had; Error when the server does not start. */
export async function startKafka(options: KafkaOptions): Promise<KafkaServer> {
  const folder = resolve(options.folder)
  await clearFolder({ name: 'Kafka', folder })
  const lib = await kafkaJars(options)
  const [freePort, controllerPort] = (await freePorts(2)) as [number, number]
  const port = options.port || freePort
  const properties = join(folder, 'server.properties')
  await mkdir(folder, { recursive: true })
  await writeFile(properties, serverProperties(folder, port, controllerPort, options.properties))
  if (!(await exists(join(folder, 'data', 'meta.properties')))) await format(lib, properties)
  const server = await startServer(
    {
      name: 'Kafka',
      folder,
      program: 'java',
      args: [...jvm(lib, options.heapMb ?? 512), 'kafka.Kafka', properties],
    },
    () => answersMetadata(`${HOST}:${port}`),
    90_000,
  )
  return { ...server, brokers: [`${HOST}:${port}`], port, folder }
}

/**
 * Runs one of Kafka's own command line tools, by its main class, e.g. `org.apache.kafka.tools.consumer.group.ConsumerGroupCommand` for
 * kafka-consumer-groups.
 * @param input goes to its standard input
 */
export async function kafkaTool(
  main: string,
  args: readonly string[],
  options: Pick<KafkaOptions, 'serversDir' | 'log'>,
  input = '',
): Promise<ToolResult> {
  return java([...jvm(await kafkaJars(options), 128), main, ...args], input)
}

/** The folder of the jars. @throws ServerUnavailable naming what is missing */
export async function kafkaJars({ serversDir, log }: Pick<KafkaOptions, 'serversDir' | 'log'>): Promise<string> {
  await needs('java', ['-version'], 'Java 17 or newer', 'openjdk-17-jre-headless')
  const folder = await cached({
    serversDir,
    name: `kafka-${VERSION}`,
    async build(aside) {
      await needs('mvn', ['-version'], 'Maven', 'maven')
      log?.(`Fetching Kafka ${VERSION} with Maven, once …`)
      const result = await run('mvn', ['-q', '-B', '-f', file('pom.xml'), `-Dstreamforge.out=${aside}`, 'package'])
      if (result.code !== 0) {
        throw new ServerUnavailable(
          `Maven could not fetch Kafka ${VERSION}: it needs to reach a Maven repository. It said:\n${lastLines(result)}`,
        )
      }
      await copyFile(file('log4j2.properties'), join(aside, 'log4j2.properties'))
    },
  })
  return folder
}

/** C1 and the serial collector: half the start-up time, and memory near the heap's size. */
function jvm(jars: string, heapMb: number): string[] {
  return [
    `-Xmx${heapMb}m`,
    '-Xms64m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-Dlog4j2.configurationFile=${join(jars, 'log4j2.properties')}`,
    '-cp',
    `${join(jars, 'lib')}/*`,
  ]
}

function serverProperties(
  folder: string,
  port: number,
  controllerPort: number,
  more: KafkaOptions['properties'] = {},
): string {
  const properties: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    listeners: `PLAINTEXT://${HOST}:${port},CONTROLLER://${HOST}:${controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'controller.quorum.voters': `1@${HOST}:${controllerPort}`,
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': 'false',
    // One node: what would be three copies is one.
    'default.replication.factor': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // Members that start together still join together; 3 s, the default, is for fleets.
    'group.initial.rebalance.delay.ms': 100,
    // A session shorter than Kafka's usual 6 s lets a test see a member expire.
    'group.min.session.timeout.ms': 1_000,
    ...more,
  }
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

async function format(jars: string, properties: string): Promise<void> {
  // A cluster id is a UUID in URL-safe base64. It may begin with a dash, so it is joined to its option: it would pass for another one.
  const clusterId = randomBytes(16).toString('base64url')
  const { code, stdout, stderr } = await java(
    [...jvm(jars, 128), 'kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c', properties],
    '',
  )
  if (code !== 0) throw new Error(`Kafka could not format its folder:\n${(stdout + stderr).trim()}`)
}

/** A fetch of metadata answered by a broker that knows its controller: from then on topics can be made. */
async function answersMetadata(broker: string): Promise<boolean> {
  const client = new Kafka({
    brokers: [broker],
    clientId: 'streamforge-start',
    logLevel: logLevel.NOTHING,
    connectionTimeout: 500,
    requestTimeout: 2_000,
    retry: { retries: 0 },
  })
  const admin = client.admin()
  try {
    await admin.connect()
    const { brokers, controller } = await admin.describeCluster()
    return brokers.length > 0 && controller !== null
  } finally {
    await admin.disconnect()
  }
}

const java = (args: readonly string[], input: string): Promise<ToolResult> => run('java', args, { input })

async function needs(program: string, args: readonly string[], what: string, debianPackage: string): Promise<void> {
  if (await works(program, args)) return
  throw new ServerUnavailable(
    `A local Kafka needs ${what}, and "${program}" is not on the PATH. On Debian and Ubuntu: apt-get install ${debianPackage}. Or set KAFKA_BROKERS to a Kafka of yours.`,
  )
}
