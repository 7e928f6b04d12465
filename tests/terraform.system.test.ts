/**
 * Terraform's files for Google Cloud in deploy/terraform, read by a parser of their language: what can be known of them without a project and without the provider. Names lead somewhere, nothing is open, rules that
 * delete spare what is in use, and what they promise to the chart and to Kafka is what those know. Nothing is applied here, or anywhere: deploy/terraform/README.md says so.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { run, works } from '../cli/servers/run.ts'
import { withManifestTools } from '../cli/servers/testing/with-manifest-tools.ts'
import { TOPICS } from '../streams/contract/topics.ts'
import { lakeGroup } from '../streams/lake-writer/table-writer.ts'
import { DEFAULT_SETTINGS } from '../streams/runtime/runtime.ts'
import { furtherCdcTopics } from '../streams/sources/cdc/settings.ts'
import { evaluatedKafka, TERRAFORM as FOLDER, type KafkaRights } from './support/terraform.ts'

const FROM_TERRAFORM = fileURLToPath(new URL('./support/from-terraform.yaml', import.meta.url))
const ENVIRONMENTS = ['dev', 'staging', 'prod']

type Value = string | number | boolean | null | Value[] | Body
interface Body {
  [name: string]: Value
}
/** `{type: {name: body}}`, or `{name: body}`, one to an entry. */
type Blocks = Record<string, Body>[]
interface Module {
  variable: Blocks
  output: Blocks
  resource: Record<string, Record<string, Body>>[]
  locals: Body[]
}

const { parseTerraform } = withManifestTools()
const files = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.tf'))
  .map((name) => join(FOLDER, name))
let parsed: Promise<Module> | undefined

/** All files as the one module that they are. */
function module(): Promise<Module> {
  parsed ??= parseTerraform<Partial<Module>>(files).then((all) => ({
    variable: all.flatMap((file) => file.variable ?? []),
    output: all.flatMap((file) => file.output ?? []),
    resource: all.flatMap((file) => file.resource ?? []),
    locals: all.flatMap((file) => file.locals ?? []),
  }))
  return parsed
}
const entriesOf = (blocks: Blocks): [string, Body][] => blocks.flatMap((block) => Object.entries(block))

interface Resource {
  type: string
  name: string
  body: Body
}
const resourcesOf = async (type?: string): Promise<Resource[]> =>
  (await module()).resource
    .flatMap((block) => Object.entries(block))
    .flatMap(([kind, named]) => Object.entries(named).map(([name, body]) => ({ type: kind, name, body })))
    .filter((resource) => type === undefined || resource.type === type)
const localOf = async (name: string): Promise<Value> => (await module()).locals.find((locals) => name in locals)![name]!

/** Every text in it, names included. */
function* textsOf(value: Value): Generator<string> {
  if (typeof value === 'string') yield value
  else if (Array.isArray(value)) for (const inner of value) yield* textsOf(inner)
  else if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value)) {
      yield name
      yield* textsOf(inner)
    }
}
const namesAfter = (prefix: string, texts: readonly string[]): Set<string> =>
  new Set(
    texts.flatMap((text) =>
      [...text.matchAll(new RegExp(`(?<![\\w.-])${prefix}\\.([\\w-]+)`, 'g'))].map(([, name]) => name!),
    ),
  )

test('the files are formatted', async () => {
  // Terraform itself judges where there is one; elsewhere what can be seen without it.
  if (await works('terraform', ['version'])) {
    const { code, stdout } = await run('terraform', ['fmt', '-check', '-recursive', FOLDER])
    expect(stdout).toBe('')
    expect(code).toBe(0)
  }
  for (const file of files) expect(readFileSync(file, 'utf8')).not.toMatch(/\t|[ ]\n|\n\n\n|\n\n$|[^\n]$/)
})

test('every variable is described, typed and used; those that somebody must give are few, and refused with an example', async () => {
  const { variable, ...rest } = await module()
  const used = namesAfter('var', [...textsOf(rest as unknown as Value)])
  for (const [name, { description, type, validation, default: fallback }] of entriesOf(variable)) {
    expect(String(description).length, name).toBeGreaterThan(20)
    expect(type, name).toBeDefined()
    expect(used, name).toContain(name)
    if (fallback === undefined) expect(validation, name).toBeDefined()
    for (const { error_message } of (validation ?? []) as Body[])
      expect(error_message).toMatch(new RegExp(`${name}\\b.* must`))
  }
  for (const [name, { description }] of entriesOf((await module()).output))
    expect(String(description).length, name).toBeGreaterThan(20)
})

