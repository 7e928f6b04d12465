/** docker-compose.yml in the eyes of Docker Compose, and what the house asks of it: no default secret, no port beyond loopback, nothing unpinned, unbounded or unwatched, nothing named that is not there. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { run } from '../../cli/servers/run.ts'
import { loadConfig } from '../../db/config.ts'
import { type ComposeService, parseEnv, withCompose } from '../support/compose.ts'
import { ROOT } from '../support/processes.ts'

const composed = withCompose()
const CORE = ['edge', 'lake-writer', 'streams', 'worker']
const OURS = [...CORE, 'cdc', 'shop']
const JOBS = [
  'buckets',
  'grants',
  'migrate',
  'shop-database',
  'superset-setup',
  'temporal-namespace',
  'temporal-schema',
  'topics',
]

const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8')
const each = (): [string, ComposeService][] => Object.entries(composed.services)

test('Compose takes it, in each profile and their mixtures; without secrets it is refused, each by its name', async () => {
  const services = async (...profiles: string[]) => {
    const chosen = profiles.flatMap((profile) => ['--profile', profile])
    const { code, stdout, stderr } = await composed.compose([...chosen, 'config', '--services'])
    expect(code, stderr).toBe(0)
    return stdout.trim().split('\n').sort()
  }
  const core = await services('core')
  const full = await services('full')
  expect(core).toEqual(
    [
      ...CORE,
      ...JOBS.filter((job) => job !== 'superset-setup' && job !== 'shop-database'),
      'kafka',
      'minio',
      'postgres',
      'redis',
      'schema-registry',
      'temporal',
    ].sort(),
  )
  expect(full).toEqual(
    [
      ...core,
      'alertmanager',
      'grafana',
      'jaeger',
      'kafka-ui',
      'otel-collector',
      'prometheus',
      'superset',
      'superset-setup',
      'temporal-ui',
      'trino',
    ].sort(),
  )
  // Whoever follows a database of theirs has no demo shop.
  expect(await services('core', 'cdc')).toEqual([...core, 'cdc'].sort())
  expect(await services('core', 'cdc', 'shop')).toEqual([...core, 'cdc', 'shop', 'shop-database'].sort())
  expect(Object.keys(composed.services).sort()).toEqual([...full, 'cdc', 'shop', 'shop-database'].sort())

  const refused = await composed.compose(['--profile', 'core', 'config', '-q'], join(ROOT, '.env.example'))
  expect(refused.code).not.toBe(0)
  const secrets = Object.keys(parseEnv((await read('.env.example')).split('# ---- may be left')[0]!))
  for (const name of secrets)
    expect(refused.stderr).toContain(`required variable ${name} is missing a value: run "make env"`)
})

test('every variable is in .env.example, every secret is required, and none has a value of its own', async () => {
  const file = (await read('docker-compose.yml')).replace(/^\s*#.*$/gm, '')
  const example = parseEnv(await read('.env.example'))
  const used = [...file.matchAll(/(?<!\$)\$\{(\w+)([^}]*)\}/g)].map(([, name, rest]) => ({ name: name!, rest: rest! }))
  expect([...new Set(used.map(({ name }) => name))].sort()).toEqual(Object.keys(example).sort())
  for (const { name, rest } of used) {
    const isSecret = /PASSWORD|SECRET|WRITE_KEY|ACCESS_KEY|CLUSTER_ID/.test(name)
    expect(rest.startsWith(isSecret ? ':?' : ':-'), `\${${name}${rest}}`).toBe(true)
    if (isSecret) expect(example[name], name).toBe('')
  }
  // A password that was written into the file would stand here as it is.
  const known = new Set(Object.values(composed.env))
  for (const [name, { environment = {} }] of each()) {
    for (const [key, value] of Object.entries(environment)) {
      if (!/PASSWORD|PWD|SECRET(?!_KEY_ID)|_KEY$/.test(key) || !value) continue
      expect(known.has(value), `${name}: ${key}`).toBe(true)
    }
  }
})

test('`make env` makes secrets that differ, for their owner alone, and never touches what is there', async () => {
  const { env, folder } = composed
  const secrets = Object.keys(parseEnv((await read('.env.example')).split('# ---- may be left')[0]!)).map(
    (name) => env[name]!,
  )
  expect(new Set(secrets).size).toBe(secrets.length)
  expect(secrets.every((value) => value.length >= 20)).toBe(true)
  const path = join(folder, '.env')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  const before = await readFile(path, 'utf8')
  const again = (file: string) => run(process.execPath, [join(ROOT, 'deploy/compose/make-env.mjs'), file])
  expect(await again(path)).toMatchObject({ code: 0, stdout: expect.stringMatching(/stays as it is\.\n$/) })
  expect(await readFile(path, 'utf8')).toBe(before)

  // One of an older version lacks what has come since.
  const older = join(folder, 'older.env')
  const text = before.replace(/^(CDC_DATABASE_PASSWORD|WAREHOUSE_SCHEMA)=.*\n/gm, '')
  await writeFile(older, text)
  expect(await again(older)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/stays as it is; added: CDC_DATABASE_PASSWORD, WAREHOUSE_SCHEMA\.\n$/),
  })
  const after = await readFile(older, 'utf8')
  expect(after.startsWith(text)).toBe(true)
  const { CDC_DATABASE_PASSWORD: added = '', ...others } = parseEnv(after)
  expect(added).toMatch(/^[\w-]{43}$/)
  expect(added).not.toBe(env.CDC_DATABASE_PASSWORD)
  expect({ ...others, CDC_DATABASE_PASSWORD: env.CDC_DATABASE_PASSWORD }).toEqual(env)
  expect((await composed.compose(['--profile', 'core', 'config', '-q'], older)).code).toBe(0)
})

test('images have a version, containers a bound of memory and no rights beyond need, ports are on loopback', () => {
  for (const [name, service] of each()) {
    expect(service.image, name).toMatch(/:(?!latest)[\w.-]*\d[\w.-]*$/)
    expect(Number(service.mem_limit), `${name}: mem_limit`).toBeGreaterThan(2 ** 26)
    expect(service.cap_drop, name).toEqual(['ALL'])
    expect(service.security_opt, name).toEqual(['no-new-privileges:true'])
    expect(service.restart, name).toBe(JOBS.includes(name) ? 'on-failure:5' : 'unless-stopped')
    for (const { host_ip } of service.ports ?? []) expect(host_ip, name).toBe('127.0.0.1')
  }
  const published = each().flatMap(([, { ports = [] }]) => ports.map((port) => port.published))
  expect(new Set(published).size, 'ports that are published twice').toBe(published.length)
  for (const name of OURS) expect(composed.services[name], name).toMatchObject({ read_only: true, user: '1000:1000' })
  expect(composed.services.streams?.deploy?.replicas).toBe(2)
})

test('what is waited for can come true: servers are healthy by a check, jobs end', () => {
  // An image of scratch has nothing that could check; nobody waits for it to be well.
  const unwatched = each()
    .filter(([, { healthcheck }]) => !healthcheck?.test)
    .map(([name]) => name)
  expect(unwatched.filter((name) => !JOBS.includes(name)).sort()).toEqual([
    'jaeger',
    'kafka-ui',
    'otel-collector',
    'shop',
    'temporal-ui',
  ])
  for (const [name, { depends_on = {} }] of each()) {
    for (const [other, { condition }] of Object.entries(depends_on)) {
      const expected = JOBS.includes(other)
        ? 'service_completed_successfully'
        : unwatched.includes(other)
          ? 'service_started'
          : 'service_healthy'
      expect(condition, `${name} waits for ${other}`).toBe(expected)
    }
  }
})

test('every file that is mounted is there, read-only; every other volume has a name', async () => {
  for (const [name, { volumes = [] }] of each()) {
    for (const { type, source = '', read_only } of volumes) {
      if (type === 'volume') expect(source, name).toMatch(/-data$/)
      else {
        expect(read_only, `${name}: ${source}`).toBe(true)
        await stat(source)
      }
    }
  }
})

test('the settings of our processes are settings of theirs, and are taken', () => {
  const known = new Set<string>()
  // Asked of the very reader: what it looks for, by a proxy in place of the environment.
  loadConfig(new Proxy({}, { get: (_, name) => void known.add(String(name)) }))
  for (const name of [...OURS, 'topics', 'migrate']) {
    const environment = composed.services[name]!.environment ?? {}
    const foreign = Object.keys(environment).filter((key) => !known.has(key))
    expect(
      foreign.filter((key) => !key.startsWith('OTEL_')),
      name,
    ).toEqual([])
    const config = loadConfig(environment as Record<string, string>)
    if (name !== 'migrate' && name !== 'shop') expect(config.kafkaBrokers).toEqual(['kafka:19092'])
    if (CORE.includes(name)) expect(config.objectsUrl).toBe('s3://streamforge/live')
  }
})

test('whoever reads topics of others, or looks at what could not be read of them, has the folder with their file', () => {
  const settings = { STREAMFORGE_FOREIGN_TOPICS: '' }
  const folder = join(ROOT, 'deploy/compose/foreign-topics')
  for (const name of [...CORE, 'topics']) {
    expect(composed.services[name]!.environment, name).toMatchObject(settings)
    expect(composed.services[name]!.volumes, name).toContainEqual(
      expect.objectContaining({ type: 'bind', source: folder, target: '/config', read_only: true }),
    )
  }
})

test('the demo shop is followed as a user who can do no more, unless .env names another database; all of it is told to the processes that need it', async () => {
  const { CDC_SOURCE_URL: url, ...rest } = composed.services.cdc!.environment!
  expect(url).toBe(`postgres://cdc:${composed.env.CDC_DATABASE_PASSWORD}@postgres:5432/shop`)
  expect(Object.keys(rest).filter((name) => /PASSWORD|SECRET|KEY|_URL/.test(name))).toEqual([])
  expect(composed.services.topics!.environment!.STREAMFORGE_CDC_TABLES).toBe(rest.STREAMFORGE_CDC_TABLES)
  const path = join(composed.folder, 'mine.env')
  const mine = 'postgres://me:secret@host.docker.internal:5432/mine'
  const text = await readFile(join(composed.folder, '.env'), 'utf8')
  await writeFile(path, text.replace(/^CDC_SOURCE_URL=.*/m, `CDC_SOURCE_URL=${mine}`))
  const { stdout } = await composed.compose(
    ['--profile', 'core', '--profile', 'cdc', 'config', '--format', 'json'],
    path,
  )
  expect(JSON.parse(stdout).services.cdc.environment.CDC_SOURCE_URL).toBe(mine)
})
