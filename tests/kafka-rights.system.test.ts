/**
 * The rights on Kafka that deploy/terraform gives each role, on a Kafka that keeps to them: they are enough for an order from the edge to the lake and for a change from a shop's table to the API, and the
 * source of changes can do nothing but its own.
 */
import { isDeepStrictEqual } from 'node:util'
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel, ResourcePatternTypes } from 'kafkajs'
import { afterAll, expect, test } from 'vitest'
import { topics } from '../cli/commands/topics.ts'
import { type KafkaServer, startKafka } from '../cli/servers/kafka.ts'
import { freePorts } from '../cli/servers/process.ts'
import { works } from '../cli/servers/run.ts'
import { serverOfFile } from '../cli/servers/testing/once-or-skip.ts'
import { withRedis } from '../cli/servers/testing/with-redis.ts'
import { runCommand } from '../cli/testing/run-command.ts'
import { loadConfig } from '../db/config.ts'
import { connect } from '../db/postgres/connect.ts'
import { withPostgres } from '../db/testing/postgres.ts'
import { CDC_TOPICS, INPUT_TOPICS, TOPICS } from '../streams/contract/topics.ts'
import { openKafkaLog } from '../streams/log/kafka.ts'
import { prepareShop } from '../streams/sources/shop/tables.ts'
import { as } from './support/access.ts'
import { platformEnvironment, startEdge } from './support/cluster-processes.ts'
import { eventually } from './support/eventually.ts'
import { cleanUp, spawnCli } from './support/processes.ts'
import { type EvaluatedKafka, evaluatedKafka } from './support/terraform.ts'

const DEADLINE_MS = 120_000
const HOST = '127.0.0.1'
const hasTerraform = await works('terraform', ['version'])
/** For us, who may do everything; for the roles, who say who they are; for the broker itself. */
const [port, guarded, controller] = (await freePorts(3)) as [number, number, number]
const CLIENTS = ['edge', 'streams', 'lake-writer', 'worker', 'topics', 'cdc']
const passwordOf = (client: string): string => `the password of ${client}`

let server: KafkaServer | undefined
serverOfFile(
  { kind: 'kafka', name: 'Kafka', folder: 'kafka' },
  {
    timeoutMs: 300_000,
    async start(folder) {
      const users = CLIENTS.map((client) => `user_${client}="${passwordOf(client)}"`).join(' ')
      server = await startKafka({
        folder,
        port,
        serversDir: loadConfig(process.env).serversDir,
        properties: {
          listeners: `PLAINTEXT://${HOST}:${port},SASL_PLAINTEXT://${HOST}:${guarded},CONTROLLER://${HOST}:${controller}`,
          'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
          'controller.quorum.voters': `1@${HOST}:${controller}`,
          'sasl.enabled.mechanisms': 'PLAIN',
          'listener.name.sasl_plaintext.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required ${users};`,
          'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
          'super.users': 'User:ANONYMOUS',
        },
      })
    },
    kill: () => server?.kill(),
  },
)
const redisServers = withRedis()
const postgres = withPostgres()
// Registered last and so run first.
afterAll(cleanUp)