test('every environment gives the same variables, as they are declared; Terraform itself accepts them, where there is one', async () => {
  const declared = entriesOf((await module()).variable)
  const needed = declared.filter(([, body]) => body.default === undefined).map(([name]) => name)
  // Said on the command line, since they are nobody else's business.
  const given = ['project', 'host']
  const settings = await parseTerraform<Body>(
    ENVIRONMENTS.map((name) => join(FOLDER, 'environments', `${name}.tfvars`)),
  )
  for (const [i, values] of settings.entries()) {
    expect(values.environment).toBe(ENVIRONMENTS[i])
    expect([...Object.keys(values), ...given].filter((name) => name !== 'is_protected').sort()).toEqual(needed.sort())
  }
  expect(settings.map((values) => values.is_protected)).toEqual([false, true, true])
  if (!(await works('terraform', ['version']))) return
  const folder = await mkdtemp(join(tmpdir(), 'streamforge-terraform-'))
  try {
    await cp(join(FOLDER, 'variables.tf'), join(folder, 'variables.tf'))
    const ask = (environment: string, host: string) => {
      const file = join(FOLDER, 'environments', `${environment}.tfvars`)
      return run(
        'terraform',
        ['plan', '-input=false', '-no-color', `-var-file=${file}`, '-var=project=example-project', `-var=host=${host}`],
        { cwd: folder },
      )
    }
    for (const environment of ENVIRONMENTS) {
      const { code, stdout, stderr } = await ask(environment, 'events.example.com')
      expect(code, stdout + stderr).toBe(0)
    }
    const { stderr } = await ask('dev', 'events')
    expect(stderr).toContain('host must be a full name such as events.example.com.')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('every name that is used is declared: resources, locals, variables', async () => {
  const all = await module()
  const texts = [...textsOf(all as unknown as Value)]
  const declared = new Set((await resourcesOf()).map(({ type, name }) => `${type}.${name}`))
  const types = new Set((await resourcesOf()).map(({ type }) => type))
  const used = texts.flatMap((text) =>
    [...text.matchAll(/(?<![\w.-])((?:google|random)_\w+)\.(\w+)/g)].map(([, type, name]) => `${type}.${name}`),
  )
  expect(used.length).toBeGreaterThan(50)
  expect(used.filter((name) => !declared.has(name))).toEqual([])
  expect(types.size).toBeGreaterThan(20)
  const locals = new Set(all.locals.flatMap((body) => Object.keys(body)))
  const usedLocals = namesAfter('local', texts)
  expect([...usedLocals].filter((name) => !locals.has(name))).toEqual([])
  expect([...locals].filter((name) => !usedLocals.has(name))).toEqual([])
  const variables = new Set(entriesOf(all.variable).map(([name]) => name))
  expect([...namesAfter('var', texts)].filter((name) => !variables.has(name))).toEqual([])
})

test('every block and argument is one that the provider has, and none that it needs is missing', async () => {
  // In place of "terraform validate", which needs the provider itself.
  const file = fileURLToPath(new URL('./support/google-provider.json', import.meta.url))
  const { resources } = JSON.parse(readFileSync(file, 'utf8')) as { resources: Record<string, Schema> }
  const found = (await resourcesOf()).filter(({ type }) => type.startsWith('google_'))
  expect(found.map(({ type }) => type).filter((type) => resources[type] === undefined)).toEqual([])
  expect(found.flatMap(({ type, name, body }) => problemsOf(`${type}.${name}`, body, resources[type]!))).toEqual([])
  // What nobody uses any more need not be kept.
  expect(Object.keys(resources).sort()).toEqual([...new Set(found.map(({ type }) => type))].sort())
})

test('nothing is reached from the internet', async () => {
  const texts = [...textsOf((await module()) as unknown as Value)]
  expect(texts.filter((text) => /0\.0\.0\.0|::\/0|allUsers|allAuthenticatedUsers/.test(text))).toEqual([])
  expect(
    (await resourcesOf()).filter(({ type }) => /^google_compute_(address|router_nat|firewall|instance)/.test(type)),
  ).toEqual([])
  const [database] = await resourcesOf('google_sql_database_instance')
  expect(database!.body.settings).toMatchObject([
    { ip_configuration: [{ ipv4_enabled: false, ssl_mode: 'ENCRYPTED_ONLY' }] },
  ])
  const [cluster] = await resourcesOf('google_container_cluster')
  expect(cluster!.body).toMatchObject({
    enable_autopilot: true,
    private_cluster_config: [{ enable_private_nodes: true }],
    control_plane_endpoints_config: [{ ip_endpoints_config: [{ enabled: false }] }],
  })
  const [redis] = await resourcesOf('google_redis_instance')
  expect(redis!.body).toMatchObject({ auth_enabled: true, connect_mode: 'PRIVATE_SERVICE_ACCESS' })
  for (const { body } of await resourcesOf('google_storage_bucket'))
    expect(body).toMatchObject({
      uniform_bucket_level_access: true,
      public_access_prevention: 'enforced',
      force_destroy: false,
    })
})

test('what holds data is protected, kept and backed up', async () => {
  for (const type of ['google_container_cluster', 'google_sql_database_instance'])
    for (const { body } of await resourcesOf(type)) expect(body.deletion_protection).toBe('=var.is_protected')
  const [database] = await resourcesOf('google_sql_database_instance')
  const [settings] = database!.body.settings as Body[]
  expect(settings).toMatchObject({
    deletion_protection_enabled: '=var.is_protected',
    backup_configuration: [{ enabled: true, point_in_time_recovery_enabled: true }],
  })
  expect((settings!.database_flags as Body[]).map(({ name, value }) => [name, value])).toEqual(
    expect.arrayContaining([
      ['cloudsql.logical_decoding', 'on'],
      ['cloudsql.iam_authentication', 'on'],
    ]),
  )
  for (const { body } of await resourcesOf('google_managed_kafka_topic'))
    expect(body.lifecycle).toEqual([{ prevent_destroy: true }])
  const [redis] = await resourcesOf('google_redis_instance')
  expect(redis!.body.redis_configs).toEqual({ 'maxmemory-policy': 'noeviction' })
})

test('no rule of a bucket deletes what is in use: only versions that were deleted before, and what people put aside', async () => {
  const rules = new Map(
    (await resourcesOf('google_storage_bucket')).map(({ name, body }) => [
      name,
      (body.lifecycle_rule as Body[]).map(({ action, condition }) => ({
        ...(action as Body[])[0],
        ...(condition as Body[])[0],
      })),
    ]),
  )
  const unfinished = { type: 'AbortIncompleteMultipartUpload', age: 1 }
  const replaced = { type: 'Delete', days_since_noncurrent_time: 7, with_state: 'ARCHIVED' }
  const cold = {
    type: 'SetStorageClass',
    storage_class: 'NEARLINE',
    age: 90,
    matches_storage_class: ['STANDARD'],
    matches_suffix: ['.parquet'],
    with_state: 'LIVE',
  }
  expect(Object.fromEntries(rules)).toEqual({
    checkpoints: [replaced, unfinished],
    lake: [cold, replaced, unfinished],
    dead_letters: [{ type: 'Delete', age: 30 }, unfinished],
  })
  // Without versions "noncurrent" would never come to be, and what was deleted could not be brought back.
  for (const { name, body } of await resourcesOf('google_storage_bucket'))
    if (name !== 'dead_letters') expect(body.versioning).toEqual([{ enabled: true }])
})

test('rights are small: known roles of single services, each for an account of its own, and none that owns or edits a project', async () => {
  const members = (await resourcesOf()).filter(({ type }) => type.endsWith('_iam_member'))
  expect((await resourcesOf()).filter(({ type }) => /_iam_(policy|binding)$/.test(type))).toEqual([])
  const roles = members.map(({ body, name }) => [name, body.role])
  expect(Object.fromEntries(roles)).toEqual({
    nodes_pull: 'roles/artifactregistry.reader',
    nodes: 'roles/container.defaultNodeServiceAccount',
    role: 'roles/storage.objectUser',
    bigquery_reads_lake: 'roles/storage.objectViewer',
    workload_identity: 'roles/iam.workloadIdentityUser',
    kafka_client: 'roles/managedkafka.client',
    // Of people, to sign in at the database and no more.
    database_people: '=each.value.role',
    store_reads: 'roles/secretmanager.secretAccessor',
    registers_tables: '=google_project_iam_custom_role.registers_tables[0].id',
    delegates_connection: '=google_project_iam_custom_role.delegates_connection[0].id',
  })
  const own = (await resourcesOf('google_project_iam_custom_role')).map(({ name, body }) => [name, body.permissions])
  // Not to read what is in a table, nor to drop it.
  expect(Object.fromEntries(own)).toEqual({
    registers_tables: ['bigquery.tables.create', 'bigquery.tables.get', 'bigquery.tables.update'],
    delegates_connection: ['bigquery.connections.delegate'],
  })
  const texts = [...textsOf((await module()) as unknown as Value)]
  expect(texts.filter((text) => /roles\/(owner|editor|viewer)$|roles\/\S*admin/i.test(text))).toEqual([])
})

test('topics are those of the contract, and consumer groups those that the roles join', async () => {
  const topics = (await localOf('topics')) as Record<string, { partitions: number; days: number }>
  const contract = TOPICS.map(({ name, partitions, retentionMs }) => [
    name,
    { partitions, days: retentionMs / 86_400_000 },
  ])
  expect(topics).toEqual(Object.fromEntries(contract))
  const [{ body } = { body: {} as Body }] = await resourcesOf('google_managed_kafka_topic')
  expect(body.configs).toEqual({
    'cleanup.policy': 'delete',
    'retention.ms': '=tostring(each.value.days * local.day_ms)',
    'message.timestamp.type': 'LogAppendTime',
    'min.insync.replicas': '2',
  })
  const groups = Object.entries((await localOf('kafka_groups')) as Record<string, string>)
  expect(groups.filter(([prefix]) => DEFAULT_SETTINGS.group.startsWith(prefix))).toEqual([
    ['streamforge-streams', 'streams'],
  ])
  expect(groups.filter(([prefix]) => lakeGroup('raw.orders').startsWith(prefix))).toEqual([
    ['streamforge-lake-', 'lake-writer'],
  ])
})

test('whoever follows a database has an account that may append and read the changes of its tables and no more; where none is followed, there is no such account', async () => {
  if (!(await works('terraform', ['version']))) return
  const none = await evaluatedKafka([])
  expect([...none.roles, ...none.kafka_clients]).not.toContain('cdc')
  expect(rightsOf('cdc', none.kafka_rights)).toEqual([])
  expect(none.further_topics).toEqual({})

  const cdc = '{cidr = "10.40.0.5/32", tables = ["public.products", "public.things"]}'
  const { roles, kafka_clients, kafka_rights, further_topics } = await evaluatedKafka(
    [`-var=cdc=${cdc}`],
    'postgres://cdc:secret@10.40.0.5:5432/shop',
  )
  expect(roles).toContain('cdc')
  expect(kafka_clients).toContain('cdc')
  const mine = ['cdc.public.products', 'cdc.public.things']
  expect(rightsOf('cdc', kafka_rights)).toEqual(mine.flatMap((topic) => [`WRITE ${topic}`, `READ ${topic}`]))
  // What everybody else may do is as before, but that the job sees the topics that were added.
  const added = furtherCdcTopics(['public.things']).map(({ name }) => name)
  for (const client of none.kafka_clients)
    expect(
      rightsOf(client, kafka_rights).filter((right) => !added.some((topic) => right.endsWith(` ${topic}`))),
    ).toEqual(rightsOf(client, none.kafka_rights))
  expect(new Set(added.flatMap((topic) => kafka_rights[topic]!.map(({ client }) => client)))).toEqual(
    new Set(['cdc', 'topics']),
  )
  expect(further_topics).toEqual(
    Object.fromEntries(
      furtherCdcTopics(['public.things']).map(({ name, partitions, retentionMs }) => [
        name,
        { partitions, days: retentionMs / 86_400_000 },
      ]),
    ),
  )
  await expect(evaluatedKafka([`-var=cdc=${cdc}`])).rejects.toThrow(
    /cdc_source_url must be a URL that begins with postgres/,
  )
})

test('streams that read topics of others may append what becomes of them, and have a place for what can not be read', async () => {
  if (!(await works('terraform', ['version']))) return
  const none = await evaluatedKafka([])
  const { kafka_rights } = await evaluatedKafka(['-var=foreign_topics=["shop.events"]'])
  expect(
    rightsOf('streams', kafka_rights).filter((right) => !rightsOf('streams', none.kafka_rights).includes(right)),
  ).toEqual(['WRITE clickstream.events', 'WRITE dlq.shop.events', 'WRITE transactions.orders', 'WRITE trips.completed'])
  // As any other dead letters.
  expect(kafka_rights['dlq.shop.events']).toEqual(kafka_rights['dlq.trips.completed'])
  expect(Object.keys(kafka_rights)).not.toContain('shop.events')
})

const rightsOf = (client: string, rights: KafkaRights): string[] =>
  Object.entries(rights).flatMap(([topic, entries]) =>
    entries.filter((entry) => entry.client === client).map(({ operation }) => `${operation} ${topic}`),
  )

test('what is for BigQuery is made where BigQuery reads the lake, and nowhere else', async () => {
  const made = (await resourcesOf()).filter(({ type, name }) => /bigquery|iam_custom_role/.test(`${type} ${name}`))
  expect(made).toHaveLength(7)
  for (const { name, body } of made) expect(body.count, name).toBe('=var.bigquery_reads_lake ? 1 : 0')
})

test("what is printed for the chart has the keys that the chart's test takes, and each role's entry the variables that the chart asks for", async () => {
  const printed = (await localOf('helm_values')) as Body
  expect(keysOf(printed)).toEqual(keysOf(parse(readFileSync(FROM_TERRAFORM, 'utf8')) as Body))
  // None of them is a secret, or made of one.
  expect(
    [...textsOf(printed)].filter((text) => /random_password|hmac|private_key|auth_string|database_url/.test(text)),
  ).toEqual([])
  const secrets = (await localOf('secrets')) as Record<string, string>
  const chart = readFileSync(
    fileURLToPath(new URL('../deploy/helm/streamforge/templates/_settings.tpl', import.meta.url)),
    'utf8',
  )
  for (const [role, expression] of Object.entries(secrets)) {
    const [, , asked] = new RegExp(`^${role}:\\n  settings: \\[(.*)\\]\\n  secrets: \\[(.*)\\]`, 'm').exec(chart)!
    // A Trino is nobody's here; a warehouse is, where one is named.
    const wanted = asked!
      .replace(/\{\{ if \.Values\.trino.*?\{\{ end \}\}/, '')
      .replace(/\{\{.*?\}\}/g, '')
      .split(', ')
      .filter((name) => name !== '')
    const kafka = new RegExp(`^${role}:\\n.*KAFKA_SASL_MECHANISM`, 'm').test(chart)
      ? ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD']
      : []
    const given = []
    for (const part of ['database', 'redis', 'registry', 'access', 'source', 'warehouse']) {
      if (new RegExp(`local\\.${part}\\b`).test(expression)) given.push(...Object.keys((await localOf(part)) as Body))
    }
    if (expression.includes('local.kafka[')) given.push('KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD')
    if (expression.includes('local.objects[')) given.push('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY')
    expect(given.sort(), role).toEqual([...wanted, ...kafka].sort())
  }
})

/** Arguments by name, with `!` behind those that must be given; 1 is a value, an object is a block. */
interface Schema {
  [name: string]: 1 | Schema
}

/** Terraform's own, which every resource has. */
const OF_TERRAFORM = ['for_each', 'count', 'depends_on', 'lifecycle', 'provider', 'timeouts', 'dynamic']

function problemsOf(path: string, body: Body, schema: Schema): string[] {
  // A dynamic block stands for blocks of its name.
  const dynamic = ((body.dynamic ?? []) as Record<string, Body>[]).flatMap((block) =>
    Object.entries(block).map(([name, { content }]) => [name, content!] as const),
  )
  const given = [...Object.entries(body).filter(([name]) => !OF_TERRAFORM.includes(name)), ...dynamic]
  const names = given.map(([name]) => name)
  const missing = Object.keys(schema).filter((name) => name.endsWith('!') && !names.includes(name.slice(0, -1)))
  return [
    ...missing.map((name) => `${path} lacks ${name.slice(0, -1)}`),
    ...given.flatMap(([name, value]) => {
      const known = schema[name] ?? schema[`${name}!`]
      if (known === undefined) return [`${path} has ${name}, which the provider does not know`]
      const isBlock = Array.isArray(value) && value.some((inner) => typeof inner === 'object')
      if (known === 1) return isBlock ? [`${path}.${name} is a value, not a block`] : []
      return (isBlock ? (value as Body[]) : []).flatMap((inner) => problemsOf(`${path}.${name}`, inner, known))
    }),
  ]
}

/** `a.b.c` for every leaf; lists are leaves. */
function keysOf(value: Value, path = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path]
  return Object.entries(value)
    .flatMap(([name, inner]) => keysOf(inner, path === '' ? name : `${path}.${name}`))
    .sort()
}