async function grant({ kafka_rights, kafka_groups, kafka_idempotent }: EvaluatedKafka): Promise<void> {
  const entry = { host: '*', permissionType: AclPermissionTypes.ALLOW }
  const admin = new Kafka({ brokers: [`${HOST}:${port}`], logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    const onTopics = Object.entries(kafka_rights).flatMap(([resourceName, rights]) =>
      rights.map(({ client, operation }) => ({
        ...entry,
        resourceType: AclResourceTypes.TOPIC,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        resourceName,
        principal: `User:${client}`,
        operation: AclOperationTypes[operation as keyof typeof AclOperationTypes],
      })),
    )
    const onGroups = Object.entries(kafka_groups).map(([resourceName, client]) => ({
      ...entry,
      resourceType: AclResourceTypes.GROUP,
      resourcePatternType: ResourcePatternTypes.PREFIXED,
      resourceName,
      principal: `User:${client}`,
      operation: AclOperationTypes.READ,
    }))
    const onCluster = kafka_idempotent.map((client) => ({
      ...entry,
      resourceType: AclResourceTypes.CLUSTER,
      resourcePatternType: ResourcePatternTypes.LITERAL,
      resourceName: 'kafka-cluster',
      principal: `User:${client}`,
      operation: AclOperationTypes.IDEMPOTENT_WRITE,
    }))
    await admin.createAcls({ acl: [...onTopics, ...onGroups, ...onCluster] })
  } finally {
    await admin.disconnect()
  }
}

const logOf = (client: string) =>
  openKafkaLog({
    brokers: [`${HOST}:${guarded}`],
    clientId: client,
    sasl: { mechanism: 'plain', username: client, password: passwordOf(client) },
  })

test.skipIf(!hasTerraform)(
  'the rights that Terraform gives each role are enough for its work, and the source of changes has no others',
  {
    timeout: 600_000,
  },
  async () => {
    const shopUrl = await postgres.emptyDatabase()
    const shop = connect(shopUrl, { max: 1 })
    await prepareShop(shop.sql, 'TRY')
    await shop.close()
    const databaseUrl = await postgres.emptyDatabase()
    const redis = await redisServers.start()
    const common = await platformEnvironment({ brokers: [`${HOST}:${port}`], redis, databaseUrl })
    await grant(await evaluatedKafka(['-var=cdc={cidr = "10.40.0.5/32"}'], shopUrl))
    const envOf = (client: string): Record<string, string> => ({
      ...common,
      KAFKA_BROKERS: `${HOST}:${guarded}`,
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: client,
      KAFKA_SASL_PASSWORD: passwordOf(client),
      STREAMFORGE_LOG_LEVEL: 'warn',
    })

    // A broker hears of its ACLs a moment later than it is told.
    const seen = { code: 0, out: `${TOPICS.length} of ${TOPICS.length} topics were there\n`, err: '' }
    await eventually('the job finds all topics', DEADLINE_MS, async () =>
      isDeepStrictEqual(await runCommand(topics, ['--check'], { env: envOf('topics') }), seen),
    )
    const edge = await startEdge(envOf('edge'))
    const started = [
      spawnCli(['streams'], { env: envOf('streams') }),
      spawnCli(['lake-writer'], { env: { ...envOf('lake-writer'), STREAMFORGE_LAKE_COMMIT_SECONDS: '1' } }),
      spawnCli(['cdc', 'start'], { env: { ...envOf('cdc'), CDC_SOURCE_URL: shopUrl } }),
    ]
    const running = (): true => {
      for (const { child, out, err } of started) if (child.exitCode !== null) throw new Error(out + err)
      return true
    }
    const order = {
      order_id: 'o-1',
      user_id: 'ada',
      product_id: 'kettle',
      category: 'home',
      amount: 49.9,
      currency: 'TRY',
    }
    const sent = await fetch(`${edge.url}/api/v1/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-write-key': edge.writeKey },
      body: JSON.stringify(order),
    })
    expect(sent.status).toBe(202)
    const headers = await as('viewer')
    const answers = async (path: string): Promise<boolean> =>
      (await fetch(`${edge.url}/api/v1${path}`, { headers })).status === 200
    const health = async ({ out }: { out: string }) => {
      const page = /health at (\S+)\./.exec(out)?.[1]
      return page ? ((await (await fetch(`${page}/health`)).json()) as { data: Health }).data : null
    }
    await eventually('the streams have read the order', DEADLINE_MS, async () => running() && answers('/features/ada'))
    await eventually('the order is in the lake', DEADLINE_MS, async () => {
      const tables = running() && (await health(started[1]!))?.tables
      return tables?.some(({ table, rows }) => table === 'raw.orders' && rows === 1)
    })
    await eventually("the shop's products are in the API", DEADLINE_MS, async () => running() && answers('/products/1'))
    await eventually(
      'the source streams',
      DEADLINE_MS,
      async () => running() && (await health(started[2]!))?.state === 'streaming',
    )

    // Who is to be forgotten, and until when the log remembers.
    const worker = await logOf('worker')
    try {
      await worker.append(INPUT_TOPICS.map((topic) => ({ topic, key: 'ada', value: Buffer.from('control') })))
      for (const { name } of TOPICS) expect((await worker.bounds({ topic: name, partition: 0 })).earliest).toBe(0)
    } finally {
      await worker.close()
    }
    // Asked of Kafka itself, by a client that does not try again.
    const source = new Kafka({
      brokers: [`${HOST}:${guarded}`],
      sasl: { mechanism: 'plain', username: 'cdc', password: passwordOf('cdc') },
      retry: { retries: 0 },
      logLevel: logLevel.NOTHING,
    })
    const [producer, admin] = [source.producer(), source.admin()]
    await Promise.all([producer.connect(), admin.connect()])
    try {
      const elsewhere = 'transactions.orders'
      await expect(producer.send({ topic: elsewhere, messages: [{ value: '{}' }] })).rejects.toThrow(/authoriz/i)
      await expect(admin.fetchTopicOffsets(elsewhere)).rejects.toThrow(/authoriz/i)
      await expect(admin.createTopics({ topics: [{ topic: 'mine' }] })).rejects.toMatchObject({
        errors: [{ type: 'TOPIC_AUTHORIZATION_FAILED' }],
      })
      expect([...(await admin.listTopics())].sort()).toEqual([...CDC_TOPICS].sort())
    } finally {
      await Promise.all([producer.disconnect(), admin.disconnect()])
    }
  },
)

interface Health {
  state?: string
  tables?: { table: string; rows: number }[]
}
